//! What came back from a user's address: nothing of it is trusted, and little of it is read.

use reqwest::Response;

use super::OutboundError;

/// What is read; the rest is not waited for.
const BYTES_MAX: usize = 64 * 1024;

const EXCERPT_CHARACTERS_MAX: usize = 1024;

/// A status, and the beginning of a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboundAnswer {
    pub status: u16,
    /// At most 64 KiB.
    pub body: Vec<u8>,
    /// There was more.
    pub is_cut: bool,
}

impl OutboundAnswer {
    /// Dropping the response ends the connection, however much is still to come.
    pub(super) async fn read(mut response: Response) -> Result<Self, OutboundError> {
        let status = response.status().as_u16();
        let mut body = Vec::new();
        loop {
            let chunk = response.chunk().await;
            let Some(chunk) = chunk.map_err(|error| OutboundError::of(&error))? else {
                return Ok(Self {
                    status,
                    body,
                    is_cut: false,
                });
            };
            let room = BYTES_MAX - body.len();
            body.extend_from_slice(&chunk[..chunk.len().min(room)]);
            if chunk.len() > room {
                return Ok(Self {
                    status,
                    body,
                    is_cut: true,
                });
            }
        }
    }

    /// The receiver has it. A redirect is no success: it is not followed.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The beginning of the body for a person to look at: one line of printable ASCII.
    pub fn excerpt(&self) -> String {
        let text = String::from_utf8_lossy(&self.body);
        let mut excerpt = String::new();
        for escaped in text.chars().map(|c| c.escape_default().to_string()) {
            if excerpt.len() + escaped.len() > EXCERPT_CHARACTERS_MAX {
                break;
            }
            excerpt.push_str(&escaped);
        }
        excerpt
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn excerpt(body: &[u8]) -> String {
        let body = body.to_vec();
        let answer = OutboundAnswer {
            status: 500,
            body,
            is_cut: false,
        };
        answer.excerpt()
    }

    #[test]
    fn an_excerpt_is_one_line_of_printable_text() {
        assert_eq!(
            excerpt(b"no\r\nSet-Cookie: a\x1b[2J"),
            "no\\r\\nSet-Cookie: a\\u{1b}[2J"
        );
        assert_eq!(
            excerpt("\u{202e}\u{e9}\0".as_bytes()),
            "\\u{202e}\\u{e9}\\u{0}"
        );
        let all: Vec<u8> = (0..=255).cycle().take(100_000).collect();
        let long = excerpt(&all);
        assert!(long.len() <= 1024 && long.len() > 1000);
        assert!(long.chars().all(|c| c.is_ascii() && !c.is_ascii_control()));
    }
}
