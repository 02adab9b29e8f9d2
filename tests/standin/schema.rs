//! The smallest JSON that a schema allows: a harmless answer where an agent wants data instead of prose.

use serde_json::{Value, json};

/// The smallest instance of `schema`, for the schemas that agents send.
pub(crate) fn smallest(schema: &Value) -> Value {
    if let Some(first) = schema["enum"].get(0) {
        return first.clone();
    }
    if let Some(first) = schema["anyOf"].get(0).or_else(|| schema["oneOf"].get(0)) {
        return smallest(first);
    }
    // Google's schemas shout.
    let kind = schema["type"].as_str().or_else(|| schema["type"][0].as_str()).map(str::to_ascii_lowercase);
    match kind.as_deref() {
        Some("string") => json!("stand-in"),
        Some("integer" | "number") => schema.get("minimum").cloned().unwrap_or(json!(1)),
        Some("boolean") => json!(false),
        Some("null") => Value::Null,
        Some("array") if schema["minItems"].as_u64().unwrap_or(0) > 0 => json!([smallest(&schema["items"])]),
        Some("array") => json!([]),
        _ => object(schema),
    }
}

fn object(schema: &Value) -> Value {
    let required: Vec<_> =
        schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let properties = schema["properties"].as_object().into_iter().flatten();
    let wanted = properties.filter(|(name, _)| required.contains(&name.as_str()));
    wanted.map(|(name, schema)| (name.clone(), smallest(schema))).collect()
}

#[test]
fn only_what_is_required_is_filled_in() {
    let schema = json!({"type": "object", "required": ["a", "b", "c", "d"], "properties": {
        "a": {"type": ["string", "null"]}, "b": {"type": "array", "items": {}}, "c": {"enum": ["x", "y"]},
        "d": {"type": "INTEGER"}, "e": {"type": "integer"},
    }});
    assert_eq!(smallest(&schema), json!({"a": "stand-in", "b": [], "c": "x", "d": 1}));
}
