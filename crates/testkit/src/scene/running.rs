//! The operators of a scene.

use std::path::Path;

use super::Scene;
use crate::operator::{Operator, OperatorBuilder};
use crate::ports::free_port;
use crate::wait::{DEADLINE, eventually};

/// An operator, and where it serves its endpoints.
pub struct Running {
    /// The child process, killed on drop.
    pub process: Operator,
    /// IP address and port of the endpoints, such as `127.0.0.1:20123`.
    pub address: String,
}

impl Scene {
    /// Starts an operator and waits until it has seen everything. Its waits are
    /// short; flags override them.
    pub async fn start(&self) -> Running {
        self.start_with(&[]).await
    }

    /// Like [`Scene::start`], with further flags, which take precedence over the scene's environment variables.
    pub async fn start_with(&self, flags: &[&str]) -> Running {
        Self::until_ready(self.launch(flags)).await
    }

    /// Starts one that reaches the API server by that kubeconfig.
    pub async fn start_by(&self, kubeconfig: &Path, flags: &[&str]) -> Running {
        let builder = self.builder.clone().kubeconfig(kubeconfig);
        Self::until_ready(Self::launch_from(builder, flags)).await
    }

    async fn until_ready(running: Running) -> Running {
        eventually("the operator is ready", DEADLINE, async || {
            Ok((running.get("/readyz").await?.0 == 200).then_some(()))
        })
        .await
        .unwrap_or_else(|error| panic!("{error:#}\n{}", running.process.logs()));
        running
    }

    /// Starts an operator without waiting.
    pub fn launch(&self, flags: &[&str]) -> Running {
        self.launch_with(flags, &[])
    }

    /// The same with further environment variables.
    pub fn launch_with(&self, flags: &[&str], environment: &[(&str, &str)]) -> Running {
        let mut builder = self.builder.clone();
        for (name, value) in environment {
            builder = builder.env(*name, *value);
        }
        Self::launch_from(builder, flags)
    }

    fn launch_from(builder: OperatorBuilder, flags: &[&str]) -> Running {
        let address = format!("127.0.0.1:{}", free_port().unwrap());
        let builder = builder.args(["--listen", &address]).args(flags);
        Running {
            process: builder.start().unwrap(),
            address,
        }
    }
}

impl Running {
    /// GETs one of the operator's endpoints: the status and the body.
    pub async fn get(&self, path: &str) -> anyhow::Result<(u16, String)> {
        let url = format!("http://{}{path}", self.address);
        let response = reqwest::Client::builder()
            .no_proxy()
            .build()?
            .get(url)
            .send()
            .await?;
        Ok((response.status().as_u16(), response.text().await?))
    }
}
