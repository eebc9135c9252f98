"""Runs the released Python client, unchanged, against an emulator."""

import json
import os
import sys
import time
import urllib.request

from pinecone import Pinecone
from pinecone.errors import ApiError

URL = os.environ["EMULATOR_URL"]
SPEC = {"serverless": {"cloud": "aws", "region": "us-east-1"}}
failures = 0


def check(name, truth, detail=""):
    global failures
    failures += not truth
    print(f"ok      python: {name}" if truth else f"FAILED  python: {name} {detail}", flush=True)


def until(name, look, want):
    deadline = time.monotonic() + 20
    while (seen := look()) != want and time.monotonic() < deadline:
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

index = pc.create_index(name="py-source", dimension=8, metric="cosine", spec=SPEC, tags={"team": "blue"})
check("an index is created and gets ready", index.status.ready and index.dimension == 8, f"{index!r}")
check("indexes are listed", "py-source" in pc.list_indexes().names())

backup = pc.create_backup(index_name="py-source", backup_name="py-nightly", description="a test")
until("a backup gets ready", lambda: pc.describe_backup(backup_id=backup.backup_id).status, "Ready")
backup = pc.describe_backup(backup_id=backup.backup_id)
check("a backup is described", (backup.name, backup.source_index_name, backup.tags) == ("py-nightly", "py-source", {"team": "blue"}), f"{backup!r}")
check("backups of an index are listed", [b.backup_id for b in pc.list_backups(index_name="py-source")] == [backup.backup_id])
check("backups of the project are listed", backup.backup_id in [b.backup_id for b in pc.list_backups()])

restore = pc.create_index_from_backup(
    backup_id=backup.backup_id, name="py-restored", tags={"a": "b"}, deletion_protection="enabled", timeout=-1
)
check("a restore is accepted", bool(restore.restore_job_id and restore.index_id), f"{restore!r}")
job = pc.restore_jobs.describe(job_id=restore.restore_job_id)
check("a restore job is described", (job.backup_id, job.target_index_name, job.target_index_id) == (backup.backup_id, "py-restored", restore.index_id), f"{job!r}")
until("a restore job completes", lambda: pc.restore_jobs.describe(job_id=restore.restore_job_id).status, "Completed")
job = pc.restore_jobs.describe(job_id=restore.restore_job_id)
check("a completed job is at 100 percent", job.percent_complete == 100 and job.completed_at is not None, f"{job!r}")
check("restore jobs are listed", restore.restore_job_id in [j.restore_job_id for j in pc.restore_jobs.list()])
check("restore jobs come in pages", len(list(pc.restore_jobs.list(limit=1))) == 1)

index = pc.describe_index("py-restored")
check("the restored index is as asked", (index.status.ready, index.tags, index.deletion_protection, index.dimension) == (True, {"a": "b"}, "enabled", 8), f"{index!r}")
refused("a taken name is 409", 409, lambda: pc.create_index_from_backup(backup_id=backup.backup_id, name="py-restored", timeout=-1))
refused("a missing backup is 404", 404, lambda: pc.create_index_from_backup(backup_id="none", name="py-other", timeout=-1))
refused("a missing job is 404", 404, lambda: pc.restore_jobs.describe(job_id="none"))
refused("a bad tag is 400", 400, lambda: pc.create_index_from_backup(backup_id=backup.backup_id, name="py-other", tags={"a": "/"}, timeout=-1))
refused("a wrong key is 401", 401, Pinecone(api_key="wrong", host=URL).list_indexes)
refused("a protected index is not deleted", 403, lambda: pc.delete_index("py-restored", timeout=-1))

pc.configure_index("py-restored", tags={"a": "", "c": "d"}, deletion_protection="disabled")
index = pc.describe_index("py-restored")
check("an index is configured", (index.tags, index.deletion_protection) == ({"c": "d"}, "disabled"), f"{index!r}")

waited = pc.create_index_from_backup(backup_id=backup.backup_id, name="py-waited")
check("the client's own wait ends, and tags are inherited", waited.status.ready and waited.tags == {"team": "blue"}, f"{waited!r}")

# Why the operator's client never repeats a create: this one does.
executed = {"status": {"status": 500, "after_effect": True}}
admin("/faults", {"route": "create_index_from_backup", "times": 1, "kind": executed})
repeat = lambda: pc.create_index_from_backup(backup_id=backup.backup_id, name="py-repeated", timeout=-1)
refused("a create that was executed and answered 500 is repeated, and told as a conflict", 409, repeat)
sent = [r["status"] for r in admin("/requests") if r["method"] == "POST" and "py-repeated" in str(r["body"])]
check("the create was sent twice", sent == [500, 409], f"{sent!r}")

for name in ("py-source", "py-restored", "py-waited", "py-repeated"):
    pc.delete_index(name)
    until(f"{name} is deleted", lambda: gone(name), True)
pc.delete_backup(backup_id=backup.backup_id)
refused("a deleted backup is 404", 404, lambda: pc.describe_backup(backup_id=backup.backup_id))
refused("the job of a deleted index is 404", 404, lambda: pc.restore_jobs.describe(job_id=restore.restore_job_id))
sys.exit(failures > 0)
