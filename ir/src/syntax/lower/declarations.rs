//! Declarations, the small ones with all they say.

use std::collections::BTreeSet;

use cogpack_content::Platform;

use super::values::operands;
use super::{Lowering, Pair};
use crate::plan::{
    BaseImage, CacheName, Context, Export, InputName, Phase, PhaseName, SecretName, Span, Spanned, Stage,
};
use crate::syntax::comments::Anchor;
use crate::syntax::findings::SyntaxFinding;
use crate::syntax::grammar::Rule;

/// One declaration.
pub(in crate::syntax) enum Declaration {
    /// `cpk 1`: the whole statement, and the version in it.
    Header { statement: Span, version: Spanned<String> },
    /// `platform …`
    Platform(Spanned<Platform>),
    /// `image …`
    Image(InputName, Box<BaseImage>),
    /// `context …`
    Context(InputName, Box<Context>),
    /// `secret …`
    Secret { name: Spanned<SecretName>, optional: bool },
    /// `cache …`
    Cache(Spanned<CacheName>),
    /// `phase …`
    Phase(PhaseName, Box<Phase>),
    /// `stage …`
    Stage(Box<Stage>),
    /// `export …`
    Export(Box<Export>),
}

impl Declaration {
    /// The whole statement and the version of a header.
    pub(in crate::syntax) fn header(&self) -> Option<(Span, &Spanned<String>)> {
        match self {
            Self::Header { statement, version } => Some((*statement, version)),
            Self::Platform(_)
            | Self::Image(..)
            | Self::Context(..)
            | Self::Secret { .. }
            | Self::Cache(_)
            | Self::Phase(..)
            | Self::Stage(_)
            | Self::Export(_) => None,
        }
    }
}

impl<'t> Lowering<'t> {
    pub(super) fn lower_declaration(&mut self, pair: Pair<'t>) -> Option<Declaration> {
        let span = self.span(&pair);
        match pair.as_rule() {
            Rule::stage | Rule::broken_stage => {
                self.stage(pair).map(|stage| Declaration::Stage(Box::new(stage)))
            }
            Rule::image | Rule::broken_image => {
                let (name, image) = self.image(pair)?;
                Some(Declaration::Image(name, Box::new(image)))
            }
            Rule::context => {
                let (name, context) = self.context(pair)?;
                Some(Declaration::Context(name, Box::new(context)))
            }
            Rule::phase => self.phase(pair),
            Rule::export | Rule::broken_export => {
                self.export(pair).map(|export| Declaration::Export(Box::new(export)))
            }
            Rule::secret => {
                let optional = pair.clone().into_inner().any(|part| part.as_rule() == Rule::kw_optional);
                let name: Spanned<SecretName> = self.name(&operands(pair).next()?)?;
                self.note(span, None, Anchor::of(name.span));
                Some(Declaration::Secret { name, optional })
            }
            Rule::cache => {
                let name: Spanned<CacheName> = self.name(&operands(pair).next()?)?;
                self.note(span, None, Anchor::of(name.span));
                Some(Declaration::Cache(name))
            }
            Rule::platform => {
                let written = operands(pair).next()?;
                let platform = self.value(&written, "write it like `linux/amd64` or `linux/arm/v7`")?;
                let platform = Spanned::new(platform, self.span(&written));
                self.note(span, None, Anchor::of(platform.span));
                Some(Declaration::Platform(platform))
            }
            Rule::header => {
                let version = operands(pair).next()?;
                self.note(span, None, Anchor::HEADER);
                let version = Spanned::new(version.as_str().to_owned(), self.span(&version));
                Some(Declaration::Header { statement: span, version })
            }
            _ => None,
        }
    }

    fn phase(&mut self, pair: Pair<'t>) -> Option<Declaration> {
        let statement = self.span(&pair);
        let mut name: Option<Spanned<PhaseName>> = None;
        let mut phase = Phase { after: BTreeSet::new(), parallel: false, span: Span::NOWHERE };
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::phase_name => name = self.name(&part),
                Rule::kw_parallel => phase.parallel = true,
                Rule::after => {
                    for before in operands(part) {
                        let Some(before) = self.name::<PhaseName>(&before) else { continue };
                        if let Some(first) = phase.after.get(&before) {
                            self.findings.push(SyntaxFinding::Twice {
                                what: format!("`after {before}`"),
                                first: first.span.into(),
                                second: before.span.into(),
                            });
                        }
                        phase.after.insert(before);
                    }
                }
                _ => {}
            }
        }
        let name = name?;
        phase.span = name.span;
        self.note(statement, None, Anchor::of(name.span));
        Some(Declaration::Phase(name.value, Box::new(phase)))
    }
}
