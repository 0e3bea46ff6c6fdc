//! What a route asks of its caller.

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Whoever asks.
    Public,
    /// Whoever is logged in, for what is their own.
    Account,
    /// Whoever is logged in, or holds the token of a cart or an order.
    AccountOrGuest,
}
