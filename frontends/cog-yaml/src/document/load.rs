//! From what the YAML reader meets, one thing after the other, to a tree.

use std::collections::BTreeMap;
use std::sync::Arc;

use cogpack_frontends_source::Place;
use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Span, Tag};

use super::offsets::Offsets;
use super::{Content, DEPTH, DocumentFinding, Key, MOST_VALUES, Node};

/// The keys of the first document, and what is wrong with the text. Nothing where the text is no
/// mapping; a text without any value is a mapping without keys.
pub(crate) fn load(text: &str) -> (Option<Arc<Node>>, Vec<DocumentFinding>) {
    let mut loading = Loading {
        text,
        offsets: Offsets::of(text),
        open: Vec::new(),
        anchors: BTreeMap::new(),
        values: 0,
        root: None,
        documents: 0,
        findings: Vec::new(),
    };
    for met in Parser::new_from_str(text) {
        match met {
            Err(error) => {
                loading.findings.push(loading.syntax(&error));
                return (None, loading.findings);
            }
            Ok((event, span)) => {
                if let Err(finding) = loading.take(event, &span) {
                    loading.findings.push(finding);
                    return (None, loading.findings);
                }
            }
        }
    }
    let Loading { root, mut findings, .. } = loading;
    let Some(root) = root else {
        let place = Place::of(text, 0, 0);
        return (Some(Arc::new(Node { place, content: Content::Mapping(Vec::new()), size: 1 })), findings);
    };
    match &root.content {
        Content::Mapping(_) => (Some(root), findings),
        Content::Null => {
            let content = Content::Mapping(Vec::new());
            (Some(Arc::new(Node { place: root.place, content, size: 1 })), findings)
        }
        Content::List(_) | Content::Scalar { .. } => {
            findings.push(DocumentFinding::NotAMapping { found: root.in_words(), place: root.place });
            (None, findings)
        }
    }
}

struct Loading<'t> {
    text: &'t str,
    offsets: Offsets<'t>,
    open: Vec<Open>,
    anchors: BTreeMap<usize, Arc<Node>>,
    values: usize,
    root: Option<Arc<Node>>,
    documents: usize,
    findings: Vec<DocumentFinding>,
}

/// A list or a mapping that is being read.
struct Open {
    anchor: usize,
    start: Marker,
    size: usize,
    kind: Kind,
}

enum Kind {
    List(Vec<Arc<Node>>),
    /// With the key whose value comes next; `Some(None)` for a key that was refused.
    Mapping(Vec<(Key, Arc<Node>)>, Option<Option<Key>>),
}

impl<'t> Loading<'t> {
    fn take(&mut self, event: Event<'t>, span: &Span) -> Result<(), DocumentFinding> {
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
            Event::DocumentStart(_) => {
                self.documents += 1;
                match self.documents {
                    2 => Err(DocumentFinding::Several { place: self.offsets.line(span) }),
                    _ => Ok(()),
                }
            }
            Event::Alias(anchor) => {
                let place = self.offsets.place(span);
                let node = self.anchors.get(&anchor).ok_or(DocumentFinding::Alias { place })?;
                let node = Arc::clone(node);
                self.count(node.size, place)?;
                self.put(node, place);
                Ok(())
            }
            Event::Scalar(text, style, anchor, tag) => {
                let place = match style {
                    ScalarStyle::Literal | ScalarStyle::Folded => self.offsets.line(span),
                    ScalarStyle::Plain | ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => {
                        self.offsets.place(span)
                    }
                };
                let is_text = self.tag(tag.as_deref(), place);
                self.count(1, place)?;
                let is_plain = style == ScalarStyle::Plain && !is_text;
                let is_null = is_plain && matches!(&*text, "" | "~" | "null" | "Null" | "NULL");
                let content = match is_null {
                    true => Content::Null,
                    false => Content::Scalar { text: text.into_owned(), is_plain },
                };
                self.finish(Node { place, content, size: 1 }, anchor);
                Ok(())
            }
            Event::SequenceStart(anchor, tag) => {
                self.open(anchor, tag.as_deref(), span, Kind::List(Vec::new()))
            }
            Event::MappingStart(anchor, tag) => {
                self.open(anchor, tag.as_deref(), span, Kind::Mapping(Vec::new(), None))
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(Open { anchor, start, size, kind }) = self.open.pop() else { return Ok(()) };
                let place = self.offsets.place(&Span::new(start, span.end));
                let content = match kind {
                    Kind::List(items) => Content::List(items),
                    Kind::Mapping(entries, _) => Content::Mapping(entries),
                };
                self.finish(Node { place, content, size }, anchor);
                Ok(())
            }
        }
    }

    fn open(
        &mut self,
        anchor: usize,
        tag: Option<&Tag>,
        span: &Span,
        kind: Kind,
    ) -> Result<(), DocumentFinding> {
        let place = self.offsets.line(span);
        self.tag(tag, place);
        if self.open.len() >= DEPTH {
            return Err(DocumentFinding::Nested { place });
        }
        self.count(1, place)?;
        self.open.push(Open { anchor, start: span.start, size: 1, kind });
        Ok(())
    }

    fn count(&mut self, values: usize, place: Place) -> Result<(), DocumentFinding> {
        self.values = self.values.saturating_add(values);
        if self.values > MOST_VALUES { Err(DocumentFinding::Size { place }) } else { Ok(()) }
    }

    /// Whether a tag says that the value is a text. Others of YAML's own say what is so anyhow.
    fn tag(&mut self, tag: Option<&Tag>, place: Place) -> bool {
        let Some(tag) = tag else { return false };
        let known = ["bool", "float", "int", "map", "null", "seq", "str"];
        if !tag.is_yaml_core_schema() || !known.contains(&&*tag.suffix) {
            let tag = format!("{}{}", tag.handle, tag.suffix);
            self.findings.push(DocumentFinding::Tag { tag, place });
        }
        tag.suffix == "str"
    }

    fn finish(&mut self, node: Node, anchor: usize) {
        let place = node.place;
        let node = Arc::new(node);
        if anchor != 0 {
            self.anchors.insert(anchor, Arc::clone(&node));
        }
        self.put(node, place);
    }

    /// Puts a value into what is open, as the next key or as the value of the last one.
    fn put(&mut self, node: Arc<Node>, place: Place) {
        let Some(open) = self.open.last_mut() else {
            self.root.get_or_insert(node);
            return;
        };
        open.size = open.size.saturating_add(node.size);
        match &mut open.kind {
            Kind::List(items) => items.push(node),
            Kind::Mapping(entries, waiting) => match waiting.take() {
                Some(Some(key)) => entries.push((key, node)),
                Some(None) => {}
                None => {
                    let key = match &node.content {
                        Content::Scalar { text, is_plain } if text != "<<" || !is_plain => {
                            let first = entries.iter().find(|(other, _)| other.text == *text);
                            match first.map(|(other, _)| other.place) {
                                None => Ok(Key { text: text.clone(), place }),
                                Some(first) => {
                                    Err(DocumentFinding::Duplicate { key: text.clone(), place, first })
                                }
                            }
                        }
                        Content::Scalar { .. } => Err(DocumentFinding::Merge { place }),
                        Content::Null | Content::List(_) | Content::Mapping(_) => {
                            Err(DocumentFinding::OddKey { found: node.in_words(), place })
                        }
                    };
                    *waiting = Some(key.map_err(|finding| self.findings.push(finding)).ok());
                }
            },
        }
    }

    fn syntax(&self, error: &ScanError) -> DocumentFinding {
        let place = self.offsets.at(error.marker());
        let line = self.line_with(error.marker());
        let indent = line.len() - line.trim_start().len();
        let tab = line.get(..indent).unwrap_or_default().find('\t');
        if let Some(tab) = tab {
            let start = place.start.min(self.text.len());
            let begin = self.text.get(..start).and_then(|before| before.rfind('\n')).map_or(0, |end| end + 1);
            return DocumentFinding::Tab { place: Place { start: begin + tab, length: 1, ..place } };
        }
        let problem = match error.info() {
            "while parsing node, found unknown anchor" => "nothing above has the anchor of this alias",
            "mapping values are not allowed in this context" => {
                "a `:` where a value, and not a key, was being read"
            }
            "while parsing a block mapping, did not find expected key" => {
                "this belongs to no key: it begins in another column than the keys above it"
            }
            other => other,
        };
        let way_out = match self.text.get(place.start..).and_then(|rest| rest.chars().next()) {
            Some('@' | '`' | '%' | '&' | '*' | '!' | '|' | '>') => {
                "put a text that begins with this character in quotes"
            }
            None => "close what is still open: a bracket, a brace or a quote",
            Some(_) if line.matches(": ").count() > 1 => "put a text that holds `: ` in quotes",
            Some(_) => {
                "look at this line and the one above it: whether what belongs together is indented alike, \
                 and whether each key has `: ` behind it and each quote and bracket its end"
            }
        };
        DocumentFinding::Syntax { problem: problem.to_owned(), way_out: way_out.to_owned(), place }
    }

    fn line_with(&self, marker: &Marker) -> &'t str {
        self.text.lines().nth(marker.line().saturating_sub(1)).unwrap_or_default()
    }
}
