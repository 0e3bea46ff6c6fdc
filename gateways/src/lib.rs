//! Everything that Soko asks of the outside: that a message reaches a person, and that money moves.
//! How to call what users name is here too, though nothing asks for that yet. What providers print
//! of what they moved is read here as well.
//!
//! Each port says what is asked, each adapter how one provider is asked. Nothing here decides
//! whether a message is sent, and nothing here tries twice: that is for who keeps what is waiting.

mod http;
pub mod messages;
pub mod outbound;
pub mod payments;
pub mod sandbox;
pub mod statements;
