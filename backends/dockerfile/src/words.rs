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

/// A path of `COPY`'s sources: a word in which each letter that means something in a wildcard is
/// a class of one letter. Builders look for a name with `\*` in it as it stands, `\` and all, so
/// escapes do not do.
pub fn source_word(path: &str) -> String {
    let mut pattern = String::with_capacity(path.len());
    for it in path.chars() {
        match it {
            '*' | '?' | '[' => pattern.extend(['[', it, ']']),
            '\\' => pattern.push_str(r"[\\]"),
            it => pattern.push(it),
        }
    }
    word(&pattern)
}

/// A text in double quotes, for `ENV`, `LABEL` and single operands; `None` where it holds a line
/// break, which no instruction can carry. A carriage return is none: the closing quote stands
/// behind it, so no builder takes it for the end of a line.
pub fn quoted(text: &str) -> Option<String> {
    if text.contains(['\n', '\0']) {
        return None;
    }
    Some(in_quotes(text))
}

/// The same where line breaks are no matter: inside a JSON list.
pub fn in_quotes(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for it in text.chars() {
        if matches!(it, '\\' | '"' | '$') {
            quoted.push('\\');
        }
        quoted.push(it);
    }
    quoted.push('"');
    quoted
}

/// A single operand: bare where that reads the same, quoted otherwise.
pub fn operand(text: &str) -> Option<String> {
    if is_bare(text) { Some(text.to_owned()) } else { quoted(text) }
}

/// Operands that are already words, separated by spaces, or as a JSON list where one of them
/// holds what would end it.
pub fn operands(words: &[String]) -> String {
    if words.iter().all(|text| is_separable(text)) { words.join(" ") } else { json_list(words) }
}

/// Whether a word can stand among others without a list.
pub fn is_separable(word: &str) -> bool {
    !word.is_empty()
        && !word.starts_with(['[', '-', '#'])
        && !word.contains("<<")
        && !word.ends_with('\\')
        && !word.contains(|it: char| it.is_whitespace() || it.is_control())
}

/// A list in JSON.
pub fn json_list<T: AsRef<str>>(texts: &[T]) -> String {
    let items: Vec<String> = texts.iter().map(|text| json(text.as_ref())).collect();
    format!("[{}]", items.join(", "))
}

/// A program with its arguments as a list in JSON. A text of several lines has a line of the
/// Dockerfile for each of them: readers take away a `\` and the line break behind it, wherever they
/// stand, and give the list the same bytes.
pub fn json_argv(argv: &[String]) -> String {
    let mut list = String::from("[");
    let mut separator = "";
    for text in argv {
        list.push_str(separator);
        let has_lines = text.trim_matches('\n').contains('\n');
        list.push_str(&if has_lines { json_lines(text) } else { json(text) });
        separator = if has_lines { ", \\\n    " } else { ", " };
    }
    list.push(']');
    list
}

/// A text in JSON, broken after each of its lines. A line of a Dockerfile that begins with `#` is
/// left out, and one that begins with a space may lose it some day, so indentation stays above, and
/// there is no break before either or before the end.
fn json_lines(text: &str) -> String {
    let mut lines = String::from("\"");
    let mut rest = text;
    loop {
        let is_line = rest.trim_start_matches([' ', '\t', '\n']);
        let (indentation, line) = rest.split_at(rest.len() - is_line.len());
        lines.push_str(inside(&json(indentation)));
        if !line.is_empty() && !line.starts_with('#') && !line.starts_with(char::is_whitespace) {
            lines.push_str("\\\n");
        }
        let Some((line, after)) = line.split_once('\n') else {
            lines.push_str(inside(&json(line)));
            break;
        };
        lines.push_str(inside(&json(line)));
        lines.push_str("\\n");
        rest = after;
    }
    lines.push('"');
    lines
}

/// What stands between the quotes of a JSON text.
fn inside(json: &str) -> &str {
    &json[1..json.len() - 1]
}

/// A text in JSON.
fn json(text: &str) -> String {
    // A string always has a JSON form.
    serde_json::Value::from(text).to_string()
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

/// A value of a flag such as `--chown`: a word escaped once more, because the reader of flags
/// takes escapes and quotes away before the word is read. That reader goes byte by byte, so only
/// ASCII comes through it whole.
pub fn flag_value(text: &str) -> String {
    let mut value = String::with_capacity(text.len());
    for it in word(text).chars() {
        if matches!(it, '\\' | '\'' | '"' | ' ') {
            value.push('\\');
        }
        value.push(it);
    }
    value
}

/// The options of a `--mount`: a line of comma-separated values, in which one that holds a comma, a
/// quote or a space at its start stands in double quotes, with those in it doubled; escaped for the
/// reader of flags, which takes escapes and quotes away before.
pub fn mount_options<T: AsRef<str>>(options: &[T]) -> String {
    let field = |option: &T| {
        let option = option.as_ref();
        match option.contains([',', '"']) || option.starts_with(char::is_whitespace) {
            true => format!("\"{}\"", option.replace('"', "\"\"")),
            false => option.to_owned(),
        }
    };
    let line = options.iter().map(field).collect::<Vec<_>>().join(",");
    let mut escaped = String::with_capacity(line.len());
    for it in line.chars() {
        if matches!(it, '\\' | '\'' | '"' | ' ') {
            escaped.push('\\');
        }
        escaped.push(it);
    }
    escaped
}

/// Whether every reader of `--mount` takes a value as it stands: letters that neither its
/// comma-separated list nor the reader of flags gives a meaning.
pub fn is_mount_value(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|it| it.is_ascii_alphanumeric() || "._+@/:~%-".contains(it))
}

/// Whether the reader of flags brings a value through whole: it goes byte by byte, so only ASCII.
pub fn is_flag_text(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|it| it == ' ' || it.is_ascii_graphic())
}

/// Whether a text has letters with a meaning in words.
pub fn has_word_letters(text: &str) -> bool {
    text.contains(['\\', '\'', '"', '$'])
}

fn is_bare(text: &str) -> bool {
    // Readers take a first word with two dashes for an option, of any instruction.
    let is_option = text.starts_with("--");
    !text.is_empty()
        && !is_option
        && text.chars().all(|it| it.is_ascii_alphanumeric() || "._+@/:-".contains(it))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_escaped() {
        assert_eq!(word(r#"a $b 'c' "d" \e"#), r#"a \$b \'c\' \"d\" \\e"#);
        assert_eq!(source_word("a*[b]?\\"), r"a[*][[]b][?][\\\\]");
        assert_eq!(flag_value("a$:0"), r"a\\$:0");
    }

    #[test]
    fn values_are_quoted_or_refused() {
        assert_eq!(quoted(""), Some("\"\"".to_owned()));
        assert_eq!(quoted(r#"a "b" $c \"#), Some(r#""a \"b\" \$c \\""#.to_owned()));
        assert_eq!(quoted("it's\ta tab"), Some("\"it's\ta tab\"".to_owned()));
        assert_eq!(quoted("a\r"), Some("\"a\r\"".to_owned()));
        for text in ["a\nb", "\0"] {
            assert_eq!(quoted(text), None, "{text:?}");
        }
        assert_eq!(operand("/src/app-1"), Some("/src/app-1".to_owned()));
        assert_eq!(operand("/my src"), Some("\"/my src\"".to_owned()));
        assert_eq!(operand(""), Some("\"\"".to_owned()));
        assert_eq!(operand("--"), Some("\"--\"".to_owned()));
        assert_eq!(operand("-a"), Some("-a".to_owned()));
    }

    #[test]
    fn lists_are_json_where_they_must_be() {
        let list =
            |words: &[&str]| operands(&words.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>());
        assert_eq!(list(&["/a", "/b/"]), "/a /b/");
        assert_eq!(list(&["/a b", "/c\n"]), r#"["/a b", "/c\n"]"#);
        assert_eq!(list(&["[a", "b"]), r#"["[a", "b"]"#);
        assert_eq!(list(&["a/3<<A", "b"]), r#"["a/3<<A", "b"]"#);
        assert_eq!(list(&["a\\", "b"]), r#"["a\\", "b"]"#);
        assert_eq!(json_list(&["cat <<E\n"]), r#"["cat <<E\n"]"#);
    }

    #[test]
    fn only_scripts_that_run_reads_as_they_stand_are_plain() {
        assert!(is_plain_script(r#"echo "$A" 'b' \c > /d # e"#));
        for script in ["", " a", "a\n", "a\nb", "[\"a\"]", "--mount=x", "a\\", "cat <<E", "#a", "a\u{1b}"] {
            assert!(!is_plain_script(script), "{script:?}");
        }
    }
}
