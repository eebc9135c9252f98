//! The cluster's data as it was before: an etcd that is restored from a snapshot.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::PoisonError;

use anyhow::{Context as _, Result};
use rustix::process::Signal;
use uuid::Uuid;

use crate::{ControlPlane, etcd};

/// All data of a control plane at one moment.
#[derive(Debug)]
pub struct Saved(PathBuf);

impl ControlPlane {
    /// Copies etcd's data while etcd is stopped, as a crash at that moment would leave them.
    ///
    /// # Errors
    /// On the shared control plane, or when the data can't be copied.
    pub fn save(&self) -> Result<Saved> {
        drop(self.private()?);
        let mut etcd = self.etcd.lock().unwrap_or_else(PoisonError::into_inner);
        let saved = self
            .directory()
            .join(format!("saved-{}", Uuid::new_v4().simple()));
        etcd.signal(Signal::STOP)?;
        let copied = copy_folder(&self.directory().join("etcd"), &saved);
        etcd.signal(Signal::CONT)?;
        copied.with_context(|| format!("copying etcd's data to {}", saved.display()))?;
        Ok(Saved(saved))
    }

    /// Kills both servers, puts the data back, and waits until both are ready again. Resource versions go back as well: whoever
    /// watched knows a future that never was.
    ///
    /// # Errors
    /// On the shared control plane, or when they aren't ready again within 90 s.
    pub async fn roll_back(&self, saved: &Saved) -> Result<()> {
        self.stop_api_server()?;
        let data = self.directory().join("etcd");
        {
            let mut etcd = self.etcd.lock().unwrap_or_else(PoisonError::into_inner);
            etcd.kill()?;
            fs::remove_dir_all(&data)?;
            copy_folder(&saved.0, &data)?;
            *etcd = etcd::start(&self.etcd_program, self.directory(), self.etcd_port)?;
        }
        self.start_api_server().await
    }
}

fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        match entry.file_type()?.is_dir() {
            true => copy_folder(&entry.path(), &target)?,
            false => drop(fs::copy(entry.path(), target)?),
        }
    }
    Ok(())
}
