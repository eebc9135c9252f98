//! A second kube-apiserver on the same etcd, which can be made to see an old world.

use std::time::Duration;

use anyhow::{Result, bail};
use kube::config::Kubeconfig;
use tokio::time::Instant;

use crate::api_server::ApiServer;
use crate::control_plane::is_ready;
use crate::stalling::StallingLink;
use crate::{ControlPlane, assets, kubeconfig, ports};

/// It starts beside others that have to work meanwhile.
const START_DEADLINE: Duration = Duration::from_secs(90);

/// A second kube-apiserver with the same certificates and tokens, stopped on drop.
/// While it is stalled, it hears nothing from etcd and etcd hears all from it: its
/// cached lists and its watches show what was, and its writes take effect and hang.
#[derive(Debug)]
pub struct SecondApiServer {
    _process: ApiServer,
    link: StallingLink,
    admin: Kubeconfig,
    port: u16,
}

impl ControlPlane {
    /// Starts a second kube-apiserver; its link to etcd runs on the current tokio
    /// runtime.
    ///
    /// # Errors
    /// When it isn't ready within 90 s.
    pub async fn second_api_server(&self) -> Result<SecondApiServer> {
        let link = StallingLink::start(self.etcd_port).await?;
        let port = ports::free_port()?;
        let directory = self.directory().join(format!("second-{port}"));
        std::fs::create_dir(&directory)?;
        let binary = assets::find(&assets::KUBE_APISERVER)?;
        let mut process = ApiServer::new(binary, &directory, port, link.port, &self.certificates)?;
        process.start()?;
        let admin = kubeconfig::admin(port, &self.certificates)?;
        let client = kubeconfig::client(&admin).await?;
        let end = Instant::now() + START_DEADLINE;
        loop {
            let error = match tokio::time::timeout_at(end, is_ready(&client)).await {
                Ok(Ok(())) => break,
                Ok(Err(error)) => format!("{error:#}"),
                Err(_) => "no answer".to_owned(),
            };
            if Instant::now() >= end {
                let tail = process.running()?.log_tail();
                bail!(
                    "the second kube-apiserver is not ready after {START_DEADLINE:?}: {error}\n{tail}"
                );
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(SecondApiServer {
            _process: process,
            link,
            admin,
            port,
        })
    }
}

impl SecondApiServer {
    /// Whether it hears nothing from etcd.
    pub fn set_stalled(&self, stalled: bool) {
        self.link.set_stalled(stalled);
    }

    /// The kubeconfig of a cluster administrator for it.
    pub fn admin_kubeconfig(&self) -> Kubeconfig {
        self.admin.clone()
    }

    /// That kubeconfig, leading here.
    pub fn readdress(&self, mut kubeconfig: Kubeconfig) -> Kubeconfig {
        for cluster in kubeconfig
            .clusters
            .iter_mut()
            .filter_map(|named| named.cluster.as_mut())
        {
            cluster.server = Some(format!("https://127.0.0.1:{}", self.port));
        }
        kubeconfig
    }
}
