//! The form of a build record: JSON, one thing a line, and equal builds differ in nothing but times.
//! docs/diff.md says what each key means.
//!
//! Its first key is its version. A reader refuses a later one; keys that it does not know are none of
//! its business. Its last one lists files ([`listing`](super::listing)), a million of them maybe: they are
//! written and read one by one.

use std::fmt;
use std::io::Read;
use std::str::FromStr;

use cogpack_content::{Digest, Platform};
use cogpack_diff::files::ContextFiles;
use serde::de::{Error as _, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use super::listing::Listings;

/// The version that is written, and the latest that is read.
pub const VERSION: u32 = 2;

/// How every record begins, whatever its version.
pub const BEGINNING: &str = "{\n  \"build_record\": ";

/// A build record, all but the files of contexts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
}

/// The last key of a record: the files of contexts that ops take.
const CONTEXTS: &str = "contexts";

/// An op.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
    /// How long it ran, where it did, with the other ops of its key.
    pub took_ms: Option<u64>,
    /// How many bytes the layer has that it is in, with the other ops of that layer; none where no layer of the
    /// image is of it, or where a pass made other layers than the plan says.
    #[serde(default)]
    pub size: Option<u64>,
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Debug, Clone, PartialEq, Eq)]
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
    /// The text of the record up to its files, which [`listing::write`](super::listing::write) writes.
    pub fn to_text(&self) -> String {
        // Texts and numbers are all that it holds, so JSON can say it.
        let text = serde_json::to_string_pretty(self).unwrap_or_default();
        let open = text.trim_end_matches("\n}");
        format!("{open},\n  \"{CONTEXTS}\": ")
    }

    /// Reads what [`to_text`](Self::to_text) has written.
    pub fn of_text(text: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(text).ok()?;
        serde_json::from_str(&format!("{text}null\n}}")).ok()
    }

    /// Whether it says the same as another one, but for times.
    pub fn differs_in_times_alone(&self, other: &Self) -> bool {
        self.timeless() == other.timeless()
    }

    fn timeless(&self) -> Self {
        let mut timeless = Self { took_ms: 0, ..self.clone() };
        for op in &mut timeless.ops {
            op.took_ms = op.took_ms.map(|_| 0);
        }
        timeless
    }

    /// Reads a record, and the files that it lists, if it does.
    pub fn parse(from: impl Read) -> Result<(Self, Option<ContextFiles>), Problem> {
        let damaged = |error: &dyn fmt::Display| Problem::Damaged(error.to_string());
        let mut json = serde_json::Deserializer::from_reader(from);
        let Keys { others, files } = Keys::deserialize(&mut json).map_err(|error| damaged(&error))?;
        json.end().map_err(|error| damaged(&error))?;
        match others.get("build_record").and_then(Value::as_u64) {
            Some(version) if version > u64::from(VERSION) => return Err(Problem::Later(version)),
            Some(_) | None => {}
        }
        let document = Self::deserialize(Value::Object(others)).map_err(|error| damaged(&error))?;
        Ok((document, files))
    }
}

/// The keys of a record.
struct Keys {
    /// All but the last.
    others: Map<String, Value>,
    files: Option<ContextFiles>,
}

impl<'de> Deserialize<'de> for Keys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(KeysVisitor)
    }
}

struct KeysVisitor;

impl<'de> Visitor<'de> for KeysVisitor {
    type Value = Keys;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a build record")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Keys, A::Error> {
        let mut keys = Keys { others: Map::new(), files: None };
        while let Some(key) = map.next_key::<String>()? {
            let version = keys.others.get("build_record").and_then(Value::as_u64);
            if key != CONTEXTS {
                let value = map.next_value()?;
                keys.others.insert(key, value);
            } else if version.is_some_and(|version| version > u64::from(VERSION)) {
                // Whatever that means.
                map.next_value::<IgnoredAny>()?;
            } else {
                keys.files = map.next_value::<Option<Listings>>()?.map(|listings| listings.0);
            }
        }
        Ok(keys)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use cogpack_backends_contract::content::Moment;
    use cogpack_diff::files::{Entry, Known, Listing, Look};
    use cogpack_ir::plan::{InputName, Mode};

    use super::*;
    use crate::record::listing::write;

    fn files() -> ContextFiles {
        let name = InputName::new("src").expect("is a name");
        let mut listing = Listing::new(name.clone());
        let moment = |seconds| Moment { seconds, nanoseconds: 7 };
        let look = Look { size: 5, inode: 12, modified: moment(-1), changed: moment(1) };
        for (path, entry) in [
            (&b"a.py"[..], Entry::File { mode: Mode::FILE, known: Known::Digest(Digest::of(b"1")) }),
            (b"d", Entry::Directory { mode: Mode::DIRECTORY }),
            (b"d/large", Entry::File { mode: Mode::FILE, known: Known::Look(look) }),
            (b"d/odd\xff\\x", Entry::Link { target: b"../\xfe".to_vec() }),
        ] {
            listing.add(path, entry).expect("is free");
        }
        let mut files = ContextFiles::default();
        files.insert(name, listing.done());
        files
    }

    fn document() -> Document {
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
                size: Some(30),
            }],
            layers: Vec::new(),
        }
    }

    fn text(document: &Document, files: &ContextFiles) -> String {
        let mut text = Vec::new();
        write!(text, "{}", document.to_text()).expect("is memory");
        write(files, &mut text).expect("is memory");
        String::from_utf8(text).expect("is text")
    }

    fn parse(text: &str) -> Result<(Document, Option<ContextFiles>), Problem> {
        Document::parse(text.as_bytes())
    }

    #[test]
    fn a_record_reads_as_it_was_written_and_however_it_is_laid_out() {
        let (document, listed) = (document(), files());
        let written = text(&document, &listed);
        assert!(written.starts_with(BEGINNING), "{written}");
        assert!(written.contains(r#""d/odd\\xff\\\\x": "-> ../\\xfe""#), "{written}");
        assert!(written.contains(r#""d/large": "0644 5 12 -1.000000007 1.000000007""#), "{written}");
        let value: Value = serde_json::from_str(&written).expect("is JSON");
        let as_json = |value: &Value| serde_json::to_string_pretty(value).expect("is JSON") + "\n";
        assert_eq!(serde_json::from_str::<Value>(&as_json(&value)).ok(), Some(value.clone()));
        // In another order, as who sorts keys writes it.
        for again in [written.clone(), as_json(&value), value.to_string()] {
            let (read, files) = parse(&again).expect("is a record");
            assert_eq!((read.to_text(), files.as_ref()), (document.to_text(), Some(&listed)), "{again}");
        }
        let nothing = text(&document, &ContextFiles::default());
        assert!(nothing.ends_with("\"contexts\": {}\n}\n"), "{nothing}");
        assert_eq!(parse(&nothing).expect("is a record").1, Some(ContextFiles::default()));
        let unlisted = nothing.replace("{}\n}", "null\n}");
        assert_eq!(parse(&unlisted).expect("is a record").1, None);
    }

    #[test]
    fn builds_are_equal_but_for_times_and_nothing_else() {
        let first = document();
        assert_eq!(Document::of_text(first.to_text().as_bytes()), Some(first.clone()));
        assert_eq!(Document::of_text(&first.to_text().as_bytes()[1..]), None);
        let changed = |change: fn(&mut Document)| {
            let mut other = document();
            change(&mut other);
            assert_ne!(other, first);
            other
        };
        for later in [changed(|it| it.took_ms = 7), changed(|it| it.ops[0].took_ms = Some(7))] {
            assert!(later.differs_in_times_alone(&first), "{later:?}");
        }
        for other in [
            changed(|it| it.image = Some(Text(Digest::of(b"other")))),
            changed(|it| it.builder = "direct".to_owned()),
            changed(|it| it.platforms.clear()),
            changed(|it| it.ops[0].took_ms = None),
            changed(|it| it.ops[0].state = Some(OpState::Cached)),
        ] {
            assert!(!other.differs_in_times_alone(&first), "{other:?}");
        }
    }

    #[test]
    fn what_is_cut_anywhere_or_changed_is_damaged_and_what_is_later_says_so() {
        let text = text(&document(), &files());
        for end in 0..text.len() - 2 {
            assert!(matches!(parse(&text[..end]), Err(Problem::Damaged(_))), "cut at {end}");
        }
        for (from, to) in [
            (r#""0755""#, r#""0999""#),
            (r#""0755""#, r#""77777""#),
            (r#""d": "0755""#, r#""d": "-> x""#),
            (r"odd\\xff", r"odd\\xf"),
            (r#""src""#, r#""s r c""#),
            (r#""took_ms": 1200"#, r#""took_ms": "long""#),
            ("0644 5 12 ", "0644 5 "),
            ("1.000000007\"", "1\""),
            ("1.000000007\"", "1.000000007 1\""),
            ("0644 5 12", "0644 -5 12"),
        ] {
            let changed = text.replace(from, to);
            assert_ne!(changed, text, "{from}");
            assert!(matches!(parse(&changed), Err(Problem::Damaged(_))), "{from}");
        }
        let later =
            text.replace("\"build_record\": 2", "\"build_record\": 3").replace("0644 5 12 ", "otherwise ");
        assert_eq!(parse(&later).err(), Some(Problem::Later(3)));
        // What was written before files were known by what the disk says of them.
        let (before, _) = text.split_once("      \"d/large\"").expect("is listed");
        let before = before.replace("\"build_record\": 2", "\"build_record\": 1");
        assert!(parse(&format!("{}\n}}}}}}", before.trim_end().trim_end_matches(','))).is_ok());
    }
}
