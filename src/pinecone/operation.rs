/// What is asked of Pinecone.
#[derive(Clone, Copy, Debug)]
pub(super) enum Operation {
    CreateIndexFromBackup,
    DescribeBackup,
    DescribeIndex,
    ListIndexes,
    DescribeRestoreJob,
    ListRestoreJobs,
}

impl Operation {
    /// Every operation.
    pub(super) const ALL: [Self; 6] = [
        Self::CreateIndexFromBackup,
        Self::DescribeBackup,
        Self::DescribeIndex,
        Self::ListIndexes,
        Self::DescribeRestoreJob,
        Self::ListRestoreJobs,
    ];

    /// The HTTP status of its success.
    pub(super) fn success(self) -> u16 {
        match self {
            Self::CreateIndexFromBackup => 202,
            _ => 200,
        }
    }

    /// Its name in Pinecone's API reference, and in the metrics.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::CreateIndexFromBackup => "create_index_from_backup",
            Self::DescribeBackup => "describe_backup",
            Self::DescribeIndex => "describe_index",
            Self::ListIndexes => "list_indexes",
            Self::DescribeRestoreJob => "describe_restore_job",
            Self::ListRestoreJobs => "list_restore_jobs",
        }
    }

    /// Longest answer that is read, in bytes.
    pub(super) fn longest_body(self) -> usize {
        match self {
            // It has no pages: some 10,000 rows.
            Self::ListIndexes => 8 * 1024 * 1024,
            // A page of a hundred restore jobs has some 50 KB.
            _ => 1024 * 1024,
        }
    }
}
