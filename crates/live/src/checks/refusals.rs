//! Requests that Pinecone is expected to reject.

use anyhow::{Result, bail};
use uuid::Uuid;

use super::Session;
use crate::assumption::Verdict;
use crate::client::Call;
use crate::key::ApiKey;

impl Session {
    /// L9a, L10, L11a, L11b. Creates nothing if Pinecone behaves as documented.
    pub(super) async fn check_refusals(&self) -> Result<()> {
        let client = &self.client;
        let call = Call::get(&["indexes"]);

        let reply = client.send(call.clone().version(Some("2099-01"))).await?;
        let evidence = format!("Version 2099-01: {}.", reply.brief());
        self.findings
            .record("L9a", Verdict::of(reply.status == 400), evidence);

        let token = Call::get(&["restore-jobs"]).query("paginationToken", "not-a-token");
        let reply = client.send(token).await?;
        let evidence = format!("paginationToken=not-a-token: {}.", reply.brief());
        self.findings
            .record("L10", Verdict::of(reply.status == 400), evidence);

        let reply = client.send(call.key(ApiKey::wrong())).await?;
        let is_text = reply.content_type == "text/plain";
        let evidence = format!("{}, Content-Type {}.", reply.brief(), reply.content_type);
        let holds = Verdict::of(reply.status == 401 && is_text);
        self.findings.record("L11b", holds, evidence);

        let nowhere = Uuid::new_v4().to_string();
        let reply = self.ledger.create(client, &nowhere, &self.name(1)).await?;
        let evidence = format!("{}.", reply.brief());
        self.findings
            .record("L11a", Verdict::of(reply.is_error(404)), evidence);
        if reply.is_success() {
            bail!("Pinecone accepted a restore of a backup that does not exist");
        }
        Ok(())
    }
}
