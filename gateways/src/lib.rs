//! Everything that Soko asks of the outside: today, that a message reaches a person. How to call what
//! users name is here too, and nothing does so yet.
//!
//! Each port says what is asked, each adapter how one provider is asked. Nothing here decides
//! whether a message is sent, and nothing here tries twice: that is for who keeps what is waiting.

mod http;
pub mod messages;
pub mod outbound;
