//! Versions of Debian packages, and which of two is the later one.

use std::cmp::Ordering;
use std::fmt;

/// A version: `[epoch:]upstream[-revision]`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Version(String);

impl Version {
    /// As it is written.
    pub fn new(text: &str) -> Self {
        Self(text.trim().to_owned())
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Without its epoch, as file names have it.
    pub fn without_epoch(&self) -> &str {
        self.0.split_once(':').map_or(&*self.0, |(_, rest)| rest)
    }

    fn parts(&self) -> (u64, &str, &str) {
        let (epoch, rest) = self.0.split_once(':').unwrap_or(("0", &self.0));
        let (upstream, revision) = rest.rsplit_once('-').unwrap_or((rest, ""));
        (epoch.parse().unwrap_or(0), upstream, revision)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// By meaning, as policy section 5.6.12 has it. Versions that mean the same, as `1.0` and `1.00`,
/// are none before the other.
pub fn compare(one: &Version, other: &Version) -> Ordering {
    let (one, other) = (one.parts(), other.parts());
    one.0.cmp(&other.0).then_with(|| compare_part(one.1, other.1)).then_with(|| compare_part(one.2, other.2))
}

fn compare_part(one: &str, other: &str) -> Ordering {
    let (mut one, mut other) = (one.as_bytes(), other.as_bytes());
    loop {
        let (words, rests) =
            (split(one, |byte| !byte.is_ascii_digit()), split(other, |byte| !byte.is_ascii_digit()));
        let longest = words.0.len().max(rests.0.len());
        for at in 0..longest {
            let order = weight(words.0.get(at)).cmp(&weight(rests.0.get(at)));
            if order.is_ne() {
                return order;
            }
        }
        let (numbers, others) = (split(words.1, u8::is_ascii_digit), split(rests.1, u8::is_ascii_digit));
        let (left, right) = (without_zeros(numbers.0), without_zeros(others.0));
        let order = left.len().cmp(&right.len()).then_with(|| left.cmp(right));
        if order.is_ne() {
            return order;
        }
        (one, other) = (numbers.1, others.1);
        if one.is_empty() && other.is_empty() {
            return Ordering::Equal;
        }
    }
}

fn split(bytes: &[u8], of: impl Fn(&u8) -> bool) -> (&[u8], &[u8]) {
    bytes.split_at(bytes.iter().position(|byte| !of(byte)).unwrap_or(bytes.len()))
}

fn without_zeros(digits: &[u8]) -> &[u8] {
    &digits[digits.iter().position(|digit| *digit != b'0').unwrap_or(digits.len())..]
}

/// `~` comes before the end, letters after it, and everything else after letters.
fn weight(byte: Option<&u8>) -> i32 {
    match byte {
        None => 0,
        Some(b'~') => -1,
        Some(letter) if letter.is_ascii_alphabetic() => i32::from(*letter),
        Some(other) => i32::from(*other) + 256,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_ordered_as_policy_says() {
        let ascending = [
            "0",
            "0.1~~",
            "0.1~~a",
            "0.1~",
            "0.1",
            "0.1-1~deb12u1",
            "0.1-1",
            "0.1-1+b1",
            "0.1-9",
            "0.1-10",
            "0.1a",
            "0.1+b1",
            "0.2",
            "0.10",
            "1.0.0-1",
            "1:0.1",
            "2:0",
        ];
        for (at, one) in ascending.iter().enumerate() {
            for (place, other) in ascending.iter().enumerate() {
                let (one, other) = (Version::new(one), Version::new(other));
                assert_eq!(compare(&one, &other), at.cmp(&place), "{one} {other}");
            }
        }
        for (one, same) in [("1.0", "1.00"), ("0:1", "1"), ("1", "1-0"), ("1.", "1.0")] {
            assert_eq!(compare(&Version::new(one), &Version::new(same)), Ordering::Equal, "{one} {same}");
        }
        assert_eq!(Version::new("1:2.39-1").without_epoch(), "2.39-1");
    }
}
