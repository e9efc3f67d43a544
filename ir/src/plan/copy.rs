//! `copy`: files from an input into the stage.

use super::input::Input;
use super::owner::{Mode, Owner};
use super::path_rules::PathRules;
use super::span::Spanned;
use super::template::Template;

/// One copy. The three forms say which of three things happens, so that no rule depends on
/// slashes or on what exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copy {
    /// What is copied where.
    pub form: CopyForm,
    /// Where it is copied from.
    pub from: Spanned<Input>,
    /// `replace`: the destination is removed first.
    pub replace: bool,
    /// `optional`: that nothing matches is fine; otherwise it is an error.
    pub optional: bool,
    /// `follow`: a link is replaced by what it points to; otherwise links stay links.
    pub follow: bool,
    /// `owner U:G`: the owner of all that is copied; root otherwise.
    pub owner: Option<Spanned<Owner>>,
    /// `mode M`: the mode of all files and directories copied; kept otherwise.
    pub mode: Option<Spanned<Mode>>,
    /// What is taken of a copied directory; patterns are relative to it.
    pub rules: PathRules,
}

/// What is copied where. Sources are relative to the root of the input; destinations are absolute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CopyForm {
    /// `copy A … to B`: B is A afterwards: a file, or a directory with A's content merged in.
    To {
        /// A: no wildcards.
        source: Spanned<Template>,
        /// B.
        destination: Spanned<Template>,
    },
    /// `copy A… … into D`: each A lands in the directory D under its own name.
    Into {
        /// Each A; wildcards are allowed only here. The order has no meaning.
        sources: Vec<Spanned<Template>>,
        /// D.
        directory: Spanned<Template>,
    },
    /// `copy contents A … to D`: what is inside the directory A lands in the directory D.
    Contents {
        /// A: no wildcards.
        directory: Spanned<Template>,
        /// D.
        destination: Spanned<Template>,
    },
}

impl CopyForm {
    /// B or D: where the copy lands.
    pub fn destination(&self) -> &Spanned<Template> {
        match self {
            Self::To { destination, .. } | Self::Contents { destination, .. } => destination,
            Self::Into { directory, .. } => directory,
        }
    }

    /// All that is copied, as it was written.
    pub fn sources(&self) -> &[Spanned<Template>] {
        match self {
            Self::To { source, .. } => std::slice::from_ref(source),
            Self::Into { sources, .. } => sources,
            Self::Contents { directory, .. } => std::slice::from_ref(directory),
        }
    }
}
