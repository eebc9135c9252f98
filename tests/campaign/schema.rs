//! The definition's own schema, as the API server validates by it.

use serde_json::{Map, Value};

/// The schema of the spec in the definition that is shipped.
pub fn of_spec() -> Value {
    let crd: Value = serde_saphyr::from_str(testkit::installation::CRD).unwrap();
    let spec = "/spec/versions/0/schema/openAPIV3Schema/properties/spec";
    crd.pointer(spec).unwrap().clone()
}

/// The properties of an object's schema.
pub fn properties(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    let properties = schema["properties"].as_object();
    properties.into_iter().flat_map(Map::iter)
}

pub fn is_required(schema: &Value, property: &str) -> bool {
    let mut required = schema["required"].as_array().into_iter().flatten();
    required.any(|name| name == property)
}

/// A bound such as `minLength`.
pub fn bound(schema: &Value, name: &str) -> Option<usize> {
    // The API server writes bounds of numbers as floats.
    let bound = schema[name].as_f64()?;
    Some(bound as usize)
}

/// `value` as the API server stores it: nulls are dropped where the schema has no
/// `nullable`, defaults are filled in, and what the schema does not know is dropped.
pub fn stored(schema: &Value, value: &Value) -> Value {
    let Some(given) = value.as_object() else {
        return value.clone();
    };
    if schema["properties"].is_null() {
        return value.clone();
    }
    let stored = properties(schema).filter_map(|(name, property)| {
        let given = given.get(name).filter(|given| !given.is_null());
        let value = match given {
            Some(given) => stored(property, given),
            None => property.get("default")?.clone(),
        };
        Some((name.clone(), value))
    });
    Value::Object(stored.collect())
}
