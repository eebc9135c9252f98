//! One etcd member on loopback that forgets everything with its folder.

use std::path::Path;

use anyhow::Result;

use crate::process::Process;

/// Starts etcd; kube-apiserver waits for it by itself.
pub(crate) fn start(binary: &Path, directory: &Path, port: u16) -> Result<Process> {
    let url = format!("http://127.0.0.1:{port}");
    Process::spawn("etcd", binary, &directory.join("etcd.log"), |command| {
        command
            .arg(format!("--data-dir={}", directory.join("etcd").display()))
            .arg(format!("--listen-client-urls={url}"))
            .arg(format!("--advertise-client-urls={url}"))
            // There are no peers: any port will do.
            .arg("--listen-peer-urls=http://127.0.0.1:0")
            .arg("--unsafe-no-fsync")
            .arg("--log-level=warn");
    })
}
