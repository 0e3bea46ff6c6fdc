//! Cells of a table that somebody will open in a spreadsheet.

use std::borrow::Cow;

/// What makes a spreadsheet take a cell for a formula, in its wide forms too (OWASP, CSV Injection).
const FORMULA_STARTS: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

/// The text as text: with an apostrophe before it, where it would be worked out instead of shown.
pub(crate) fn shown(text: &str) -> Cow<'_, str> {
    if text.starts_with(FORMULA_STARTS) {
        Cow::Owned(format!("'{text}"))
    } else {
        Cow::Borrowed(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_spreadsheet_would_work_out_is_only_shown() {
        for formula in [
            "=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1",
        ] {
            assert_eq!(shown(formula), format!("'{formula}"));
        }
    }

    #[test]
    fn what_it_would_show_stays_as_it_is() {
        for text in ["", "Wanjiku", "KES 1300.00", "a=b", " =1"] {
            assert_eq!(shown(text), text);
        }
    }
}
