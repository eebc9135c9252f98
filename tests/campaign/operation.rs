//! Operations on a spec, generated from the schema: each field unset, at its
//! bounds and one past them, illegal, of another type, in odd characters, unknown.

use serde_json::{Value, json};

use crate::schema::{bound, is_required, properties};
use crate::semantics::{PROBES, is_legal};

/// One change of a spec, and how the API server must answer it.
#[derive(Clone, Debug)]
pub struct SpecOperation {
    /// The field, dotted; `tags{}` is a value of `tags`, `tags{key}` a key.
    pub field: String,
    pub what: String,
    /// Where in the spec, as a JSON pointer.
    pub pointer: String,
    /// `None` takes the field away.
    pub value: Option<Value>,
    pub verdict: Expected,
}

/// The outcome by the schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    Accepted,
    /// Refused, with a message that names this.
    Refused(String),
    /// Dropped, or refused by name where unknown fields are.
    Unknown(String),
    /// The schema does not determine it, and nothing is known of the field: both are right.
    Either,
}

impl SpecOperation {
    /// Changes the spec; objects on the way are made.
    pub fn apply(&self, spec: &mut Value) {
        let (parents, name) = self.pointer.rsplit_once('/').unwrap();
        let mut parent = spec;
        for segment in parents.split('/').skip(1) {
            if !parent[segment].is_object() {
                parent[segment] = json!({});
            }
            parent = &mut parent[segment];
        }
        match &self.value {
            Some(value) => parent[name] = value.clone(),
            None => {
                parent.as_object_mut().unwrap().remove(name);
            }
        }
    }

    /// The field of the spec that it is about, such as `tags`.
    pub fn top(&self) -> &str {
        self.field.split(['.', '{']).next().unwrap()
    }
}

/// All operations on the objects of that schema.
pub fn generate(schema: &Value) -> Vec<SpecOperation> {
    let mut generator = Generator(Vec::new());
    generator.object("", "", schema);
    generator.0
}

struct Generator(Vec<SpecOperation>);

impl Generator {
    fn add(&mut self, field: &str, pointer: &str, what: &str, value: Value, verdict: Expected) {
        self.0.push(SpecOperation {
            field: field.to_owned(),
            what: what.to_owned(),
            pointer: pointer.to_owned(),
            value: Some(value),
            verdict,
        });
    }

    fn legal(&mut self, field: &str, pointer: &str, what: &str, value: Value) {
        self.add(field, pointer, what, value, Expected::Accepted);
    }

    fn illegal(&mut self, field: &str, pointer: &str, what: &str, value: Value) {
        self.add(field, pointer, what, value, refused(field));
    }

    fn object(&mut self, field: &str, pointer: &str, schema: &Value) {
        for (name, property) in properties(schema) {
            let field = match field {
                "" => name.clone(),
                parent => format!("{parent}.{name}"),
            };
            let pointer = format!("{pointer}/{name}");
            self.absent(&field, &pointer, property, is_required(schema, name));
            self.value(&field, &pointer, property);
        }
        let unknown = format!("{pointer}/inventedField");
        for value in [json!("value"), json!({"nested": [1]})] {
            let verdict = Expected::Unknown("inventedField".into());
            self.add(field, &unknown, "unknown field", value, verdict);
        }
    }

    fn absent(&mut self, field: &str, pointer: &str, schema: &Value, is_required: bool) {
        let verdict = match is_required && schema["default"].is_null() {
            true => refused(field),
            false => Expected::Accepted,
        };
        self.add(field, pointer, "null", Value::Null, verdict.clone());
        self.0.push(SpecOperation {
            field: field.to_owned(),
            what: "unset".to_owned(),
            pointer: pointer.to_owned(),
            value: None,
            verdict,
        });
    }

    /// What depends on the type.
    fn value(&mut self, field: &str, pointer: &str, schema: &Value) {
        let type_ = schema["type"].as_str().unwrap_or_default();
        for (name, value) in [
            ("string", json!("text")),
            ("integer", json!(7)),
            ("number", json!(1.5)),
            ("boolean", json!(true)),
            ("array", json!([])),
            ("array", json!(["a"])),
            ("object", json!({"a": {"b": []}})),
        ] {
            if name != type_ && !(type_ == "number" && name == "integer") {
                let what = format!("{name} for {type_}");
                self.illegal(field, pointer, &what, value);
            }
        }
        match type_ {
            "string" if schema["enum"].is_array() => self.choice(field, pointer, schema),
            "string" => self.text(field, pointer, schema),
            "integer" | "number" => self.number(field, pointer, schema),
            "boolean" => [true, false].into_iter().for_each(|value| {
                self.legal(field, pointer, &value.to_string(), json!(value));
            }),
            "array" => self.list(field, pointer, schema),
            "object" if schema["additionalProperties"].is_object() => {
                self.map(field, pointer, schema);
            }
            "object" => {
                self.object(field, pointer, schema);
                let needed = properties(schema).map(|(name, _)| name);
                if needed.into_iter().any(|name| is_required(schema, name)) {
                    self.illegal(field, pointer, "empty object", json!({}));
                }
            }
            _ => {}
        }
    }

    fn choice(&mut self, field: &str, pointer: &str, schema: &Value) {
        let members: Vec<&str> = schema["enum"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        for member in &members {
            self.legal(field, pointer, &format!("member {member}"), json!(member));
            for other in [
                member.to_lowercase(),
                member.to_uppercase(),
                format!("{member} "),
                format!("{member}x"),
            ] {
                if !members.contains(&other.as_str()) {
                    self.illegal(field, pointer, "no member", json!(other));
                }
            }
        }
        self.illegal(field, pointer, "empty", json!(""));
    }

    fn text(&mut self, field: &str, pointer: &str, schema: &Value) {
        let least = bound(schema, "minLength").unwrap_or(0);
        let most = bound(schema, "maxLength");
        let letters = |n: usize| json!("a".repeat(n));
        self.legal(field, pointer, "minimum", letters(least.max(1)));
        if least > 0 {
            self.illegal(field, pointer, "one below", letters(least - 1));
        }
        if let Some(most) = most {
            self.legal(field, pointer, "maximum", letters(most));
            self.illegal(field, pointer, "one past", letters(most + 1));
            // Lengths count characters, not bytes.
            let wide = "é".repeat(most);
            let verdict = judge(field, schema, &wide);
            self.add(
                field,
                pointer,
                "maximum, two bytes each",
                json!(wide),
                verdict,
            );
        }
        for probe in PROBES {
            if probe.chars().count() < least || most.is_some_and(|m| probe.chars().count() > m) {
                continue;
            }
            let verdict = judge(field, schema, probe);
            self.add(field, pointer, &format!("{probe:?}"), json!(probe), verdict);
        }
    }

    fn number(&mut self, field: &str, pointer: &str, schema: &Value) {
        let (least, most) = (schema["minimum"].as_i64(), schema["maximum"].as_i64());
        for (what, value) in [("minimum", least), ("maximum", most)] {
            if let Some(value) = value {
                let past = if what == "minimum" {
                    value - 1
                } else {
                    value + 1
                };
                self.legal(field, pointer, what, json!(value));
                self.illegal(field, pointer, &format!("past the {what}"), json!(past));
            }
        }
        for value in [i64::MIN, -1, 0, 1, i64::MAX] {
            let fits = least.is_none_or(|l| value >= l) && most.is_none_or(|m| value <= m);
            let verdict = if fits {
                Expected::Accepted
            } else {
                refused(field)
            };
            self.add(field, pointer, &value.to_string(), json!(value), verdict);
        }
    }

    fn list(&mut self, field: &str, pointer: &str, schema: &Value) {
        let count = |n: usize| json!((0..n).map(|n| format!("a{n}")).collect::<Vec<_>>());
        if let Some(most) = bound(schema, "maxItems") {
            self.add(field, pointer, "maximum", count(most), Expected::Either);
            self.illegal(field, pointer, "one past", count(most + 1));
        }
        if let Some(least) = bound(schema, "minItems").filter(|least| *least > 0) {
            self.illegal(field, pointer, "one below", count(least - 1));
        }
        let mut items = Self(Vec::new());
        items.value(&format!("{field}[]"), pointer, &schema["items"]);
        self.0.extend(items.0.into_iter().map(|mut operation| {
            operation.value = operation.value.map(|value| json!([value]));
            operation
        }));
    }

    fn map(&mut self, field: &str, pointer: &str, schema: &Value) {
        let value = &schema["additionalProperties"];
        let entries = |n: usize| {
            let entry = |n| (format!("k{n}"), json!("value"));
            Value::Object((0..n).map(entry).collect())
        };
        let least = bound(schema, "minProperties").unwrap_or(0);
        self.legal(field, pointer, "minimum", entries(least.max(1)));
        if least > 0 {
            self.illegal(field, pointer, "one below", entries(least - 1));
        }
        if let Some(most) = bound(schema, "maxProperties") {
            self.legal(field, pointer, "maximum", entries(most));
            self.illegal(field, pointer, "one past", entries(most + 1));
        }
        let mut values = Self(Vec::new());
        values.value(&format!("{field}{{}}"), pointer, value);
        self.0.extend(values.0.into_iter().map(|mut operation| {
            operation.value = operation.value.map(|value| json!({"probe": value}));
            operation
        }));
        let keys = format!("{field}{{key}}");
        let long = ["k".repeat(80), "k".repeat(81), String::new()];
        for key in PROBES.iter().map(ToString::to_string).chain(long) {
            let verdict = judge(&keys, &json!({}), &key);
            let one = json!({key.as_str(): "value"});
            self.add(&keys, pointer, &format!("key {key:?}"), one, verdict);
        }
    }
}

/// The verdict on a text: by the schema's pattern, else by what is known of
/// the field.
fn judge(field: &str, schema: &Value, text: &str) -> Expected {
    let by_pattern = schema["pattern"].as_str().map(|pattern| {
        let pattern = regex::Regex::new(pattern).unwrap();
        pattern.is_match(text)
    });
    match by_pattern.or_else(|| is_legal(field, text)) {
        Some(true) => Expected::Accepted,
        Some(false) => refused(field),
        None => Expected::Either,
    }
}

fn refused(field: &str) -> Expected {
    let named = field.split(['{', '[']).next().unwrap();
    Expected::Refused(format!("spec.{named}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A field that comes is tried without a word about it here.
    #[test]
    fn one_more_field_in_the_schema_is_more_operations() {
        let mut schema = crate::schema::of_spec();
        let before = generate(&schema).len();
        schema["properties"]["replicas"] = json!({"type": "integer", "minimum": 1, "maximum": 9});
        let with_number = generate(&schema);
        assert!(with_number.len() >= before + 10);
        let past = |operation: &&SpecOperation| operation.what == "past the maximum";
        let past = with_number.iter().find(past).unwrap();
        assert_eq!(past.value, Some(json!(10)));
        assert_eq!(past.verdict, Expected::Refused("spec.replicas".into()));
        schema["properties"]["note"] =
            json!({"type": "string", "maxLength": 8, "pattern": "^[a-z]+$"});
        assert!(generate(&schema).len() > with_number.len() + 20);
    }
}
