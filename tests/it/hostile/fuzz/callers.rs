//! Who sends the requests.

use super::dice::Dice;
use crate::hostile::world::People;
use serde_json::json;
use soko_tests::{RawRequest, Soko, text};

/// What a program may be made for that many operations ask for.
const PERMISSIONS: [&str; 6] = [
    "view_stock",
    "move_stock",
    "view_store",
    "edit_products",
    "view_orders",
    "place_order",
];

/// The tokens of those who are there in each world, beside whom it was made for.
pub(super) struct Callers {
    colleague: String,
    program: String,
    gone: String,
}

impl Callers {
    pub(super) async fn of(soko: &Soko, people: &People) -> Self {
        let wanted = json!({ "name": "till", "permissions": PERMISSIONS });
        let made = people.admin.clone().post("/api-keys", wanted).await;
        let mut gone = soko.person("gone").await;
        gone.post("/auth/logout", json!({})).await.expect(204);
        Self {
            colleague: people.colleague.token().unwrap().to_owned(),
            program: text(&made.expect(201)["key"]),
            gone: gone.token().unwrap().to_owned(),
        }
    }

    /// Mostly whoever the request is right for. `is_own` where it is about whoever asks: nobody
    /// who is there in other worlds too may change their password here.
    pub(super) fn choose(&self, dice: &mut Dice, request: RawRequest, is_own: bool) -> RawRequest {
        let name = "Authorization";
        let by = |token: &str| {
            request
                .clone()
                .with_only_header(name, format!("Bearer {token}"))
        };
        match dice.below(20) {
            0 => request.without_header(name),
            1 => request
                .without_header(name)
                .with_header("X-Cart-Token", "c".repeat(32))
                .with_header("X-Order-Token", "o".repeat(43)),
            2 if !is_own => by(&self.colleague),
            3 => by(&self.program),
            4 => by(&self.gone),
            5 => by(&altered(dice, &self.colleague)),
            _ => request,
        }
    }
}

fn altered(dice: &mut Dice, token: &str) -> String {
    let mut bytes = token.as_bytes().to_vec();
    let place = dice.below(bytes.len());
    bytes[place] = *dice.one_of(b"AZaz09-_.+/=");
    if dice.in_hundred(30) {
        bytes.truncate(place);
    }
    String::from_utf8(bytes).unwrap()
}
