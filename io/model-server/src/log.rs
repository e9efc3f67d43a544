//! What a model's server writes while it runs: its own news as JSON, one object a line, among it what
//! the model writes; and whatever else programs of the container say.

use serde_json::Value;

use crate::setup::is_address_taken;

/// A line as people want to read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What it says.
    pub text: String,
    /// Whether it is of the model or of somebody's trouble, and not only of what the server is about.
    pub matters: bool,
}

/// Reads one line.
pub fn read(line: &str) -> Line {
    let line = line.trim_end();
    of_server(line).unwrap_or_else(|| Line { text: line.to_owned(), matters: !line.is_empty() })
}

fn of_server(line: &str) -> Option<Line> {
    let document: Value = serde_json::from_str(line).ok()?;
    let fields = document["fields"].as_object()?;
    let level = document["level"].as_str()?;
    let message = fields.get("message")?.as_str()?;
    // What the model writes has a stream that it comes from; what comes late, this name.
    let is_of_model = fields.contains_key("source") || document["target"] == "coglet::user";
    let error = fields.get("error").and_then(Value::as_str);
    // Whoever starts the server again tells of that, and whoever does not tells it as the failure.
    let is_told = error.is_some_and(is_address_taken);
    let is_trouble = matches!(level, "ERROR") && !is_told;
    let text = match error {
        Some(error) => format!("{message}: {error}"),
        None => message.to_owned(),
    };
    Some(Line { text: text.trim_end().to_owned(), matters: is_of_model || is_trouble })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_server_is_shown_what_the_model_writes_and_what_went_wrong() {
        for (line, text, matters) in [
            (
                r#"{"timestamp":"t","level":"INFO","fields":{"message":"Spawning worker","num_slots":1},"target":"coglet"}"#,
                "Spawning worker",
                false,
            ),
            (
                r#"{"level":"INFO","fields":{"message":"setting up\n","source":"Stdout"},"target":"coglet::setup"}"#,
                "setting up",
                true,
            ),
            (r#"{"level":"INFO","fields":{"message":"late"},"target":"coglet::user"}"#, "late", true),
            (
                r#"{"level":"WARN","fields":{"message":"predict() is deprecated"},"target":"coglet::predictor"}"#,
                "predict() is deprecated",
                false,
            ),
            (
                r#"{"level":"ERROR","fields":{"message":"Setup failed","error":"no weights"},"target":"coglet"}"#,
                "Setup failed: no weights",
                true,
            ),
            (
                r#"{"level":"ERROR","fields":{"message":"Worker initialization failed","error":"failed to spawn worker: failed to create transport: Address already in use (os error 98)"},"target":"coglet_python"}"#,
                "Worker initialization failed: failed to spawn worker: failed to create transport: Address already in use (os error 98)",
                false,
            ),
            ("Traceback (most recent call last):\r\n", "Traceback (most recent call last):", true),
            (r#"{"loss": 0.5}"#, r#"{"loss": 0.5}"#, true),
            ("7", "7", true),
            ("", "", false),
        ] {
            assert_eq!(read(line), Line { text: text.to_owned(), matters }, "{line}");
        }
    }
}
