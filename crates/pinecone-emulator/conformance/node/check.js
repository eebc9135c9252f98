// Runs a released TypeScript client, unchanged, against an emulator.

const { isDeepStrictEqual } = require('node:util');
const { Pinecone } = require('@pinecone-database/pinecone');
const { version } = require('@pinecone-database/pinecone/package.json');

const major = Number(version.split('.')[0]);
const apiVersion = { 7: '2025-10', 8: '2026-04' }[major] ?? '2026-07';
const prefix = `ts${major}`;

const controllerHostUrl = process.env.EMULATOR_URL;
const pc = new Pinecone({ apiKey: process.env.EMULATOR_KEY, controllerHostUrl, sourceTag: 'conformance' });
const pause = () => new Promise((resolve) => setTimeout(resolve, 100));
let failures = 0;

function check(name, seen, want) {
  const good = isDeepStrictEqual(seen, want);
  if (!good) failures += 1;
  const detail = good ? '' : ` ${JSON.stringify(seen)} instead of ${JSON.stringify(want)}`;
  console.log(`${good ? 'ok     ' : 'FAILED '} node ${version}: ${name}${detail}`);
}

async function until(name, read, want) {
  const deadline = Date.now() + 20_000;
  let seen = await read();
  while (seen !== want && Date.now() < deadline) {
    await pause();
    seen = await read();
  }
  check(name, seen, want);
}

async function refused(name, error, call) {
  try {
    await call();
    check(name, 'accepted', error);
  } catch (thrown) {
    check(name, thrown.name, error);
  }
}

async function admin(path, body) {
  const options = body && { method: 'POST', body: JSON.stringify(body) };
  return (await fetch(`${controllerHostUrl}/_emulator${path}`, options)).json();
}

async function main() {
  const created = await pc.createIndex({
    name: `${prefix}-source`,
    dimension: 8,
    metric: 'cosine',
    spec: { serverless: { cloud: 'aws', region: 'us-east-1' } },
    tags: { team: 'blue' },
    waitUntilReady: true,
  });
  check('an index is created', [created.name, created.dimension], [`${prefix}-source`, 8]);
  const { indexes } = await pc.listIndexes();
  check('indexes are listed', indexes.some((index) => index.name === `${prefix}-source`), true);

  const { backupId } = await pc.createBackup({ indexName: `${prefix}-source`, name: `${prefix}-nightly`, description: 'a test' });
  await until('a backup gets ready', async () => (await pc.describeBackup(backupId)).status, 'Ready');
  const backup = await pc.describeBackup(backupId);
  check('a backup is described', [backup.name, backup.sourceIndexName, backup.tags], [`${prefix}-nightly`, `${prefix}-source`, { team: 'blue' }]);
  const ofIndex = await pc.listBackups({ indexName: `${prefix}-source` });
  check('backups of an index are listed', ofIndex.data.map((row) => row.backupId), [backupId]);
  const ofProject = await pc.listBackups();
  check('backups of the project are listed', ofProject.data.some((row) => row.backupId === backupId), true);

  const { restoreJobId, indexId } = await pc.createIndexFromBackup({
    backupId,
    name: `${prefix}-restored`,
    tags: { a: 'b' },
    deletionProtection: 'enabled',
  });
  check('a restore is accepted', Boolean(restoreJobId && indexId), true);
  let job = await pc.describeRestoreJob(restoreJobId);
  check('a restore job is described', [job.backupId, job.targetIndexName, job.targetIndexId], [backupId, `${prefix}-restored`, indexId]);
  await until('a restore job completes', async () => (await pc.describeRestoreJob(restoreJobId)).status, 'Completed');
  job = await pc.describeRestoreJob(restoreJobId);
  check('a completed job is at 100 percent', [job.percentComplete, job.completedAt instanceof Date], [100, true]);
  const jobs = await pc.listRestoreJobs({ limit: 1 });
  check('restore jobs come in pages', [jobs.data.length, typeof jobs.pagination.next], [1, 'string']);
  const rest = await pc.listRestoreJobs({ paginationToken: jobs.pagination.next });
  const ids = [...jobs.data, ...rest.data].map((row) => row.restoreJobId);
  check('restore jobs are listed', ids.includes(restoreJobId), true);

  const restored = await pc.describeIndex(`${prefix}-restored`);
  check(
    'the restored index is as asked',
    [restored.status.ready, restored.tags, restored.deletionProtection, restored.dimension],
    [true, { a: 'b' }, 'enabled', 8]
  );
  await refused('a taken name is 409', 'PineconeConflictError', () => pc.createIndexFromBackup({ backupId, name: `${prefix}-restored` }));
  await refused('a missing backup is 404', 'PineconeNotFoundError', () => pc.describeBackup('none'));
  await refused('a missing job is 404', 'PineconeNotFoundError', () => pc.describeRestoreJob('none'));
  const stranger = new Pinecone({ apiKey: 'wrong', controllerHostUrl });
  await refused('a wrong key is 401', 'PineconeAuthorizationError', () => stranger.listIndexes());

  await pc.configureIndex({ name: `${prefix}-restored`, tags: { a: '', c: 'd' }, deletionProtection: 'disabled' });
  const configured = await pc.describeIndex(`${prefix}-restored`);
  check('an index is configured', [configured.tags, configured.deletionProtection], [{ c: 'd' }, 'disabled']);

  // This client retries a create, which the operator must not do.
  const executed = { status: { status: 500, after_effect: true } };
  await admin('/faults', { route: 'create_index_from_backup', times: 1, kind: executed });
  await refused('a create that was executed and answered 500 is retried, and reported as a conflict', 'PineconeConflictError', () =>
    pc.createIndexFromBackup({ backupId, name: `${prefix}-repeated` })
  );
  const asked = (await admin('/requests')).filter((r) => r.method === 'POST' && JSON.stringify(r.body).includes(`${prefix}-repeated`));
  check('the create was sent twice', asked.map((r) => r.status), [500, 409]);

  const mine = (await admin('/requests')).filter((r) => `${r.path} ${JSON.stringify(r.body)}`.includes(prefix));
  check(`its requests are of API ${apiVersion}`, [...new Set(mine.map((r) => r.api_version))], [apiVersion]);
  if (major >= 9) await schemas(backupId);

  for (const name of [`${prefix}-source`, `${prefix}-restored`, `${prefix}-repeated`]) {
    await pc.deleteIndex(name);
    const exists = async () => (await pc.listIndexes()).indexes.some((index) => index.name === name);
    await until(`${name} is deleted`, exists, false);
  }
  await pc.deleteBackup(backupId);
  await refused('a deleted backup is 404', 'PineconeNotFoundError', () => pc.describeBackup(backupId));
}

// Checks what only API 2026-07 has.
async function schemas(backupId) {
  const name = `${prefix}-schema`;
  const fields = { embedding: { type: 'dense_vector', dimension: 4, metric: 'dotproduct' } };
  const deployment = { deploymentType: 'managed', cloud: 'gcp', region: 'us-central1' };
  const index = await pc.indexes.create({ name, schema: { fields }, deployment, waitUntilReady: true });
  const { dimension, metric } = index.schema.fields.embedding;
  check('an index is created by its schema', [dimension, metric, index.deployment.region], [4, 'dotproduct', 'us-central1']);
  check('an index that was not restored has no source backup', index.sourceBackupId, undefined);
  const restored = await pc.indexes.describe(`${prefix}-restored`);
  check('the restored index has its source backup', restored.sourceBackupId, backupId);
  const backup = await pc.backups.describe(backupId);
  check('a backup has the schema of its index', backup.schema.fields._values.dimension, 8);
  const own = await pc.backups.create(name, { name: `${prefix}-own` });
  await pc.indexes.configure(name, { tags: { team: 'search/eu' } });
  check('a tag value may be any printable text', (await pc.indexes.describe(name)).tags, { team: 'search/eu' });
  await pc.indexes.delete(name);
  const exists = async () => (await pc.indexes.list()).indexes.some((other) => other.name === name);
  await until(`${name} is deleted`, exists, false);
  await refused('the backups of a deleted index are 404', 'PineconeNotFoundError', () => pc.backups.listByIndex(name));
  const { data } = await pc.backups.listByIndex(name, { includeDeleted: true });
  check('they are listed on request', data.map((row) => [row.backupId, row.sourceIndexDeletedAt instanceof Date]), [[own.backupId, true]]);
  await pc.backups.delete(own.backupId);
}

main()
  .catch((error) => check('the run ends', error.stack, ''))
  .finally(() => process.exit(failures > 0 ? 1 : 0));
