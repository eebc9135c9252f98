//! Free TCP ports on loopback.

use std::collections::HashSet;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context as _, Result};
use uuid::Uuid;

// Below the ranges from which Linux (32768) and macOS (49152) take the ports of outgoing connections: a server that is away for a
// while finds its port free again, and a client that dials it meanwhile can't be connected to itself.
const FIRST: u16 = 20_000;
const COUNT: u128 = 12_000;

/// A TCP port that nothing on 127.0.0.1 listens on now, another one each time: a server of ours that is away for a while keeps its own.
/// Another process may take it before its user does.
///
/// # Errors
/// When a hundred random ports were all taken.
pub fn free_port() -> Result<u16> {
    static GIVEN: Mutex<Option<HashSet<u16>>> = Mutex::new(None);
    let mut given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner);
    let given = given.get_or_insert_default();
    (0..100)
        .filter_map(|_| {
            let random = Uuid::new_v4().as_u128() % COUNT;
            FIRST.checked_add(u16::try_from(random).ok()?)
        })
        .find(|port| {
            !given.contains(port)
                && TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok()
                && given.insert(*port)
        })
        .context("no free TCP port on 127.0.0.1 between 20000 and 31999")
}
