//! The form of a build record: JSON, one thing a line, and equal builds differ in nothing but times.
//! docs/diff.md says what each key means.
//!
//! Its first key is its version. A reader refuses a later one; keys that it does not know are none of
//! its business.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use cogpack_backends_contract::tree::PathProblem;
use cogpack_content::{Digest, Platform};
use cogpack_diff::files::{ContextFiles, Entry, Listing};
use cogpack_ir::plan::{InputName, Mode};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The version that is written, and the latest that is read.
pub const VERSION: u32 = 1;

/// How every record begins, whatever its version.
pub const BEGINNING: &str = "{\n  \"build_record\": ";

/// A build record.
#[derive(Debug, Serialize, Deserialize)]
pub struct Document {
    /// Its version.
    pub build_record: u32,
    /// The plan's file name; `null` for what was planned of a project.
    pub plan_file: Option<String>,
    /// The plan, as it was written.
    pub plan: String,
    /// What was built.
    pub platforms: Vec<Text<Platform>>,
    /// What built it.
    pub builder: String,
    /// The digest of the image, where one is known.
    pub image: Option<Text<Digest>>,
    /// How long it took.
    pub took_ms: u64,
    /// The ops that run something, in the order in which they stand.
    pub ops: Vec<Op>,
    /// The layers of the image, lowest first.
    pub layers: Vec<Layer>,
    /// The files of contexts that ops take; `null` where there are too many, or too large ones.
    pub contexts: Option<BTreeMap<InputNameText, BTreeMap<String, String>>>,
}

/// The name of a context, without `@`.
type InputNameText = String;

/// An op.
#[derive(Debug, Serialize, Deserialize)]
pub struct Op {
    /// Its stage, as the plan writes it.
    pub stage: String,
    /// Its line in the plan.
    pub line: Option<usize>,
    /// What it does, in a few words.
    pub op: String,
    /// What decides what it leaves.
    pub key: Text<Digest>,
    /// What the builder did for it, where that can be told: a pass may have made one op of several.
    pub state: Option<OpState>,
    /// How long it ran, where it did.
    pub took_ms: Option<u64>,
}

/// What a builder did for an op.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OpState {
    /// It ran it.
    Ran,
    /// It had its result.
    Cached,
    /// Nothing that was built needed it.
    NotNeeded,
}

/// A layer.
#[derive(Debug, Serialize, Deserialize)]
pub struct Layer {
    /// Its digest.
    pub digest: Option<Text<Digest>>,
    /// How many bytes it has.
    pub size: u64,
    /// Whether these are those of the compressed layer.
    pub compressed: bool,
    /// What made it.
    pub made_by: Option<String>,
    /// The platform that it is for, where there are several.
    pub platform: Option<Text<Platform>>,
}

/// A value that has a text form.
#[derive(Debug, Clone)]
pub struct Text<T>(pub T);

impl<T: fmt::Display> Serialize for Text<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de, T: FromStr<Err: fmt::Display>> Deserialize<'de> for Text<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Self).map_err(D::Error::custom)
    }
}

/// What is wrong with a record.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// It is of a later version.
    #[error("it is of version {0}, and this cogpackc reads records up to version {VERSION}")]
    Later(u64),
    /// It is not whole.
    #[error("{0}")]
    Damaged(String),
}

impl Document {
    /// The text of the record.
    pub fn to_text(&self) -> String {
        // Texts and numbers are all that it holds, so JSON can say it.
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }

    /// Reads a record, and the files that it lists.
    pub fn parse(text: &str) -> Result<(Self, Option<ContextFiles>), Problem> {
        #[derive(Deserialize)]
        struct Version {
            build_record: u64,
        }
        let damaged = |error: &dyn std::fmt::Display| Problem::Damaged(error.to_string());
        let Version { build_record } = serde_json::from_str(text).map_err(|error| damaged(&error))?;
        if build_record > u64::from(VERSION) {
            return Err(Problem::Later(build_record));
        }
        let document: Self = serde_json::from_str(text).map_err(|error| damaged(&error))?;
        let files = document.contexts.as_ref().map(files).transpose()?;
        Ok((document, files))
    }
}

/// Files as a record lists them.
pub fn listed(files: &ContextFiles) -> BTreeMap<InputNameText, BTreeMap<String, String>> {
    let entry = |(path, entry): (&Vec<u8>, &Entry)| {
        let said = match entry {
            Entry::File { mode, content } => format!("{mode} {content}"),
            Entry::Directory { mode } => mode.to_string(),
            Entry::Link { target } => format!("{LINK}{}", escaped(target)),
        };
        (escaped(path), said)
    };
    let listed = files
        .iter()
        .map(|(name, listing)| (name.as_str().to_owned(), listing.entries().iter().map(entry).collect()));
    listed.collect()
}

/// What a link's entry begins with.
const LINK: &str = "-> ";

fn files(contexts: &BTreeMap<InputNameText, BTreeMap<String, String>>) -> Result<ContextFiles, Problem> {
    let mut files = ContextFiles::default();
    for (name, listed) in contexts {
        let wrong = || Problem::Damaged(format!("`{name}` is no context"));
        let input = InputName::new(name).map_err(|_| wrong())?;
        let mut entries = BTreeMap::new();
        for (path, said) in listed {
            let wrong = || Problem::Damaged(format!("nothing is known of `{path}` from `{said}`"));
            let entry = entry(said).ok_or_else(wrong)?;
            entries.insert(unescaped(path).ok_or_else(wrong)?, entry);
        }
        let listing = Listing::new(entries)
            .map_err(|problem: PathProblem| Problem::Damaged(format!("the files of `{name}`: {problem}")))?;
        files.insert(input, listing);
    }
    Ok(files)
}

fn entry(said: &str) -> Option<Entry> {
    if let Some(target) = said.strip_prefix(LINK) {
        return Some(Entry::Link { target: unescaped(target)? });
    }
    let (mode, content) = said.split_once(' ').map_or((said, None), |(mode, digest)| (mode, Some(digest)));
    let mode = Mode::new(u32::from_str_radix(mode, 8).ok()?)?;
    Some(match content {
        Some(content) => Entry::File { mode, content: content.parse().ok()? },
        None => Entry::Directory { mode },
    })
}

/// Any bytes as text: `\xNN` for those that are none, `\\` for a backslash.
fn escaped(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.utf8_chunks() {
        text.push_str(&chunk.valid().replace('\\', r"\\"));
        for byte in chunk.invalid() {
            text.push_str(&format!(r"\x{byte:02x}"));
        }
    }
    text
}

fn unescaped(text: &str) -> Option<Vec<u8>> {
    let (mut bytes, mut rest) = (Vec::new(), text);
    while let Some((plain, behind)) = rest.split_once('\\') {
        bytes.extend_from_slice(plain.as_bytes());
        rest = match behind.strip_prefix('\\') {
            Some(rest) => {
                bytes.push(b'\\');
                rest
            }
            None => {
                let (digits, rest) = behind.strip_prefix('x')?.split_at_checked(2)?;
                bytes.push(u8::from_str_radix(digits, 16).ok()?);
                rest
            }
        };
    }
    bytes.extend_from_slice(rest.as_bytes());
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document() -> Document {
        let mut files = ContextFiles::default();
        let entries = BTreeMap::from([
            (b"a.py".to_vec(), Entry::File { mode: Mode::FILE, content: Digest::of(b"1") }),
            (b"d".to_vec(), Entry::Directory { mode: Mode::DIRECTORY }),
            (b"d/odd\xff\\x".to_vec(), Entry::Link { target: b"../\xfe".to_vec() }),
        ]);
        let name = InputName::new("src").expect("is a name");
        files.insert(name, Listing::new(entries).expect("is a tree"));
        Document {
            build_record: VERSION,
            plan_file: Some("plan.cpk".to_owned()),
            plan: "cpk 1\n".to_owned(),
            platforms: vec![Text("linux/amd64".parse().expect("is a platform"))],
            builder: "buildkit".to_owned(),
            image: Some(Text(Digest::of(b"image"))),
            took_ms: 1200,
            ops: vec![Op {
                stage: "%app".to_owned(),
                line: Some(7),
                op: "run make".to_owned(),
                key: Text(Digest::of(b"key")),
                state: Some(OpState::Ran),
                took_ms: Some(1000),
            }],
            layers: Vec::new(),
            contexts: Some(listed(&files)),
        }
    }

    #[test]
    fn a_record_reads_as_it_was_written() {
        let text = document().to_text();
        assert!(text.starts_with(BEGINNING), "{text}");
        assert!(text.contains(r#""d/odd\\xff\\\\x": "-> ../\\xfe""#), "{text}");
        let (read, files) = Document::parse(&text).expect("is a record");
        assert_eq!(read.to_text(), text);
        assert_eq!(listed(&files.expect("lists files")), read.contexts.expect("lists files"));
    }

    #[test]
    fn what_is_cut_anywhere_or_changed_is_damaged_and_what_is_later_says_so() {
        let text = document().to_text();
        for end in 0..text.len() - 2 {
            assert!(matches!(Document::parse(&text[..end]), Err(Problem::Damaged(_))), "cut at {end}");
        }
        for (from, to) in [
            (r#""0755""#, r#""0999""#),
            (r#""0755""#, r#""77777""#),
            (r#""d": "0755""#, r#""d": "-> x""#),
            (r"odd\\xff", r"odd\\xf"),
            (r#""src""#, r#""s r c""#),
            (r#""took_ms": 1200"#, r#""took_ms": "long""#),
            ("sha256:", "sha1:"),
        ] {
            assert!(text.contains(from), "{from} is in {text}");
            let other = text.replacen(from, to, 1);
            assert!(matches!(Document::parse(&other), Err(Problem::Damaged(_))), "{from} -> {to}");
        }
        let later =
            text.replacen("\"build_record\": 1", "\"build_record\": 2", 1).replace("\"plan\"", "\"text\"");
        assert_eq!(Document::parse(&later).map(|_| ()), Err(Problem::Later(2)));
        let more = text.replacen("\"plan_file\"", "\"more\": [1],\n  \"plan_file\"", 1);
        assert!(Document::parse(&more).is_ok());
    }
}
