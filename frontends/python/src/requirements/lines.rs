//! The lines of a requirements file as pip counts them: continued, and without comments.

/// A line with something on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// The first byte in the file.
    pub start: usize,
    /// As many bytes as in the file, spaces in place of what continues it.
    pub text: String,
}

/// All lines with something on them.
pub(super) fn of(file: &str) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut open: Option<Line> = None;
    let mut start = 0;
    for physical in file.split_inclusive('\n') {
        let begins = start;
        start += physical.len();
        // A mark that some editors put before the first line.
        let marked = if begins == 0 { physical.strip_prefix('\u{feff}') } else { None };
        let skipped = physical.len() - marked.unwrap_or(physical).len();
        let content = marked.unwrap_or(physical);
        let bare = content.trim_end_matches(['\n', '\r']);
        let is_comment = bare.trim_start().starts_with('#');
        let line = open.get_or_insert_with(|| Line { start: begins + skipped, text: String::new() });
        match bare.strip_suffix('\\') {
            // A comment ends what was continued, whatever it ends with.
            Some(continued) if !is_comment => {
                line.text.push_str(continued);
                line.text.push_str(&" ".repeat(content.len() - continued.len()));
            }
            Some(_) | None => {
                line.text.push_str(bare);
                lines.extend(open.take());
            }
        }
    }
    lines.extend(open);
    for line in &mut lines {
        let end = comment(&line.text).unwrap_or(line.text.len());
        line.text.truncate(end);
    }
    lines.retain(|line| !line.text.trim().is_empty());
    lines
}

/// Where a comment begins: at a `#` that begins the line or has a space before it. Others are part
/// of addresses.
fn comment(text: &str) -> Option<usize> {
    let is_comment = |at: &usize| {
        let before = text.get(..*at).unwrap_or_default();
        before.is_empty() || before.ends_with(char::is_whitespace)
    };
    text.match_indices('#').map(|(at, _)| at).find(is_comment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_joined_and_keep_their_bytes() {
        let file =
            "# first\r\nnumpy==1.0 \\\r\n  --hash=sha256:a \\\n  # why\nname @ https://a/b#egg=c # d\n\n";
        let lines = of(file);
        let texts: Vec<&str> = lines.iter().map(|line| line.text.trim_end()).collect();
        assert_eq!(texts, ["numpy==1.0      --hash=sha256:a", "name @ https://a/b#egg=c"]);
        for line in &lines {
            let word = line.text.split_whitespace().last().unwrap_or_default();
            let at = line.start + line.text.find(word).unwrap_or_default();
            assert_eq!(&file[at..at + word.len()], word);
        }
    }

    #[test]
    fn a_mark_before_the_text_is_no_part_of_it() {
        assert_eq!(of("\u{feff}a"), [Line { start: 3, text: "a".to_owned() }]);
    }
}
