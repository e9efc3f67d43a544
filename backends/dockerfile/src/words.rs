//! How texts are written in a Dockerfile so that its reader gets them back byte for byte.
//!
//! A Dockerfile is read line by line; `\` at the end of a line joins it with the next. After
//! that each instruction has its own reading: JSON lists are JSON; the operands of `COPY`, `USER`,
//! `WORKDIR` and others are *words*, in which quotes, `\` and `$` have a meaning (also inside
//! JSON); the values of `ENV` and `LABEL` are words that may stand in double quotes.

/// Longest line. Old frontends read lines into a buffer of 64 KiB.
pub const LONGEST_LINE: usize = 65_000;

/// A text with everything escaped that a word gives a meaning.
pub fn word(text: &str) -> String {
    let mut word = String::with_capacity(text.len());
    for it in text.chars() {
        if matches!(it, '\\' | '\'' | '"' | '$') {
            word.push('\\');
        }
        word.push(it);
    }
    word
}

/// A path of `COPY`'s sources: a word whose wildcards are escaped.
pub fn source_word(path: &str) -> String {
    let mut pattern = String::with_capacity(path.len());
    for it in path.chars() {
        if matches!(it, '*' | '?' | '[' | '\\') {
            pattern.push('\\');
        }
        pattern.push(it);
    }
    word(&pattern)
}

/// A text in double quotes, for `ENV`, `LABEL` and single operands; `None` where it holds a line
/// break, which no instruction can carry.
pub fn quoted(text: &str) -> Option<String> {
    if text.contains(['\n', '\r', '\0']) {
        return None;
    }
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for it in text.chars() {
        if matches!(it, '\\' | '"' | '$') {
            quoted.push('\\');
        }
        quoted.push(it);
    }
    quoted.push('"');
    Some(quoted)
}

/// A single operand: bare where that reads the same, quoted otherwise.
pub fn operand(text: &str) -> Option<String> {
    if is_bare(text) { Some(text.to_owned()) } else { quoted(text) }
}

/// Operands that are already words, separated by spaces, or as a JSON list where one of them
/// holds what would end it.
pub fn operands(words: &[String]) -> String {
    let separable = |text: &String| {
        !text.is_empty()
            && !text.starts_with(['[', '<', '-', '#'])
            && !text.ends_with('\\')
            && !text.contains(|it: char| it.is_whitespace() || it.is_control())
    };
    if words.iter().all(separable) { words.join(" ") } else { json_list(words) }
}

/// A list in JSON. `<<` is escaped: new frontends look for here-documents even inside.
pub fn json_list<T: AsRef<str>>(texts: &[T]) -> String {
    let items: Vec<String> = texts
        .iter()
        // A string always has a JSON form.
        .map(|text| serde_json::Value::from(text.as_ref()).to_string().replace("<<", "\\u003c\\u003c"))
        .collect();
    format!("[{}]", items.join(", "))
}

/// A script that `RUN` can carry as it stands, to be handed to `/bin/sh -c`.
pub fn is_plain_script(script: &str) -> bool {
    !script.is_empty()
        && script.trim() == script
        && !script.contains(char::is_control)
        && !script.starts_with(['[', '#'])
        && !script.starts_with("--")
        && !script.ends_with('\\')
        && !script.contains("<<")
        && !script.contains('\u{feff}')
}

/// A value of a `--mount` option: letters that neither its comma-separated list nor the reader
/// of flags gives a meaning.
pub fn is_mount_value(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|it| it.is_alphanumeric() || "._+@/:~%-".contains(it))
}

fn is_bare(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|it| it.is_ascii_alphanumeric() || "._+@/:-".contains(it))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_escaped() {
        assert_eq!(word(r#"a $b 'c' "d" \e"#), r#"a \$b \'c\' \"d\" \\e"#);
        assert_eq!(source_word("a*[b]\\"), r"a\\*\\[b]\\\\");
    }

    #[test]
    fn values_are_quoted_or_refused() {
        assert_eq!(quoted(""), Some("\"\"".to_owned()));
        assert_eq!(quoted(r#"a "b" $c \"#), Some(r#""a \"b\" \$c \\""#.to_owned()));
        assert_eq!(quoted("it's\ta tab"), Some("\"it's\ta tab\"".to_owned()));
        for text in ["a\nb", "a\r", "\0"] {
            assert_eq!(quoted(text), None, "{text:?}");
        }
        assert_eq!(operand("/src/app-1"), Some("/src/app-1".to_owned()));
        assert_eq!(operand("/my src"), Some("\"/my src\"".to_owned()));
        assert_eq!(operand(""), Some("\"\"".to_owned()));
    }

    #[test]
    fn lists_are_json_where_they_must_be() {
        let list =
            |words: &[&str]| operands(&words.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>());
        assert_eq!(list(&["/a", "/b/"]), "/a /b/");
        assert_eq!(list(&["/a b", "/c\n"]), r#"["/a b", "/c\n"]"#);
        assert_eq!(list(&["[a", "b"]), r#"["[a", "b"]"#);
        assert_eq!(list(&["a\\", "b"]), r#"["a\\", "b"]"#);
        assert_eq!(json_list(&["cat <<E\n"]), r#"["cat \u003c\u003cE\n"]"#);
    }

    #[test]
    fn only_scripts_that_run_reads_as_they_stand_are_plain() {
        assert!(is_plain_script(r#"echo "$A" 'b' \c > /d # e"#));
        for script in ["", " a", "a\n", "a\nb", "[\"a\"]", "--mount=x", "a\\", "cat <<E", "#a", "a\u{1b}"] {
            assert!(!is_plain_script(script), "{script:?}");
        }
    }
}
