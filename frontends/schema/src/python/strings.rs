//! Python's string and number literals.

/// The text of a literal, quotes and prefix included; `None` where it is bytes, is put together at
/// run time, or names a character by its Unicode name.
pub fn text(literal: &str) -> Option<String> {
    let quote = literal.find(['"', '\''])?;
    let (prefix, rest) = literal.split_at(quote);
    let prefix = prefix.to_ascii_lowercase();
    if prefix.contains(['b', 'f', 't']) {
        return None;
    }
    let mark = &rest[..1];
    let tripled = mark.repeat(3);
    let inner = match rest.strip_prefix(&*tripled) {
        Some(rest) => rest.strip_suffix(&*tripled)?,
        None => rest[1..].strip_suffix(mark)?,
    };
    // Python reads every line end as one.
    let inner = inner.replace("\r\n", "\n");
    if prefix.contains('r') { Some(inner) } else { unescaped(&inner) }
}

fn unescaped(text: &str) -> Option<String> {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        result.push_str(&rest[..at]);
        let mut letters = rest[at + 1..].chars();
        let letter = letters.next()?;
        rest = letters.as_str();
        match letter {
            '\n' => {}
            '\\' | '\'' | '"' => result.push(letter),
            'a' => result.push('\x07'),
            'b' => result.push('\x08'),
            'f' => result.push('\x0c'),
            'n' => result.push('\n'),
            'r' => result.push('\r'),
            't' => result.push('\t'),
            'v' => result.push('\x0b'),
            'x' => rest = code(&mut result, rest, 2)?,
            'u' => rest = code(&mut result, rest, 4)?,
            'U' => rest = code(&mut result, rest, 8)?,
            'N' => return None,
            '0'..='7' => {
                let octal = rest.bytes().take(2).take_while(|byte| (b'0'..=b'7').contains(byte)).count();
                let digits = format!("{letter}{}", &rest[..octal]);
                result.push(char::from_u32(u32::from_str_radix(&digits, 8).ok()?)?);
                rest = &rest[octal..];
            }
            // Python keeps the backslash of an escape that it does not know.
            other => result.extend(['\\', other]),
        }
    }
    result.push_str(rest);
    Some(result)
}

fn code<'a>(result: &mut String, rest: &'a str, digits: usize) -> Option<&'a str> {
    let number = rest.get(..digits).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
    result.push(char::from_u32(u32::from_str_radix(number, 16).ok()?)?);
    Some(&rest[digits..])
}

/// The value of a whole number; `None` beyond 128 bits.
pub fn integer(literal: &str) -> Option<i128> {
    let digits = literal.replace('_', "").to_ascii_lowercase();
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] {
        if let Some(digits) = digits.strip_prefix(prefix) {
            return i128::from_str_radix(digits, radix).ok();
        }
    }
    digits.parse().ok()
}

/// The value of a number with a point or an exponent.
pub fn float(literal: &str) -> Option<f64> {
    literal.replace('_', "").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_are_read_as_python_reads_them() {
        let cases = [
            ("'a'", Some("a")),
            ("r\"\\d\"", Some("\\d")),
            ("\"\\d\\n\\x41\\u00e9\\101\\0\"", Some("\\d\nAéA\0")),
            ("'''a\r\nb\\\nc'''", Some("a\nbc")),
            ("U'\\''", Some("'")),
            ("b'a'", None),
            ("f'{a}'", None),
            ("'\\N{DASH}'", None),
            ("'\\ud800'", None),
            ("'\\x4'", None),
            ("''", Some("")),
            ("''''''", Some("")),
        ];
        for (literal, expected) in cases {
            assert_eq!(text(literal).as_deref(), expected, "{literal}");
        }
        assert_eq!(integer("0xFF_ff"), Some(65535));
        assert_eq!(integer("1_000"), Some(1000));
        assert_eq!(integer("0b11"), Some(3));
        assert_eq!(integer("1j"), None);
        assert_eq!(float("1_0.5e-1"), Some(1.05));
        assert_eq!(float(".5"), Some(0.5));
        assert_eq!(float("5."), Some(5.0));
    }
}
