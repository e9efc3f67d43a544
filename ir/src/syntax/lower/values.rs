//! Values: strings, names, digests, modes and numbers.

use std::fmt::Display;
use std::str::FromStr;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cogpack_content::Digest;

use super::{Lowering, Pair};
use crate::plan::names::InvalidName;
use crate::plan::{
    BlockName, CacheName, EnvName, FileContent, Input, InputName, LayerName, Mode, Owner, PhaseName,
    SecretName, Span, Spanned, SshName, StageName, Template,
};
use crate::syntax::findings::SyntaxFinding;
use crate::syntax::grammar::Rule;
use crate::syntax::strings;

/// A kind of names: how one is made of a word, and its sigil.
pub(super) trait Name: Sized {
    const SIGIL: &'static str;
    fn of_word(word: &str) -> Result<Self, InvalidName>;
}

macro_rules! names {
    ($($name:ident $sigil:literal),*) => {$(
        impl Name for $name {
            const SIGIL: &'static str = $sigil;
            fn of_word(word: &str) -> Result<Self, InvalidName> {
                Self::new(word)
            }
        }
    )*};
}

names!(
    StageName "%", InputName "@", PhaseName "", SecretName "", CacheName "", SshName "", LayerName "",
    BlockName "", EnvName ""
);

/// Whether a pair is a string or a path.
pub(super) fn is_text(pair: &Pair<'_>) -> bool {
    matches!(pair.as_rule(), Rule::quoted | Rule::text_block | Rule::bare_path)
}

/// What stands in `pair` after its keywords.
pub(super) fn operands<'t>(pair: Pair<'t>) -> impl Iterator<Item = Pair<'t>> {
    pair.into_inner().filter(|part| !part.as_str().is_empty() && !is_keyword(part))
}

fn is_keyword(pair: &Pair<'_>) -> bool {
    crate::syntax::words::is_keyword(pair.as_rule())
}

impl<'t> Lowering<'t> {
    /// The text of a string or path.
    pub(super) fn string(&mut self, pair: &Pair<'t>) -> String {
        self.text_of(pair).into_owned()
    }

    fn text_of(&mut self, pair: &Pair<'t>) -> std::borrow::Cow<'t, str> {
        if pair.as_rule() == Rule::bare_path {
            return pair.as_str().into();
        }
        strings::read(pair.as_str(), self.base + pair.as_span().start(), &mut self.findings)
    }

    /// A string and its place.
    pub(super) fn spanned_string(&mut self, pair: &Pair<'t>) -> Spanned<String> {
        Spanned::new(self.string(pair), self.span(pair))
    }

    /// A string with variables, and its place.
    pub(super) fn template(&mut self, pair: &Pair<'t>) -> Spanned<Template> {
        Spanned::new(Template::written(&self.text_of(pair)), self.span(pair))
    }

    /// The strings of a list.
    pub(super) fn list(&mut self, pair: &Pair<'t>) -> Spanned<Vec<String>> {
        let strings = pair.clone().into_inner().filter(is_text).map(|part| self.string(&part)).collect();
        Spanned::new(strings, self.span(pair))
    }

    /// A name, with or without quotes.
    pub(super) fn name<N: Name>(&mut self, pair: &Pair<'t>) -> Option<Spanned<N>> {
        let written = if is_text(pair) { self.text_of(pair) } else { pair.as_str().into() };
        let word = written.strip_prefix(N::SIGIL).unwrap_or(&written);
        let span = self.span(pair);
        match N::of_word(word) {
            Ok(name) => Some(Spanned::new(name, span)),
            Err(InvalidName { kind, rule, .. }) => {
                self.findings.push(SyntaxFinding::Name {
                    text: written.clone().into_owned(),
                    kind,
                    rule,
                    example: format!("{}{}", N::SIGIL, likeness(word)),
                    at: span.into(),
                });
                None
            }
        }
    }

    /// A value that knows how to read itself.
    pub(super) fn value<V: FromStr<Err: Display>>(&mut self, pair: &Pair<'t>, help: &str) -> Option<V> {
        match pair.as_str().parse() {
            Ok(value) => Some(value),
            Err(error) => {
                self.refuse(error.to_string(), help, self.span(pair));
                None
            }
        }
    }

    /// Reports a value that cannot be used.
    pub(super) fn refuse(&mut self, reason: String, help: &str, at: Span) {
        self.findings.push(SyntaxFinding::Value { reason, help: help.to_owned(), at: at.into() });
    }

    /// A digest.
    pub(super) fn digest(&mut self, pair: &Pair<'t>) -> Option<Digest> {
        self.value(pair, "copy the whole digest from where it was printed")
    }

    /// The mode of a `mode` statement.
    pub(super) fn mode(&mut self, setting: Pair<'t>) -> Option<Spanned<Mode>> {
        let pair = operands(setting).next()?;
        let mode = self.value(&pair, "write the permission bits in octal, for instance `0755`")?;
        Some(Spanned::new(mode, self.span(&pair)))
    }

    /// The owner of an `owner` modifier.
    pub(super) fn owner(&mut self, setting: Pair<'t>) -> Option<Spanned<Owner>> {
        let pair = operands(setting).next()?;
        let owner = self.value(&pair, "write names or numbers, for instance `app:app` or `1000:1000`")?;
        Some(Spanned::new(owner, self.span(&pair)))
    }

    /// A whole number.
    pub(super) fn number<N: FromStr>(&mut self, pair: &Pair<'t>) -> Option<N> {
        let digits = pair.as_str();
        let value = digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok()).flatten();
        if value.is_none() {
            let reason = format!("`{digits}` is not a number that fits here");
            self.refuse(reason, "write a whole number in digits", self.span(pair));
        }
        value
    }

    /// Seconds, written `30s`; minutes and hours are accepted.
    pub(super) fn seconds(&mut self, pair: &Pair<'t>) -> Option<u64> {
        let written = pair.as_str();
        let value = [("s", 1), ("m", 60), ("h", 3600)]
            .into_iter()
            .find_map(|(unit, factor)| scaled(written.strip_suffix(unit)?, factor));
        if value.is_none() {
            let reason = format!("`{written}` is not a duration");
            self.refuse(reason, "write a whole number of seconds, for instance `30s`", self.span(pair));
        }
        value
    }

    /// Bytes, plain or in binary units: `4096`, `64k`, `64m`, `1g`.
    pub(super) fn bytes(&mut self, pair: &Pair<'t>) -> Option<u64> {
        let written = pair.as_str();
        let value = [("k", 1 << 10), ("m", 1 << 20), ("g", 1 << 30), ("", 1)]
            .into_iter()
            .find_map(|(unit, factor)| scaled(written.strip_suffix(unit)?, factor));
        if value.is_none() {
            let reason = format!("`{written}` is not a size");
            self.refuse(reason, "write bytes in digits, or with a unit: `64k`, `64m`, `1g`", self.span(pair));
        }
        value
    }

    /// An input.
    pub(super) fn input(&mut self, pair: &Pair<'t>) -> Option<Spanned<Input>> {
        let span = self.span(pair);
        let mut parts = pair.clone().into_inner();
        let first = parts.next()?;
        let input = match first.as_rule() {
            Rule::kw_scratch => Input::Scratch,
            Rule::kw_image => Input::Image(self.name(&parts.next()?)?.value),
            Rule::kw_phase => Input::Phase(self.name(&parts.next()?)?.value),
            Rule::stage_name => Input::Stage(self.name(&first)?.value),
            _ => Input::Context(self.name(&first)?.value),
        };
        Some(Spanned::new(input, span))
    }

    /// The content of a file, as text or in base64.
    pub(super) fn content(&mut self, pair: &Pair<'t>) -> FileContent {
        if pair.as_rule() != Rule::base64 {
            return FileContent(Arc::from(self.text_of(pair).as_bytes()));
        }
        let Some(inside) = operands(pair.clone()).next() else { return FileContent(Arc::from([])) };
        let written = self.text_of(&inside);
        let bytes = STANDARD.decode(written.as_bytes()).unwrap_or_else(|_| {
            let reason = "the content is not base64".to_owned();
            let help = "write the bytes as `base64 -w0 FILE` prints them, padded with `=`";
            self.refuse(reason, help, self.span(&inside));
            Vec::new()
        });
        FileContent(bytes.into())
    }
}

/// A number in digits, times `factor`.
fn scaled(digits: &str, factor: u64) -> Option<u64> {
    let is_plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_plain.then(|| digits.parse::<u64>().ok()?.checked_mul(factor)).flatten()
}

/// A name like `word` that every kind of names allows.
fn likeness(word: &str) -> String {
    let parts: Vec<&str> =
        word.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|part| !part.is_empty()).collect();
    let name: String = parts.join("_").chars().take(40).collect();
    match name.chars().next() {
        Some(first) if first.is_ascii_alphabetic() => name,
        Some(_) => format!("n{name}"),
        None => "name".to_owned(),
    }
}
