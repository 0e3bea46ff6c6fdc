use std::path::Path;

use super::{Durability, PostgresOptions};

/// For the C library: what a statement used is kept for the next, and not given back and zeroed by
/// the kernel again each time, which showed in every profile.
pub(super) const ENVIRONMENT: [(&str, &str); 2] = [
    ("MALLOC_MMAP_THRESHOLD_", "8388608"),
    ("MALLOC_TRIM_THRESHOLD_", "16777216"),
];

const SHARED_BUFFERS_MB: std::ops::RangeInclusive<u32> = 128..=1024;

/// The settings of a private server, as arguments for `postgres`.
pub(super) fn arguments(
    options: &PostgresOptions,
    port: u16,
    socket_folder: Option<&Path>,
    has_lz4: bool,
) -> Vec<String> {
    let shared_buffers = options.shared_buffers_mb.unwrap_or_else(quarter_of_memory);
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
        ("shared_buffers", &format!("{shared_buffers}MB")),
        (
            "effective_cache_size",
            &format!("{}MB", u64::from(shared_buffers) * 3),
        ),
        // One server and no replica: the log needs nothing for others to read.
        ("wal_level", "minimal"),
        ("max_wal_senders", "0"),
        ("wal_compression", if has_lz4 { "lz4" } else { "pglz" }),
        ("wal_buffers", "16MB"),
        ("synchronous_commit", "on"),
        ("max_wal_size", "2GB"),
        // Files of the write-ahead log are used again; making a new one holds up an append for 10 ms.
        ("min_wal_size", "1GB"),
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

/// In MB, within what a server of this size can use.
fn quarter_of_memory() -> u32 {
    let described = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kilobytes: Option<u32> = described
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))
        .and_then(|rest| rest.trim().strip_suffix("kB")?.trim().parse().ok());
    let megabytes = kilobytes.map_or(0, |kilobytes| kilobytes / 1024 / 4);
    megabytes.clamp(*SHARED_BUFFERS_MB.start(), *SHARED_BUFFERS_MB.end())
}
