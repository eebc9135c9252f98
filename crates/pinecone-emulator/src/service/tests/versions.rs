use super::*;

const CLASSIC: &str = r#"{"name":"a","dimension":3,"metric":"euclidean",
    "spec":{"serverless":{"cloud":"aws","region":"us-east-1"}}}"#;

fn fixture(version: &'static str) -> Fixture {
    let mut fixture = Fixture::new();
    fixture.version = Some(version);
    fixture
}

/// Returns a body of API 2026-07 with these fields.
fn schema(name: &str, fields: Value) -> String {
    json!({"name": name, "schema": {"fields": fields}}).to_string()
}

fn dense() -> Value {
    json!({"type": "dense_vector", "dimension": 3, "metric": "cosine"})
}

#[test]
fn a_request_without_a_version_gets_the_oldest() {
    let mut fixture = Fixture::new();
    fixture.version = None;
    fixture.json("POST", "/indexes", CLASSIC);
    let index = fixture.get("/indexes/a");
    assert_eq!(index["spec"]["serverless"]["cloud"], "aws");
    fixture.version = Some("2026-04");
    assert_eq!(fixture.get("/indexes/a"), index);
}

#[test]
fn rejects_an_unknown_version_after_the_api_key() {
    let mut fixture = fixture("2024-07");
    let (status, body) = fixture.json("GET", "/indexes", "");
    let message = body["error"]["message"].as_str().unwrap();
    assert_eq!(
        (status, &body["error"]["code"]),
        (400, &json!("INVALID_ARGUMENT"))
    );
    assert!(message.contains("API version 2024-07"), "{message}");
    fixture.key = "wrong";
    assert_eq!(fixture.ask("GET", "/indexes", "").status, 401);
}

#[test]
fn an_index_of_an_older_version_shows_reserved_fields() {
    let mut fixture = Fixture::new();
    fixture.json("POST", "/indexes", CLASSIC);
    let sparse = CLASSIC.replace(
        r#""dimension":3,"metric":"euclidean""#,
        r#""vector_type":"sparse""#,
    );
    fixture.json("POST", "/indexes", &sparse.replace(r#""a""#, r#""s""#));
    fixture.version = Some("2026-07");
    fixture.advance(1);
    let index = fixture.get("/indexes/a");
    let values =
        json!({"type": "dense_vector", "description": null, "dimension": 3, "metric": "euclidean"});
    let sparse_values = json!({"type": "sparse_vector", "description": null});
    let expected = json!({
        "name": "a", "host": index["host"], "status": {"ready": true, "state": "Ready"}, "tags": null,
        "deletion_protection": "disabled",
        "deployment": {"deployment_type": "managed", "cloud": "aws", "region": "us-east-1", "environment": "aped-4627-b74a"},
        "read_capacity": {"mode": "OnDemand", "status": {"state": "Ready"}},
        "schema": {"fields": {"_values": values, "_sparse_values": sparse_values}},
    });
    assert_eq!(index, expected);
    let fields = fixture.get("/indexes/s")["schema"]["fields"].clone();
    assert_eq!(fields, json!({"_sparse_values": sparse_values}));
}

#[test]
fn backup_and_restored_index_inherit_the_schema() {
    let mut fixture = fixture("2026-07");
    let fields = json!({"embedding": dense(), "body": {"type": "string", "full_text_search": {"stemming": true}}});
    let (status, index) = fixture.json("POST", "/indexes", &schema("src", fields));
    assert_eq!((status, index.get("source_backup_id")), (201, None));
    let text = json!({"language": "en", "stemming": true, "stop_words": false});
    assert_eq!(index["schema"]["fields"]["body"]["full_text_search"], text);

    let (status, backup) = fixture.json("POST", "/indexes/src/backups", "{}");
    let absent = ["dimension", "metric", "source_index_deleted_at"];
    assert!(
        status == 200 && absent.iter().all(|key| backup.get(key).is_none()),
        "{backup}"
    );
    assert_eq!(backup["schema"], index["schema"]);
    fixture.advance(1);
    let id = backup["backup_id"].as_str().unwrap();
    fixture.json(
        "POST",
        &format!("/backups/{id}/create-index"),
        r#"{"name":"copy"}"#,
    );
    let copy = fixture.get("/indexes/copy");
    assert_eq!(
        (&copy["schema"], &copy["source_backup_id"]),
        (&index["schema"], &json!(id))
    );

    fixture.version = Some("2025-10");
    let copy = fixture.get("/indexes/copy");
    assert_eq!(
        (&copy["dimension"], &copy["metric"]),
        (&json!(3), &json!("cosine"))
    );
    assert_eq!(copy.get("source_backup_id"), None);
}

#[test]
fn creates_an_index_without_name_and_deployment() {
    let mut fixture = fixture("2026-07");
    let body = json!({"schema": {"fields": {"_values": dense()}}}).to_string();
    let (status, index) = fixture.json("POST", "/indexes", &body);
    assert_eq!(
        (status, &index["deployment"]["region"]),
        (201, &json!("us-east-1"))
    );
    assert!(index["name"].as_str().unwrap().starts_with("index-"));
    assert!(index["schema"]["fields"].get("_sparse_values").is_some());
}

#[test]
fn rejects_a_schema_that_pinecone_rejects() {
    let mut fixture = fixture("2026-07");
    let sparse = json!({"type": "sparse_vector"});
    let cases = [
        (400, json!({})),
        (400, json!({"a": dense(), "b": dense()})),
        (
            400,
            json!({"a": {"type": "dense_vector", "dimension": 0, "metric": "cosine"}}),
        ),
        (
            400,
            json!({"a": {"type": "dense_vector", "dimension": 3, "metric": "taxicab"}}),
        ),
        (400, json!({"$a": dense()})),
        (400, json!({"_a": dense()})),
        (400, json!({"_values": sparse})),
        (400, json!({"_values": dense(), "b": sparse})),
        (422, json!({"a": {"type": "dense_vector", "dimension": 3}})),
        (422, json!({"a": {"type": "string"}})),
        (422, json!({"a": {"type": "float"}})),
    ];
    for (status, fields) in cases {
        let body = schema("a", fields);
        assert_eq!(fixture.error("POST", "/indexes", &body).0, status, "{body}");
    }
    assert_eq!(fixture.error("POST", "/indexes", CLASSIC).0, 422);
    let dedicated = r#"{"read_capacity":{"mode":"Dedicated","dedicated":{}}}"#;
    fixture.json("POST", "/indexes", &schema("a", json!({"v": dense()})));
    assert_eq!(fixture.error("PATCH", "/indexes/a", dedicated).0, 403);
    assert_eq!(
        fixture.error("PATCH", "/indexes/a", r#"{"spec":{}}"#).0,
        422
    );
    assert_eq!(
        fixture
            .error("PATCH", "/indexes/a", r#"{"deployment":{}}"#)
            .0,
        400
    );
}

#[test]
fn a_pending_job_has_a_null_completion_time_and_percents_are_integers() {
    let mut fixture = fixture("2026-07");
    let (job, _) = fixture.restore("a");
    let path = format!("/restore-jobs/{job}");
    let pending = fixture.get(&path);
    assert_eq!(
        (pending.get("completed_at"), pending.get("percent_complete")),
        (Some(&Value::Null), None)
    );
    fixture.advance(10);
    let done = fixture.get(&path);
    assert_eq!(done["completed_at"], "2026-01-02T03:04:15.006007000Z");
    assert_eq!(done["percent_complete"].to_string(), "100");
    fixture.version = Some("2025-10");
    assert_eq!(fixture.get(&path)["percent_complete"].to_string(), "100.0");
}

#[test]
fn checks_tag_values_by_the_rule_of_the_version() {
    let mut fixture = fixture("2026-07");
    let body = r#"{"name":"a","tags":{"team":"search/eu"},"read_capacity":{"mode":"OnDemand"}}"#;
    assert_eq!(
        fixture.json("POST", "/backups/b1/create-index", body).0,
        202
    );
    assert_eq!(
        fixture.get("/indexes/a")["tags"],
        json!({"team": "search/eu"})
    );
    let tags = r#"{"tags":{"a":"<b>"}}"#;
    assert_eq!(fixture.json("PATCH", "/indexes/a", tags).0, 200);
    let many: serde_json::Map<String, Value> =
        (0..21).map(|i| (format!("k{i}"), json!("v"))).collect();
    let many = json!({"name": "b", "tags": many}).to_string();
    assert_eq!(
        fixture.error("POST", "/backups/b1/create-index", &many).0,
        400
    );
    fixture.version = Some("2025-10");
    assert_eq!(fixture.error("PATCH", "/indexes/a", tags).0, 400);
}

#[test]
fn backups_of_deleted_indexes_are_listed_on_request_only() {
    let mut fixture = fixture("2026-07");
    fixture.json("POST", "/indexes", &schema("src", json!({"v": dense()})));
    let (_, backup) = fixture.json("POST", "/indexes/src/backups", "{}");
    let id = backup["backup_id"].clone();
    let ids = |fixture: &mut Fixture, path: &str| {
        let page = fixture.get(path);
        let rows = page["data"].as_array().unwrap().iter();
        rows.map(|row| row["backup_id"].clone()).collect::<Value>()
    };
    assert_eq!(ids(&mut fixture, "/indexes/src/backups"), json!([id]));
    fixture.json("DELETE", "/indexes/src", "");
    fixture.advance(2);
    assert_eq!(fixture.error("GET", "/indexes/src/backups", "").0, 404);
    let all = "/indexes/src/backups?include_deleted=true";
    assert_eq!(ids(&mut fixture, all), json!([id]));
    assert_eq!(
        fixture
            .error("GET", "/indexes/src/backups?include_deleted=x", "")
            .0,
        400
    );
    assert_eq!(fixture.error("GET", &all.replace("src", "none"), "").0, 404);
    let path = format!("/backups/{}", id.as_str().unwrap());
    assert_eq!(
        fixture.get(&path)["source_index_deleted_at"],
        "2026-01-02T03:04:05.206007000Z"
    );

    fixture.json("POST", "/indexes", &schema("src", json!({"v": dense()})));
    assert_eq!(ids(&mut fixture, "/indexes/src/backups"), json!([]));
    assert_eq!(ids(&mut fixture, all), json!([id]));
    fixture.version = Some("2025-10");
    assert_eq!(ids(&mut fixture, all), json!([]));
}
