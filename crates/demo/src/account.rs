//! The emulated Pinecone project: two backups, and an index that the operator did not create.

use std::time::Duration;

use anyhow::{Context as _, Result};
use pinecone_emulator::{
    BackupSeed, Config, DEFAULT_PROJECT, Emulator, Fault, FaultKind, IndexSeed, IndexSnapshot,
    Route,
};

/// Long enough to show restoring in the table.
const RESTORE: Duration = Duration::from_secs(6);

/// Longer than the demo, so the answer never arrives.
const ANSWER_DELAY: Duration = Duration::from_secs(600);

/// The backup IDs in the samples.
const PRODUCTS: &str = "670e8400-e29b-41d4-a716-446655440000";
const ARTICLES: &str = "0b1f5a52-7c0e-4c8b-9b0a-5d6f5b0c9a11";

/// The project, and its index from before the demo.
pub struct Account {
    pub emulator: Emulator,
    /// The index whose name is in the sample taken-name.
    pub foreign: IndexSnapshot,
}

impl Account {
    pub async fn open() -> Result<Self> {
        let config = Config {
            restore: Some(RESTORE),
            ..Config::default()
        };
        let emulator = Emulator::start(config)
            .await
            .context("starting the Pinecone emulator")?;
        let control = emulator.control();
        let backups = [
            BackupSeed::new("products", "products")
                .id(PRODUCTS)
                .tag("team", "shop"),
            BackupSeed::new("articles", "articles")
                .id(ARTICLES)
                .tag("team", "search"),
        ];
        for backup in backups {
            control.add_backup(DEFAULT_PROJECT, backup)?;
        }
        let mut foreign = IndexSeed::new("articles");
        foreign.tags.insert("team".to_owned(), "search".to_owned());
        control.add_index(DEFAULT_PROJECT, foreign)?;
        let foreign = control.indexes(DEFAULT_PROJECT).pop();
        Ok(Self {
            foreign: foreign.context("the emulator does not show its first index")?,
            emulator,
        })
    }

    pub fn indexes(&self) -> Vec<IndexSnapshot> {
        self.emulator.control().indexes(DEFAULT_PROJECT)
    }

    /// Returns the index with this name.
    pub fn index(&self, name: &str) -> Option<IndexSnapshot> {
        self.indexes().into_iter().find(|index| index.name == name)
    }

    /// Returns the name of a backup, or its ID if it has no name.
    pub fn backup_name(&self, id: &str) -> String {
        let mut backups = self.emulator.control().backups(DEFAULT_PROJECT).into_iter();
        let backup = backups.find(|backup| backup.id == id);
        backup
            .and_then(|backup| backup.name)
            .unwrap_or_else(|| id.to_owned())
    }

    /// Returns the tags of a backup as JSON.
    pub fn backup_tags(&self, id: &str) -> serde_json::Value {
        let mut backups = self.emulator.control().backups(DEFAULT_PROJECT).into_iter();
        let backup = backups.find(|backup| backup.id == id);
        serde_json::json!(backup.and_then(|backup| backup.tags).unwrap_or_default())
    }

    /// Returns the number of accepted creates, of this index or of all.
    pub fn accepted(&self, index: Option<&str>) -> usize {
        let creates = self.emulator.control().accepted_creates();
        let counts = |name: &str| index.is_none_or(|index| index == name);
        creates
            .iter()
            .filter(|create| counts(&create.index_name))
            .count()
    }

    /// Whether the answer to the create of this index was delivered.
    pub fn is_answered(&self, index: &str) -> bool {
        let control = self.emulator.control();
        let creates = control.accepted_creates();
        let mut creates = creates.iter().filter(|create| create.index_name == index);
        creates.any(|create| {
            let requests = control.requests();
            let mut requests = requests.iter();
            requests.any(|request| request.seq == create.seq && request.delivered)
        })
    }

    /// Delays the answer to the next create of this index. The create takes effect immediately.
    pub fn delay_answer(&self, index: &str) {
        let fault = Fault::new(
            Route::CreateIndexFromBackup,
            FaultKind::DelayAnswer(ANSWER_DELAY),
        );
        self.emulator
            .control()
            .inject(fault.times(1).mentioning(index));
    }
}
