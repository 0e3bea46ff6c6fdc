//! A file as lines with named columns.

use chrono::{DateTime, FixedOffset, NaiveDateTime, Utc};
use csv::{ErrorKind, Position, Reader, ReaderBuilder, StringRecord};
use soko_domain::statement::StatementLine;
use soko_domain::{Currency, Money, Text};

use super::{FILE_BYTES_MAX, FileFault, LINES_MAX, Wrong};
use crate::payments::minor_units;

const BYTE_ORDER_MARK: &str = "\u{feff}";

/// How one provider prints.
pub(super) struct Form {
    /// Those that must be there.
    pub(super) columns: &'static [&'static str],
    pub(super) line: fn(&Row<'_>) -> Result<StatementLine, FileFault>,
}

/// One line of a file.
pub(super) struct Row<'a> {
    cells: &'a StringRecord,
    columns: &'a [(&'static str, usize)],
    line: u64,
}

pub(super) fn read_as(form: &Form, file: &[u8]) -> Result<Vec<StatementLine>, FileFault> {
    if file.len() > FILE_BYTES_MAX {
        return Err(whole(1, Wrong::TooManyBytes));
    }
    let text = str::from_utf8(file).map_err(|error| {
        let before = &file[..error.valid_up_to()];
        let breaks = before.split(|byte| *byte == b'\n').count();
        whole(breaks as u64, Wrong::NotText)
    })?;
    let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    let mut reader = ReaderBuilder::new().from_reader(text.as_bytes());
    let columns = columns(text, &mut reader, form.columns)?;
    let mut lines = Vec::new();
    let mut cells = StringRecord::new();
    loop {
        let is_there = reader.read_record(&mut cells);
        if !is_there.map_err(|error| not_a_table(text, &error))? {
            break;
        }
        let line = line_of(text, cells.position());
        if lines.len() == LINES_MAX {
            return Err(whole(line, Wrong::TooManyLines));
        }
        lines.push((form.line)(&Row {
            cells: &cells,
            columns: &columns,
            line,
        })?);
    }
    Ok(lines)
}

/// Where each of the columns stands.
fn columns(
    text: &str,
    reader: &mut Reader<&[u8]>,
    wanted: &[&'static str],
) -> Result<Vec<(&'static str, usize)>, FileFault> {
    let header = reader
        .headers()
        .map_err(|error| not_a_table(text, &error))?;
    if header.is_empty() {
        return Err(whole(1, Wrong::Empty));
    }
    let place = |name: &'static str| {
        let wrong = |wrong| FileFault {
            line: 1,
            column: Some(name),
            wrong,
        };
        let mut places = header.iter().enumerate();
        let mut places = places.by_ref().filter(|(_, found)| found.trim() == name);
        match (places.next(), places.next()) {
            (Some((index, _)), None) => Ok((name, index)),
            (None, _) => Err(wrong(Wrong::NoColumn)),
            (Some(_), Some(_)) => Err(wrong(Wrong::TwoColumns)),
        }
    };
    wanted.iter().copied().map(place).collect()
}

impl Row<'_> {
    /// What is wrong with one column.
    pub(super) fn wrong(&self, column: &'static str, wrong: Wrong) -> FileFault {
        FileFault {
            line: self.line,
            column: Some(column),
            wrong,
        }
    }

    /// `None` where nothing stands.
    pub(super) fn optional(&self, column: &'static str) -> Option<&str> {
        let (_, index) = self.columns.iter().find(|(name, _)| *name == column)?;
        let cell = self.cells.get(*index)?.trim();
        (!cell.is_empty()).then_some(cell)
    }

    pub(super) fn text(&self, column: &'static str) -> Result<&str, FileFault> {
        let missing = || self.wrong(column, Wrong::Missing);
        self.optional(column).ok_or_else(missing)
    }

    /// What a provider, or we, call a thing by: visible ASCII, without spaces.
    pub(super) fn reference(&self, column: &'static str) -> Result<Text<100>, FileFault> {
        self.as_reference(column, self.text(column)?)
    }

    pub(super) fn optional_reference(
        &self,
        column: &'static str,
    ) -> Result<Option<Text<100>>, FileFault> {
        let text = self.optional(column);
        text.map(|text| self.as_reference(column, text)).transpose()
    }

    pub(super) fn as_reference(
        &self,
        column: &'static str,
        text: &str,
    ) -> Result<Text<100>, FileFault> {
        let is_visible = text.bytes().all(|byte| byte.is_ascii_graphic());
        let reference = text.parse().ok().filter(|_| is_visible);
        reference.ok_or_else(|| self.wrong(column, Wrong::NotAReference))
    }

    pub(super) fn currency(&self, column: &'static str) -> Result<Currency, FileFault> {
        let code = self.text(column)?.to_ascii_uppercase();
        let code = code.parse();
        code.map_err(|_| self.wrong(column, Wrong::NotACurrency))
    }

    /// A decimal number of major units, with a sign or without, with commas between thousands or
    /// without.
    pub(super) fn amount(
        &self,
        column: &'static str,
        currency: Currency,
    ) -> Result<Money, FileFault> {
        let text = self.text(column)?;
        signed_minor_units(text, currency)
            .map(|minor| Money::new(minor, currency))
            .ok_or_else(|| self.wrong(column, Wrong::NotAnAmount))
    }

    /// A time without a zone, of a place so many hours east of Greenwich.
    pub(super) fn time(
        &self,
        column: &'static str,
        hours: i32,
    ) -> Result<DateTime<Utc>, FileFault> {
        let wrong = || self.wrong(column, Wrong::NotATime);
        let local = NaiveDateTime::parse_from_str(self.text(column)?, "%Y-%m-%d %H:%M:%S");
        let zone = FixedOffset::east_opt(hours * 3_600).ok_or_else(wrong)?;
        let time = local.map_err(|_| wrong())?.and_local_timezone(zone);
        let time = time.single().map(|time| time.to_utc());
        time.filter(is_of_a_trade).ok_or_else(wrong)
    }
}

/// The database, and JSON's readers, do not know all times that chrono does.
fn is_of_a_trade(time: &DateTime<Utc>) -> bool {
    const FIRST: i64 = 0;
    const LAST: i64 = 253_402_300_799;
    (FIRST..=LAST).contains(&time.timestamp())
}

fn signed_minor_units(text: &str, currency: Currency) -> Option<i64> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let whole = digits.split('.').next().unwrap_or_default();
    let mut groups = whole.split(',');
    let first = groups.next().unwrap_or_default();
    let is_grouped = whole.contains(',');
    let are_thousands = groups.all(|group| group.len() == 3);
    if is_grouped && !((1..=3).contains(&first.len()) && are_thousands) {
        return None;
    }
    let fraction = &digits[whole.len()..];
    let plain = format!("{}{fraction}", whole.replace(',', ""));
    minor_units(&plain, currency.exponent())?.checked_mul(sign)
}

fn whole(line: u64, wrong: Wrong) -> FileFault {
    FileFault {
        line,
        column: None,
        wrong,
    }
}

fn not_a_table(text: &str, error: &csv::Error) -> FileFault {
    let wrong = match error.kind() {
        ErrorKind::Utf8 { .. } => Wrong::NotText,
        _ => Wrong::NotATable,
    };
    whole(line_of(text, error.position()), wrong)
}

/// A record begins, for its reader, where the one before ended: empty lines between are not counted.
fn line_of(text: &str, position: Option<&Position>) -> u64 {
    let Some(position) = position else { return 1 };
    let start = usize::try_from(position.byte()).unwrap_or(usize::MAX);
    let rest = text.as_bytes().get(start..).unwrap_or_default();
    let empty = rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n'));
    let passed = empty.filter(|byte| **byte == b'\n').count() as u64;
    position.line() + passed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_to_the_last_digit_or_not_at_all() {
        for (text, minor) in [
            ("1250.00", 125_000),
            ("-1250.5", -125_050),
            ("+7", 700),
            ("1,250.00", 125_000),
            ("-1,234,567.89", -123_456_789),
            ("0.00", 0),
        ] {
            assert_eq!(
                signed_minor_units(text, Currency::Kes),
                Some(minor),
                "{text}"
            );
        }
        for text in [
            "",
            "-",
            "--1",
            "1,25.00",
            ",250",
            "1234,567",
            "1,2345",
            "1.005",
            "1e3",
            "KES 5",
            "1.2,3",
            "(5.00)",
            "9999999999999999999",
        ] {
            assert_eq!(signed_minor_units(text, Currency::Kes), None, "{text}");
        }
    }
}
