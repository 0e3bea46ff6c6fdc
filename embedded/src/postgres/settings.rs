use std::path::Path;

use super::{Durability, PostgresOptions};

/// The settings of a private server, as arguments for `postgres`.
pub(super) fn arguments(
    options: &PostgresOptions,
    port: u16,
    socket_folder: Option<&Path>,
    has_lz4: bool,
) -> Vec<String> {
    let socket_folder = socket_folder.map(|folder| folder.display().to_string());
    let mut settings: Vec<(String, String)> = [
        ("listen_addresses", "127.0.0.1"),
        ("port", &port.to_string()),
        (
            "unix_socket_directories",
            socket_folder.as_deref().unwrap_or_default(),
        ),
        ("unix_socket_permissions", "0700"),
        ("password_encryption", "scram-sha-256"),
        ("max_connections", &options.max_connections.to_string()),
        (
            "shared_buffers",
            &format!("{}MB", options.shared_buffers_mb),
        ),
        (
            "effective_cache_size",
            &format!("{}MB", options.shared_buffers_mb * 3),
        ),
        // One server and no replica: the log needs nothing for others to read.
        ("wal_level", "minimal"),
        ("max_wal_senders", "0"),
        ("wal_compression", if has_lz4 { "lz4" } else { "pglz" }),
        ("wal_buffers", "16MB"),
        ("synchronous_commit", "on"),
        ("max_wal_size", "2GB"),
        ("min_wal_size", "256MB"),
        ("checkpoint_timeout", "15min"),
        ("random_page_cost", "1.1"),
        // Queries here are short; compiling them costs more than it saves.
        ("jit", "off"),
        ("timezone", "UTC"),
        ("log_timezone", "UTC"),
        ("log_line_prefix", "%m [%p] %q%d "),
        ("log_checkpoints", "off"),
        ("logging_collector", "off"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();

    let durable = match options.durability {
        Durability::Full => "on",
        Durability::None => "off",
    };
    settings
        .extend(["fsync", "full_page_writes"].map(|name| (name.to_owned(), durable.to_owned())));
    settings.extend(options.settings.iter().cloned());
    settings
        .into_iter()
        .flat_map(|(name, value)| ["-c".into(), format!("{name}={value}")])
        .collect()
}
