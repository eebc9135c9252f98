"""Validates an emulator's answers against Pinecone's OpenAPI document of an API version, whose path is the argument."""

import json
import os
import re
import sys
import time
import urllib.error
import urllib.request

import yaml
from openapi_schema_validator import OAS30Validator

# Known differences between the real service and the document, which the emulator's README explains.
OTHER_STATUS = {
    "2025-10": {("PATCH", "/indexes/{index_name}", 200): 202, ("POST", "/indexes/{index_name}/backups", 200): 201},
    "2026-07": {},
}
UNDOCUMENTED = {
    "2025-10": {("POST", "/backups/{backup_id}/create-index", 412)},
    "2026-07": {("DELETE", "/backups/{backup_id}", 412)},
}
NULL_FOR_NONE = ("tags", "pagination")

with open(sys.argv[1]) as file:
    document = yaml.safe_load(file)
VERSION = str(document["info"]["version"])
if VERSION not in OTHER_STATUS:
    sys.exit(f"{sys.argv[1]} is of API {VERSION}, which is not checked")
failures = 0


def check(name, errors):
    global failures
    failures += bool(errors)
    print(f"FAILED  openapi {VERSION}: {name}: {'; '.join(errors)}" if errors else f"ok      openapi {VERSION}: {name}", flush=True)


def without_nulls(value):
    if isinstance(value, list):
        return [without_nulls(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {key: without_nulls(item) for key, item in value.items() if item is not None or key not in NULL_FOR_NONE}


def resolve(node):
    while "$ref" in node:
        target = document
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = target
    return node


def template(path):
    """Returns the document's path that matches a request; a fixed segment takes precedence over a parameter."""
    fits = [t for t in document["paths"] if re.fullmatch(re.sub(r"\{[^/]+\}", "[^/]+", t), path)]
    return min(fits, key=lambda t: t.count("{"))


def judge(method, path, status, content_type, body):
    """Returns what does not match the document in an answer."""
    where = template(path)
    if status == 401:
        return [] if body == b"Invalid API key" else ["not the known 401"]
    operation = document["paths"][where][method.lower()]
    documented = str(OTHER_STATUS[VERSION].get((method, where, status), status))
    if documented not in operation["responses"]:
        undocumented = (method, where, status) in UNDOCUMENTED[VERSION]
        if not undocumented:
            return [f"{status} is not in the document"]
        schema = {"$ref": "#/components/schemas/ErrorResponse"}
    else:
        content = resolve(operation["responses"][documented]).get("content")
        if content is None:
            return ["a body where the document has none"] if body else []
        if content_type not in content:
            return [f"{content_type!r} is not in the document"]
        schema = content[content_type]["schema"]
    whole = {"allOf": [schema], "components": document["components"]}
    errors = OAS30Validator(whole).iter_errors(without_nulls(json.loads(body)))
    return [f"{error.json_path}: {error.message}" for error in errors]


def ask(method, path, body=None, want=None, key=os.environ["EMULATOR_KEY"], quiet=False):
    headers = {"Api-Key": key, "X-Pinecone-Api-Version": VERSION, "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(os.environ["EMULATOR_URL"] + path, data, headers, method=method)
    try:
        answer = urllib.request.urlopen(request)
    except urllib.error.HTTPError as error:
        answer = error
    text = answer.read()
    content_type = (answer.headers.get("Content-Type") or "").split(";")[0]
    errors = judge(method, path.split("?")[0], answer.status, content_type, text)
    if want is not None and answer.status != want:
        errors.append(f"{answer.status} instead of {want}")
    if errors or not quiet:
        check(f"{method} {path.split('?')[0]} {answer.status}", errors)
    return json.loads(text) if text and content_type == "application/json" else None


def until(path, done):
    deadline = time.monotonic() + 20
    while not done(seen := ask("GET", path, want=200, quiet=True)):
        if time.monotonic() > deadline:
            check(path, [f"still {seen}"])
            return
        time.sleep(0.1)


def new_index(name, dense=True):
    """Returns the body of a request to create an index."""
    if VERSION == "2025-10":
        vectors = {"dimension": 8, "metric": "cosine"} if dense else {"vector_type": "sparse", "metric": "dotproduct"}
        return {"name": name, "spec": {"serverless": {"cloud": "aws", "region": "us-east-1"}}, **vectors}
    text = {"type": "string", "full_text_search": {"language": "en"}}
    vector = {"type": "dense_vector", "dimension": 8, "metric": "cosine"} if dense else {"type": "sparse_vector"}
    deployment = {"deployment_type": "managed", "cloud": "aws", "region": "us-east-1"}
    return {"name": name, "schema": {"fields": {"embedding": vector, "body": text}}, "deployment": deployment}


ask("POST", "/indexes", new_index("oas-source"), 201)
ask("POST", "/indexes", new_index("oas-sparse", dense=False), 201)
ask("POST", "/indexes", new_index("oas-source"), 409)
ask("POST", "/indexes", new_index("NO"), 400)
if VERSION != "2025-10":
    classic = {"_values": {"type": "dense_vector", "dimension": 8, "metric": "cosine"}}
    ask("POST", "/indexes", {"name": "oas-classic", "schema": {"fields": classic}}, 201)
    ask("GET", "/indexes/oas-classic", want=200)
    ask("DELETE", "/indexes/oas-classic", want=202)
ask("POST", "/indexes", {"name": "no"}, 422)
ask("GET", "/indexes", want=200)
ask("GET", "/indexes", want=401, key="wrong")
ask("GET", "/indexes/oas-source", want=200)
ask("GET", "/indexes/none", want=404)
backup = ask("POST", "/indexes/oas-source/backups", {"name": "oas-nightly", "description": "a test"}, 200)["backup_id"]
create = f"/backups/{backup}/create-index"
ask("POST", create, {"name": "oas-restored"}, 412)
until(f"/backups/{backup}", lambda seen: seen["status"] == "Ready")
ask("GET", "/indexes/oas-source/backups", want=200)
ask("GET", "/backups?limit=1", want=200)
ask("GET", f"/backups/{backup}", want=200)
ask("GET", "/backups/none", want=404)
job = ask("POST", create, {"name": "oas-restored", "tags": {"a": "b"}, "deletion_protection": "enabled"}, 202)["restore_job_id"]
ask("GET", f"/restore-jobs/{job}", want=200)
ask("DELETE", f"/backups/{backup}", want=412)
ask("POST", create, {"name": "oas-restored"}, 409)
ask("POST", create, {"name": "-"}, 400)
ask("POST", create, {}, 422)
ask("POST", "/backups/none/create-index", {"name": "oas-other"}, 404)
until(f"/restore-jobs/{job}", lambda seen: seen["status"] == "Completed")
ask("GET", f"/restore-jobs/{job}", want=200)
ask("GET", "/restore-jobs", want=200)
ask("GET", "/restore-jobs?limit=1", want=200)
ask("GET", "/restore-jobs/none", want=404)
ask("GET", "/indexes/oas-restored", want=200)
ask("DELETE", "/indexes/oas-restored", want=403)
ask("PATCH", "/indexes/oas-restored", {"tags": {"a": ""}, "deletion_protection": "disabled"}, 200)
ask("PATCH", "/indexes/none", {"tags": {"a": "b"}}, 404)
for name in ("oas-source", "oas-sparse", "oas-restored"):
    ask("DELETE", f"/indexes/{name}", want=202)
until("/indexes", lambda seen: not seen["indexes"])
ask("GET", f"/backups/{backup}", want=200)
if VERSION != "2025-10":
    ask("GET", "/indexes/oas-source/backups?include_deleted=true", want=200)
    ask("GET", "/restore-jobs?paginationToken=x", want=400)
ask("DELETE", f"/backups/{backup}", want=202)
sys.exit(failures > 0)
