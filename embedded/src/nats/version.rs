use std::fmt;
use std::str::FromStr;

/// A version of `nats-server`; the newer one is the greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct NatsVersion {
    pub major: u16,
    pub minor: u16,
    pub patch: u16,
}

#[derive(Debug, thiserror::Error)]
#[error("not a version: {0}")]
pub struct NotAVersion(String);

impl FromStr for NatsVersion {
    type Err = NotAVersion;

    /// Takes `2.9.10` and `2.12.0-preview.1`.
    fn from_str(text: &str) -> Result<Self, NotAVersion> {
        let release = text.split(['-', '+']).next().unwrap_or_default();
        let numbers: Result<Vec<u16>, _> = release.split('.').map(str::parse).collect();
        match numbers.as_deref() {
            Ok([major, minor, patch]) => Ok(Self {
                major: *major,
                minor: *minor,
                patch: *patch,
            }),
            _ => Err(NotAVersion(text.to_owned())),
        }
    }
}

impl fmt::Display for NatsVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_comes_after_nine() {
        let version = |text: &str| text.parse::<NatsVersion>().unwrap();
        assert!(version("2.10.0") > version("2.9.10"));
        assert_eq!(version("2.12.0-preview.1"), version("2.12.0"));
        assert!("2.12".parse::<NatsVersion>().is_err());
    }
}
