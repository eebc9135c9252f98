use super::*;

#[test]
fn rejects_a_wrong_api_key_in_plain_text() {
    let mut fixture = Fixture::new();
    fixture.key = "wrong";
    for path in ["/indexes", "/nowhere"] {
        let reply = fixture.ask("GET", path, "");
        assert_eq!(reply.status, 401);
        assert_eq!(reply.content, Content::Text("Invalid API key".to_owned()));
    }
}

#[test]
fn an_api_key_sees_only_its_own_project() {
    let mut fixture = Fixture::new();
    let (job, _) = fixture.restore("a");
    fixture.key = "other-key";
    assert_eq!(fixture.get("/indexes"), json!({"indexes": []}));
    for path in ["/backups/b1", "/indexes/a", &format!("/restore-jobs/{job}")] {
        assert_eq!(fixture.error("GET", path, "").0, 404, "{path}");
    }
    assert_eq!(
        fixture.get("/restore-jobs"),
        json!({"data": [], "pagination": null})
    );
}

#[test]
fn a_deleted_index_keeps_its_name_while_it_terminates() {
    let mut fixture = Fixture::new();
    let (job, _) = fixture.restore("a");
    assert_eq!(fixture.json("DELETE", "/indexes/a", ""), (202, Value::Null));
    assert_eq!(fixture.get("/indexes/a")["status"]["state"], "Terminating");
    assert_eq!(
        fixture
            .error("POST", "/backups/b1/create-index", r#"{"name":"a"}"#)
            .0,
        409
    );
    fixture.advance(1);
    assert_eq!(
        fixture.error("GET", "/indexes/a", ""),
        (404, "NOT_FOUND".to_owned())
    );
    assert_eq!(
        fixture.error("GET", &format!("/restore-jobs/{job}"), "").0,
        404
    );
    assert_eq!(fixture.get("/restore-jobs")["data"], json!([]));
    fixture.restore("a");
}

#[test]
fn does_not_delete_a_protected_index() {
    let mut fixture = Fixture::new();
    fixture.restore("a");
    let on = fixture.json(
        "PATCH",
        "/indexes/a",
        r#"{"deletion_protection":"enabled","spec":null}"#,
    );
    assert_eq!(
        (on.0, &on.1["deletion_protection"]),
        (200, &json!("enabled"))
    );
    assert_eq!(
        fixture.error("DELETE", "/indexes/a", ""),
        (403, "FORBIDDEN".to_owned())
    );
    fixture.json(
        "PATCH",
        "/indexes/a",
        r#"{"deletion_protection":"disabled"}"#,
    );
    assert_eq!(fixture.json("DELETE", "/indexes/a", "").0, 202);
}

#[test]
fn configure_merges_tags_and_removes_those_with_an_empty_value() {
    let mut fixture = Fixture::new();
    fixture.restore("a");
    let patch = |fixture: &mut Fixture, body: &str| {
        fixture.json("PATCH", "/indexes/a", body).1["tags"].clone()
    };
    assert_eq!(
        patch(&mut fixture, r#"{"tags":{"x":"1"}}"#),
        json!({"team": "blue", "x": "1"})
    );
    assert_eq!(
        patch(&mut fixture, r#"{"tags":{}}"#),
        json!({"team": "blue", "x": "1"})
    );
    assert_eq!(
        patch(&mut fixture, r#"{"tags":{"team":"","x":""}}"#),
        Value::Null
    );
}

#[test]
fn a_client_creates_and_restores_its_own_backup() {
    let mut fixture = Fixture::new();
    let body = r#"{"name":"src","dimension":3,"metric":"cosine","spec":{"serverless":{"cloud":"aws","region":"us-east-1"}}}"#;
    let (status, index) = fixture.json("POST", "/indexes", body);
    assert_eq!(
        (status, &index["dimension"], &index["tags"]),
        (201, &json!(3), &Value::Null)
    );
    let (status, backup) = fixture.json("POST", "/indexes/src/backups", r#"{"name":"first"}"#);
    assert_eq!((status, &backup["status"]), (200, &json!("Initializing")));
    let path = format!("/backups/{}", backup["backup_id"].as_str().unwrap());
    assert_eq!(
        fixture
            .error("POST", &format!("{path}/create-index"), r#"{"name":"a"}"#)
            .0,
        412
    );
    fixture.advance(1);
    assert_eq!(fixture.get(&path)["status"], "Ready");
    assert_eq!(
        fixture.get("/indexes/src/backups")["data"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    assert_eq!(
        fixture
            .json("POST", &format!("{path}/create-index"), r#"{"name":"a"}"#)
            .0,
        202
    );
    assert_eq!(fixture.get("/indexes/a")["dimension"], 3);
}

#[test]
fn rejects_an_index_that_pinecone_rejects() {
    let mut fixture = Fixture::new();
    let spec = r#""spec":{"serverless":{"cloud":"aws","region":"us-east-1"}}"#;
    let cases = [
        (422, r#"{"name":"a"}"#.to_owned()),
        (400, format!(r#"{{"name":"a",{spec}}}"#)),
        (400, format!(r#"{{"name":"a","dimension":20001,{spec}}}"#)),
        (
            400,
            format!(r#"{{"name":"a","dimension":3,"vector_type":"sparse",{spec}}}"#),
        ),
        (
            400,
            format!(r#"{{"name":"a","dimension":3,"metric":"taxicab",{spec}}}"#),
        ),
        (
            400,
            r#"{"name":"a","dimension":3,"spec":{"pod":{"environment":"e","pod_type":"p1"}}}"#
                .to_owned(),
        ),
    ];
    for (status, body) in cases {
        assert_eq!(fixture.error("POST", "/indexes", &body).0, status, "{body}");
    }
    assert_eq!(fixture.get("/indexes"), json!({"indexes": []}));
}

#[test]
fn unknown_paths_and_methods_return_an_error_response() {
    let mut fixture = Fixture::new();
    assert_eq!(fixture.error("GET", "/collections", "").0, 404);
    let reply = fixture.ask("PUT", "/indexes", "");
    assert_eq!(reply.status, 405);
    assert_eq!(
        reply.headers,
        [("allow".to_owned(), "GET, POST".to_owned())]
    );
}
