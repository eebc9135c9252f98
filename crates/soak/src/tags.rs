//! What the soak reads from an object: tags in its spec, and its Secret's name.

use index_restore_operator::api::IndexRestore;

/// The tag in `spec.tags` that shows for which object a create request was sent.
pub const LIFE: &str = "soak-life";
/// The tag that shows which kind of life the object has.
pub const KIND: &str = "soak-kind";

/// One of the tags in the spec.
pub fn tag<'a>(object: &'a IndexRestore, name: &str) -> &'a str {
    let tags = object.spec.tags.as_ref();
    tags.and_then(|tags| tags.get(name))
        .map_or("", String::as_str)
}

/// The project whose key the object uses.
pub fn project(object: &IndexRestore) -> &str {
    let secret = &object.spec.api_key_secret_ref.name;
    secret.strip_prefix("pinecone-").unwrap_or(secret)
}
