"""Runs a released Python client, unchanged, against an emulator."""

import json
import os
import sys
import time
import urllib.request

from pinecone import Pinecone, __version__
from pinecone.errors import ApiError

URL = os.environ["EMULATOR_URL"]
MAJOR = int(__version__.split(".")[0])
API_VERSION = "2026-07" if MAJOR >= 10 else "2025-10"
PREFIX = f"py{MAJOR}"
SPEC = {"serverless": {"cloud": "aws", "region": "us-east-1"}}
failures = 0


def check(name, truth, detail=""):
    global failures
    failures += not truth
    print(f"ok      python {__version__}: {name}" if truth else f"FAILED  python {__version__}: {name} {detail}", flush=True)


def until(name, read, want):
    deadline = time.monotonic() + 20
    while (seen := read()) != want and time.monotonic() < deadline:
        time.sleep(0.1)
    check(name, seen == want, f"{seen!r} instead of {want!r}")


def refused(name, status, call):
    try:
        call()
    except ApiError as error:
        check(name, error.status_code == status, f"{error!r}")
    else:
        check(name, False, "was accepted")


def admin(path, body=None):
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(f"{URL}/_emulator{path}", data)) as answer:
        return json.load(answer)


def gone(name):
    return not pc.has_index(name)


pc = Pinecone(api_key=os.environ["EMULATOR_KEY"], host=URL, source_tag="conformance")

index = pc.create_index(name=f"{PREFIX}-source", dimension=8, metric="cosine", spec=SPEC, tags={"team": "blue"})
check("an index is created and gets ready", index.status.ready and index.dimension == 8, f"{index!r}")
check("indexes are listed", f"{PREFIX}-source" in pc.list_indexes().names())

backup = pc.create_backup(index_name=f"{PREFIX}-source", backup_name=f"{PREFIX}-nightly", description="a test")
until("a backup gets ready", lambda: pc.describe_backup(backup_id=backup.backup_id).status, "Ready")
backup = pc.describe_backup(backup_id=backup.backup_id)
check("a backup is described", (backup.name, backup.source_index_name, backup.tags) == (f"{PREFIX}-nightly", f"{PREFIX}-source", {"team": "blue"}), f"{backup!r}")
check("backups of an index are listed", [b.backup_id for b in pc.list_backups(index_name=f"{PREFIX}-source")] == [backup.backup_id])
check("backups of the project are listed", backup.backup_id in [b.backup_id for b in pc.list_backups()])

restore = pc.create_index_from_backup(
    backup_id=backup.backup_id, name=f"{PREFIX}-restored", tags={"a": "b"}, deletion_protection="enabled", timeout=-1
)
check("a restore is accepted", bool(restore.restore_job_id and restore.index_id), f"{restore!r}")
job = pc.restore_jobs.describe(job_id=restore.restore_job_id)
check("a restore job is described", (job.backup_id, job.target_index_name, job.target_index_id) == (backup.backup_id, f"{PREFIX}-restored", restore.index_id), f"{job!r}")
until("a restore job completes", lambda: pc.restore_jobs.describe(job_id=restore.restore_job_id).status, "Completed")
job = pc.restore_jobs.describe(job_id=restore.restore_job_id)
check("a completed job is at 100 percent", job.percent_complete == 100 and job.completed_at is not None, f"{job!r}")
check("restore jobs are listed", restore.restore_job_id in [j.restore_job_id for j in pc.restore_jobs.list()])
check("restore jobs come in pages", len(list(pc.restore_jobs.list(limit=1))) == 1)

index = pc.describe_index(f"{PREFIX}-restored")
check("the restored index is as asked", (index.status.ready, index.tags, index.deletion_protection, index.dimension) == (True, {"a": "b"}, "enabled", 8), f"{index!r}")
refused("a taken name is 409", 409, lambda: pc.create_index_from_backup(backup_id=backup.backup_id, name=f"{PREFIX}-restored", timeout=-1))
refused("a missing backup is 404", 404, lambda: pc.create_index_from_backup(backup_id="none", name=f"{PREFIX}-other", timeout=-1))
refused("a missing job is 404", 404, lambda: pc.restore_jobs.describe(job_id="none"))
bad = {"a": "/" if MAJOR < 10 else "\u00e9"}
refused("a bad tag is 400", 400, lambda: pc.create_index_from_backup(backup_id=backup.backup_id, name=f"{PREFIX}-other", tags=bad, timeout=-1))
refused("a wrong key is 401", 401, Pinecone(api_key="wrong", host=URL).list_indexes)
refused("a protected index is not deleted", 403, lambda: pc.delete_index(f"{PREFIX}-restored", timeout=-1))

pc.configure_index(f"{PREFIX}-restored", tags={"a": "", "c": "d"}, deletion_protection="disabled")
index = pc.describe_index(f"{PREFIX}-restored")
check("an index is configured", (index.tags, index.deletion_protection) == ({"c": "d"}, "disabled"), f"{index!r}")

waited = pc.create_index_from_backup(backup_id=backup.backup_id, name=f"{PREFIX}-waited")
check("the client's own wait ends, and tags are inherited", waited.status.ready and waited.tags == {"team": "blue"}, f"{waited!r}")

# This client retries a create, which the operator must not do.
executed = {"status": {"status": 500, "after_effect": True}}
admin("/faults", {"route": "create_index_from_backup", "times": 1, "kind": executed})
repeat = lambda: pc.create_index_from_backup(backup_id=backup.backup_id, name=f"{PREFIX}-repeated", timeout=-1)
refused("a create that was executed and answered 500 is retried, and reported as a conflict", 409, repeat)
sent = [r["status"] for r in admin("/requests") if r["method"] == "POST" and f"{PREFIX}-repeated" in str(r["body"])]
check("the create was sent twice", sent == [500, 409], f"{sent!r}")

versions = {r["api_version"] for r in admin("/requests") if PREFIX in r["path"] + str(r["body"])}
check(f"its requests are of API {API_VERSION}", versions == {API_VERSION}, f"{versions!r}")


def schemas():
    """Checks what only API 2026-07 has."""
    name = f"{PREFIX}-schema"
    fields = {"embedding": {"type": "dense_vector", "dimension": 4, "metric": "dotproduct"}}
    deployment = {"deployment_type": "managed", "cloud": "gcp", "region": "us-central1"}
    index = pc.indexes.create(name=name, schema={"fields": fields}, deployment=deployment)
    field = index.schema.fields["embedding"]
    check("an index is created by its schema", (field.dimension, field.metric, index.deployment.region) == (4, "dotproduct", "us-central1"), f"{index!r}")
    check("an index that was not restored has no source backup", index.source_backup_id is None)
    check("the restored index has its source backup", pc.describe_index(f"{PREFIX}-restored").source_backup_id == backup.backup_id)
    check("a backup has the schema of its index", backup.dense_dimension == 8, f"{backup!r}")
    own = pc.backups.create(index_name=name, name=f"{PREFIX}-own")
    tagged = pc.configure_index(name, tags={"team": "search/eu"}) or pc.describe_index(name)
    check("a tag value may be any printable text", tagged.tags == {"team": "search/eu"}, f"{tagged!r}")
    pc.delete_index(name)
    until(f"{name} is deleted", lambda: gone(name), True)
    refused("the backups of a deleted index are 404", 404, lambda: pc.backups.list(index_name=name))
    deleted = [b for b in pc.backups.list(index_name=name, include_deleted=True)]
    check("they are listed on request", [b.backup_id for b in deleted] == [own.backup_id] and deleted[0].source_index_deleted_at is not None, f"{deleted!r}")
    pc.delete_backup(backup_id=own.backup_id)


if MAJOR >= 10:
    schemas()

for name in (f"{PREFIX}-source", f"{PREFIX}-restored", f"{PREFIX}-waited", f"{PREFIX}-repeated"):
    pc.delete_index(name)
    until(f"{name} is deleted", lambda: gone(name), True)
pc.delete_backup(backup_id=backup.backup_id)
refused("a deleted backup is 404", 404, lambda: pc.describe_backup(backup_id=backup.backup_id))
refused("the job of a deleted index is 404", 404, lambda: pc.restore_jobs.describe(job_id=restore.restore_job_id))
sys.exit(failures > 0)
