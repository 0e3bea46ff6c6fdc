use std::io;
use std::net::{Ipv4Addr, TcpListener};

/// A free port on loopback: the preferred one while nobody else has it, so that
/// clients find a restarted server where it was.
pub(crate) fn free_port(preferred: Option<u16>) -> io::Result<u16> {
    let wanted = preferred.unwrap_or(0);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, wanted))
        .or_else(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))?;
    Ok(listener.local_addr()?.port())
}
