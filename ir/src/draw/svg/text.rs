//! Texts in an SVG: escaped, and short enough for their place whatever font stands in for ours.

/// How wide a character of an 11 pixel `monospace` is taken to be, in tenths of a pixel: more than in
/// any common font (they have 66 or less), so that a text does not leave its box.
const TENTHS: usize = 70;

/// `text` for an attribute or between tags.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            _ => escaped.push(character),
        }
    }
    escaped
}

/// How wide `text` is at most, in pixels.
pub(super) fn width(text: &str) -> i32 {
    let tenths: usize = text.chars().map(tenths_of).sum();
    i32::try_from(tenths / 10 + 1).unwrap_or(i32::MAX)
}

/// `text`, or its start and an ellipsis where it is wider than `room` pixels.
pub(super) fn fitted(text: &str, room: i32) -> String {
    if width(text) <= room {
        return text.to_owned();
    }
    let room = usize::try_from(room).unwrap_or_default() * 10;
    let mut used = 2 * TENTHS;
    let mut shown = String::new();
    for character in text.chars() {
        used += tenths_of(character);
        if used > room {
            break;
        }
        shown.push(character);
    }
    shown.truncate(shown.trim_end().len());
    shown.push('…');
    shown
}

/// From the Hangul letters on, scripts are about twice as wide.
fn tenths_of(character: char) -> usize {
    if character >= '\u{1100}' && !('\u{2000}'..='\u{22ff}').contains(&character) {
        2 * TENTHS
    } else {
        TENTHS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_to_their_room() {
        assert_eq!(fitted("short", 100), "short");
        assert_eq!(fitted("a text that is too long", 100), "a text that…");
        assert_eq!(fitted("日本語日本語日本語", 100), "日本語日本語…");
        assert_eq!(fitted("abc", 0), "…");
        for room in 20..200 {
            for text in ["uv pip install --python /venv/bin/python", "日本語のファイル名がここにある"]
            {
                assert!(width(&fitted(text, room)) <= room.max(16), "{text} in {room}");
            }
        }
    }

    #[test]
    fn marks_of_xml_stand_for_themselves() {
        assert_eq!(escaped("<a b='\"'>&"), "&lt;a b=&apos;&quot;&apos;&gt;&amp;");
    }
}
