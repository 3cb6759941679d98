//! The address that a server listens on.

use std::io;
use std::net::SocketAddr;

use thiserror::Error;
use tokio::net::TcpListener;

/// An address that other machines could reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "the server has no users yet, so it listens only on an address that no other machine can reach, and {0} is not one; use \
     127.0.0.1 or [::1], and reach it from elsewhere through a tunnel, as in `ssh -L 8080:127.0.0.1:8080 HOST`"
)]
pub struct NotLoopback(pub SocketAddr);

/// Listens on an address of this machine alone.
///
/// # Errors
///
/// If another machine could reach the address ([`NotLoopback`] is the cause), or it is not free.
pub async fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    if !address.ip().is_loopback() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, NotLoopback(address)));
    }
    TcpListener::bind(address).await
}
