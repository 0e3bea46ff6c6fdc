//! Everything that Soko asks of the outside: that a message reaches a person, and that money moves.
//! How to call what users name is here too. Nothing asks for the last two yet.
//!
//! Each port says what is asked, each adapter how one provider is asked. Nothing here decides
//! whether a message is sent, and nothing here tries twice: that is for who keeps what is waiting.

mod http;
pub mod messages;
pub mod outbound;
pub mod payments;
pub mod sandbox;
