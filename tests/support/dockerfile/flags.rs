//! The flags of an instruction: what begins with `--` after its keyword.
//!
//! They are read before anything else, byte by byte, so letters beyond ASCII come out as several:
//! one for each byte. Quotes and escapes are taken away here, and variables not looked at.

/// The flags, without `--`, and the rest of the line.
pub fn split(line: &str) -> (Vec<String>, String) {
    // A byte is taken for the letter of its number.
    let bytes: Vec<char> = line.bytes().map(char::from).collect();
    let mut flags = Vec::new();
    let mut at = 0;
    loop {
        while bytes.get(at).is_some_and(|it| it.is_whitespace()) {
            at += 1;
        }
        if bytes.get(at) != Some(&'-') || bytes.get(at + 1) != Some(&'-') {
            return (flags, rest(line, at));
        }
        let (flag, end) = one(&bytes, at);
        at = end;
        if flag == "--" {
            return (flags, rest(line, at));
        }
        flags.push(flag[2..].to_owned());
    }
}

fn rest(line: &str, at: usize) -> String {
    String::from_utf8_lossy(&line.as_bytes()[at..]).into_owned()
}

fn one(bytes: &[char], mut at: usize) -> (String, usize) {
    let mut flag = String::new();
    let mut quote = None;
    while let Some(&letter) = bytes.get(at) {
        match (quote, letter) {
            (None, letter) if letter.is_whitespace() => break,
            (None, '\'' | '"') => quote = Some(letter),
            (Some(open), letter) if open == letter => quote = None,
            (_, '\\') => {
                at += 1;
                flag.extend(bytes.get(at));
            }
            (_, letter) => flag.push(letter),
        }
        at += 1;
    }
    (flag, at.min(bytes.len()))
}
