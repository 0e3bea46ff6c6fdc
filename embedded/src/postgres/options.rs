/// What a commit means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// On disk.
    #[default]
    Full,
    /// In the machine's memory: outlives the server, not the machine. For tests.
    None,
}

/// What the Unix socket asks of whoever connects by it. Only the user that the server runs as, and
/// root, can reach the socket; by TCP it is always the password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SocketLogin {
    #[default]
    Password,
    /// Nothing, so that whoever connects owes the server no answer. A client that stands still
    /// where it owes one holds up `DROP DATABASE` until `authentication_timeout`. For tests.
    Trusted,
}

#[derive(Debug, Clone)]
pub struct PostgresOptions {
    pub durability: Durability,
    /// Counts when the data is made; later it stays as it was.
    pub socket_login: SocketLogin,
    pub max_connections: u16,
    /// A quarter of the machine's memory, from 128 MB to 1 GB, if it is not said.
    pub shared_buffers_mb: Option<u32>,
    /// More settings, by name; they win over ours.
    pub settings: Vec<(String, String)>,
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self {
            durability: Durability::Full,
            socket_login: SocketLogin::Password,
            max_connections: 200,
            shared_buffers_mb: None,
            settings: Vec::new(),
        }
    }
}
