//! Options as people type them.

use serde_json::Value;

use crate::RenderError;

/// The name and the value in `name=value`, where the value is JSON or, failing that, a text. A name alone is a flag that is set.
///
/// # Errors
/// [`RenderError::OptionSyntax`] where there is no name.
pub fn parse_option(text: &str) -> Result<(String, Value), RenderError> {
    let (name, value) = match text.split_once('=') {
        Some((name, value)) => {
            let value = serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.into()));
            (name, value)
        }
        None => (text, Value::Bool(true)),
    };
    match name.trim() {
        "" => Err(RenderError::OptionSyntax { text: text.into() }),
        name => Ok((name.into(), value)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_json_or_else_text() {
        let parsed = |text| parse_option(text).expect("it has a name");
        assert_eq!(parsed("time=seconds"), ("time".into(), json!("seconds")));
        assert_eq!(parsed("flat"), ("flat".into(), json!(true)));
        assert_eq!(parsed("depth=3"), ("depth".into(), json!(3)));
        assert_eq!(parsed("hide=a=b"), ("hide".into(), json!("a=b")));
        assert_eq!(parsed("o={\"a\":[1]}"), ("o".into(), json!({"a": [1]})));
        assert_eq!(parsed("empty="), ("empty".into(), json!("")));
        assert!(parse_option("=1").is_err());
    }
}
