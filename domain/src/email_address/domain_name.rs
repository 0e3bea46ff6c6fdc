//! Domains, in the one form that names are asked for in.

use idna::AsciiDenyList;
use idna::uts46::{DnsLength, Hyphens, Uts46};
use unicode_security::{RestrictionLevel, RestrictionLevelDetection};

/// In ASCII, lower case, without a dot at the end; none if it is no domain that mail is sent to, or
/// if it mixes scripts so that it may pass for another one.
pub(super) fn to_ascii(domain: &str) -> Option<String> {
    let uts46 = Uts46::new();
    let ascii = uts46
        .to_ascii(
            domain.as_bytes(),
            AsciiDenyList::STD3,
            Hyphens::CheckFirstLast,
            DnsLength::Verify,
        )
        .ok()?;
    // A number there would be an address of a machine.
    let (_, top) = ascii.rsplit_once('.')?;
    if top.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (shown, valid) = uts46.to_unicode(
        ascii.as_bytes(),
        AsciiDenyList::STD3,
        Hyphens::CheckFirstLast,
    );
    let is_clear = shown.split('.').all(is_of_one_script);
    (valid.is_ok() && is_clear).then(|| ascii.into_owned())
}

/// One script, or Latin beside those that Japanese, Chinese and Korean are written in (UTS 39,
/// highly restrictive): with Cyrillic or Greek beside Latin, a label may look like another.
fn is_of_one_script(label: &str) -> bool {
    label.check_restriction_level(RestrictionLevel::HighlyRestrictive)
}
