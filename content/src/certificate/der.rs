//! The subject of an X.509 certificate, in the form that OpenSSL hashes: texts as UTF-8, in small
//! letters, without white space around them and with one space for any other.

/// A value of DER and what comes after it.
struct Value<'b> {
    tag: u8,
    content: &'b [u8],
    whole: &'b [u8],
    rest: &'b [u8],
}

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const EXPLICIT_VERSION: u8 = 0xa0;
const UTF8: u8 = 12;

fn value(bytes: &[u8]) -> Option<Value<'_>> {
    let (tag, length) = (*bytes.first()?, *bytes.get(1)?);
    let (length, start) = if length < 0x80 {
        (usize::from(length), 2)
    } else {
        let digits = usize::from(length & 0x7f);
        let bytes = bytes.get(2..2 + digits).filter(|_| (1..=4).contains(&digits))?;
        (bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), 2 + digits)
    };
    let end = start.checked_add(length)?;
    Some(Value { tag, content: bytes.get(start..end)?, whole: bytes.get(..end)?, rest: &bytes[end..] })
}

fn tagged(bytes: &[u8], tag: u8) -> Option<Value<'_>> {
    value(bytes).filter(|value| value.tag == tag)
}

/// The subject of a certificate; nothing for what is none.
pub(super) fn canonical_subject(certificate: &[u8]) -> Option<Vec<u8>> {
    let signed = tagged(tagged(certificate, SEQUENCE)?.content, SEQUENCE)?;
    let mut rest = signed.content;
    if let Some(version) = tagged(rest, EXPLICIT_VERSION) {
        rest = version.rest;
    }
    // The number, the signature's kind, the issuer and how long it is good.
    for _ in 0..4 {
        rest = value(rest)?.rest;
    }
    let mut names = tagged(rest, SEQUENCE)?.content;
    let mut canonical = Vec::new();
    while !names.is_empty() {
        let set = tagged(names, SET)?;
        names = set.rest;
        let (mut parts, mut inside) = (Vec::new(), set.content);
        while !inside.is_empty() {
            let pair = tagged(inside, SEQUENCE)?;
            inside = pair.rest;
            let kind = value(pair.content)?;
            let text = value(kind.rest)?;
            let text = match plain(text.tag, text.content) {
                Some(plain) => encoded(UTF8, plain.as_bytes()),
                None => text.whole.to_vec(),
            };
            parts.push(encoded(SEQUENCE, &[kind.whole, &text].concat()));
        }
        parts.sort();
        canonical.extend(encoded(SET, &parts.concat()));
    }
    Some(canonical)
}

fn encoded(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    match u8::try_from(content.len()) {
        Ok(length) if length < 0x80 => out.push(length),
        Ok(_) | Err(_) => {
            let digits = content.len().to_be_bytes();
            let start = digits.iter().position(|digit| *digit != 0).unwrap_or(0);
            let digits = &digits[start..];
            out.push(0x80 | u8::try_from(digits.len()).unwrap_or(0));
            out.extend(digits);
        }
    }
    out.extend(content);
    out
}

/// A text as it is hashed; nothing for what is no text.
fn plain(tag: u8, content: &[u8]) -> Option<String> {
    let text: String = match tag {
        UTF8 => std::str::from_utf8(content).ok()?.to_owned(),
        // Printable, teletex, IA5 and visible ones: a letter is a byte.
        19 | 20 | 22 | 26 => content.iter().map(|byte| char::from(*byte)).collect(),
        28 => content
            .chunks(4)
            .map(|letter| {
                letter.try_into().ok().and_then(|letter| char::from_u32(u32::from_be_bytes(letter)))
            })
            .collect::<Option<String>>()?,
        30 => content
            .chunks(2)
            .map(|letter| {
                letter.try_into().ok().and_then(|letter| char::from_u32(u16::from_be_bytes(letter).into()))
            })
            .collect::<Option<String>>()?,
        _ => return None,
    };
    Some(text.split_ascii_whitespace().collect::<Vec<_>>().join(" ").to_ascii_lowercase())
}
