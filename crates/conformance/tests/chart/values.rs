//! The sets of values in the chart's `ci` folder cover its values.

use serde_json::{Value, json};

use crate::lifecycle::CHART;
use crate::rendering::matrix;
use crate::tools::read;

/// What is off by default renders nothing, unless a set of values turns it on.
#[test]
fn every_value_that_is_off_by_default_is_in_a_set_of_values() {
    let parsed = |path: &str| serde_saphyr::from_str::<Value>(&read(path)).unwrap();
    let sets: Vec<_> = matrix().iter().map(|path| parsed(path)).collect();
    let mut off = Vec::new();
    find_off(&parsed(&format!("{CHART}/values.yaml")), "", &mut off);
    assert!(off.len() > 40, "{off:?}");
    // A field of Kubernetes, which the chart passes on.
    off.retain(|place| place != "/securityContext/allowPrivilegeEscalation");
    off.retain(|place| sets.iter().all(|set| set.pointer(place).is_none()));
    assert_eq!(off, [""; 0]);
}

/// Collects the pointers to the values that are empty, zero, false or null.
fn find_off(value: &Value, place: &str, off: &mut Vec<String>) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            for (key, value) in fields {
                find_off(value, &format!("{place}/{key}"), off);
            }
        }
        value => {
            let empty = [
                json!({}),
                json!([]),
                json!(""),
                json!(0),
                json!(false),
                json!(null),
            ];
            if empty.contains(value) {
                off.push(place.to_owned());
            }
        }
    }
}
