//! The emulated Pinecone account: two backups, and an index that somebody else made.

use std::time::Duration;

use anyhow::{Context as _, Result};
use pinecone_emulator::{
    BackupSeed, Config, DEFAULT_PROJECT, Emulator, Fault, FaultKind, IndexSeed, IndexSnapshot,
    Route,
};

/// Long enough to be seen running in the table.
const RESTORE: Duration = Duration::from_secs(6);

/// Longer than the demo, in which it never arrives.
const HELD_BACK: Duration = Duration::from_secs(600);

/// The IDs that the samples name.
const PRODUCTS: &str = "670e8400-e29b-41d4-a716-446655440000";
const ARTICLES: &str = "0b1f5a52-7c0e-4c8b-9b0a-5d6f5b0c9a11";

/// The account, and what was in it before the demo.
pub struct Account {
    pub emulator: Emulator,
    /// The index whose name the sample taken-name asks for.
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
            foreign: foreign.context("the emulator lost its first index")?,
            emulator,
        })
    }

    pub fn indexes(&self) -> Vec<IndexSnapshot> {
        self.emulator.control().indexes(DEFAULT_PROJECT)
    }

    /// The index of that name.
    pub fn index(&self, name: &str) -> Option<IndexSnapshot> {
        self.indexes().into_iter().find(|index| index.name == name)
    }

    /// The name of a backup; its ID, if it has none.
    pub fn backup_name(&self, id: &str) -> String {
        let mut backups = self.emulator.control().backups(DEFAULT_PROJECT).into_iter();
        let backup = backups.find(|backup| backup.id == id);
        backup
            .and_then(|backup| backup.name)
            .unwrap_or_else(|| id.to_owned())
    }

    /// The tags of a backup, as they stand in JSON.
    pub fn backup_tags(&self, id: &str) -> serde_json::Value {
        let mut backups = self.emulator.control().backups(DEFAULT_PROJECT).into_iter();
        let backup = backups.find(|backup| backup.id == id);
        serde_json::json!(backup.and_then(|backup| backup.tags).unwrap_or_default())
    }

    /// How many creates were accepted, of this index or of all.
    pub fn accepted(&self, index: Option<&str>) -> usize {
        let creates = self.emulator.control().accepted_creates();
        let counts = |name: &str| index.is_none_or(|index| index == name);
        creates
            .iter()
            .filter(|create| counts(&create.index_name))
            .count()
    }

    /// Whether an answer to the create of that index has reached anybody.
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

    /// From now on the answer to the create of that index is held back, though the create takes effect at once.
    pub fn hold_back_answer(&self, index: &str) {
        let fault = Fault::new(
            Route::CreateIndexFromBackup,
            FaultKind::DelayAnswer(HELD_BACK),
        );
        self.emulator
            .control()
            .inject(fault.times(1).mentioning(index));
    }
}
