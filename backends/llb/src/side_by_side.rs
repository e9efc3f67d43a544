//! Stages of a parallel phase that may write one path, though the plan does not show it.
//!
//! What the ops of a plan name is compared when the plan is checked. What a program writes and what
//! lies in a copied directory is known when it is there, and no BuildKit op compares it: a merge
//! takes the last. Whoever can list what a daemon makes can look before the image is handed over:
//! [`comparisons`] says at what. A definition by itself cannot make a daemon look.

use cogpack_backends_contract::glob::has_wildcard;
use cogpack_content::Digest;
use cogpack_ir::plan::{CopyForm, Op, OpKind, PhaseName, Span, Spanned, StageName, Template, for_each_op};
use cogpack_ir::resolve::{Merge, Resolved};
use miette::{Diagnostic, SourceSpan};

use crate::LlbImage;
use crate::lower::paths;
use crate::part::Whole;

/// A parallel phase whose stages may write one path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SideBySide {
    /// The phase.
    pub phase: PhaseName,
    /// Where the plan declares it.
    pub span: Span,
    /// The vertex that the stages start from; none for the empty filesystem.
    pub before: Option<Digest>,
    /// The stages. None where the daemon has no vertex for what they change: then nobody can look.
    pub stages: Vec<Changed<Digest>>,
}

/// A stage of a parallel phase, and vertices of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed<V> {
    /// The stage.
    pub stage: Spanned<StageName>,
    /// All that it changes.
    pub changes: V,
    /// All that it leaves.
    pub after: V,
}

impl<V> Changed<V> {
    /// The same with other words for the vertices.
    pub(crate) fn map<W>(self, change: impl Fn(V) -> W) -> Changed<W> {
        Changed { stage: self.stage, changes: change(self.changes), after: change(self.after) }
    }
}

/// What the stages of a phase change, each as a definition that ends with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison<'i> {
    /// The phase.
    pub phase: &'i PhaseName,
    /// What they start from, as a `pb.Definition`.
    pub before: Option<Vec<u8>>,
    /// The stages, each with a `pb.Definition` of what it changes and of what it leaves.
    pub stages: Vec<Changed<Vec<u8>>>,
}

/// A warning: a phase whose stages nobody compares.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Diagnostic)]
#[error("nobody looks whether two stages of the parallel phase `{phase}` write one path")]
#[diagnostic(
    severity(Warning),
    code("cpk::llb::parallel"),
    help(
        "build with `cogpackc build` and a daemon that merges (BuildKit 0.10 or newer), which looks; or leave out `parallel`"
    )
)]
pub struct NotCompared {
    /// The phase.
    pub phase: PhaseName,
    /// Where the plan declares it.
    #[label("of two files at one path, a daemon takes the one of the later stage")]
    pub span: Option<SourceSpan>,
}

/// Which phases a warning is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// All: of a definition that is written nobody looks after any.
    All,
    /// Those of which nobody can tell what the stages change.
    Hidden,
}

/// The phases of images whose stages nobody compares.
pub fn not_compared(images: &[LlbImage], of: Of) -> Vec<NotCompared> {
    let mut found: Vec<NotCompared> = Vec::new();
    let phases = images.iter().flat_map(|image| &image.side_by_side);
    for phase in phases.filter(|phase| of == Of::All || phase.stages.is_empty()) {
        let one = NotCompared { phase: phase.phase.clone(), span: phase.span.place() };
        if !found.contains(&one) {
            found.push(one);
        }
    }
    found
}

/// What of an image can be compared.
pub fn comparisons(image: &LlbImage) -> Vec<Comparison<'_>> {
    if image.side_by_side.iter().all(|phase| phase.stages.is_empty()) {
        return Vec::new();
    }
    let whole = Whole::of(image);
    let phases = image.side_by_side.iter().filter(|phase| !phase.stages.is_empty());
    let compared = phases.map(|SideBySide { phase, before, stages, .. }| Comparison {
        phase,
        before: before.map(|before| whole.up_to(before)),
        stages: stages.iter().map(|stage| stage.clone().map(|vertex| whole.up_to(vertex))).collect(),
    });
    compared.collect()
}

/// Where an op may write what the plan does not show.
enum Reach {
    /// Anywhere.
    Anywhere,
    /// At a path and below it.
    Below(String),
    /// At a path.
    At(String),
}

/// Whether two stages of a phase may write one path that the plan does not show to be one.
pub(crate) fn may_meet(plan: &Resolved, merge: &Merge) -> bool {
    let reaches = |id| {
        let mut reaches = Vec::new();
        for_each_op(&plan.stage(id).ops, &mut |op| of_op(op, &mut reaches));
        reaches
    };
    let stages: Vec<Vec<Reach>> = merge.branches.iter().map(|&id| reaches(id)).collect();
    let mut pairs =
        stages.iter().enumerate().flat_map(|(at, one)| stages[..at].iter().map(move |it| (one, it)));
    pairs.any(|(one, other)| one.iter().any(|one| other.iter().any(|other| one.may_meet(other))))
}

impl Reach {
    fn may_meet(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Anywhere, _) | (_, Self::Anywhere) => true,
            // These the plan shows.
            (Self::At(_), Self::At(_)) => false,
            (Self::Below(above), Self::At(path)) | (Self::At(path), Self::Below(above)) => {
                is_below(path, above)
            }
            (Self::Below(one), Self::Below(other)) => is_below(one, other) || is_below(other, one),
        }
    }
}

fn is_below(path: &str, above: &str) -> bool {
    let rest = path.strip_prefix(above.trim_end_matches('/'));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn of_op(op: &Op, reaches: &mut Vec<Reach>) {
    let below = |path: &Spanned<Template>| match paths::path(path) {
        Ok(path) => Reach::Below(path.into_owned()),
        Err(_) => Reach::Anywhere,
    };
    let at = |path: &Spanned<Template>| match paths::path(path) {
        Ok(path) => Reach::At(path.into_owned()),
        Err(_) => Reach::Anywhere,
    };
    match &op.kind {
        OpKind::Run { .. } | OpKind::Exec { .. } => reaches.push(Reach::Anywhere),
        OpKind::Copy(copy) => match &copy.form {
            CopyForm::Into { sources, directory } if !copy.replace => {
                for source in sources {
                    let named = paths::path(source).ok().filter(|path| !has_wildcard(path));
                    let name = named.as_deref().and_then(paths::split).map(|(_, name)| name.to_owned());
                    reaches.push(match (name, paths::path(directory)) {
                        (Some(name), Ok(directory)) => {
                            Reach::Below(format!("{}{name}", paths::with_slash(&directory)))
                        }
                        (None, Ok(_)) => below(directory),
                        (_, Err(_)) => Reach::Anywhere,
                    });
                }
            }
            CopyForm::Into { .. } | CopyForm::To { .. } | CopyForm::Contents { .. } => {
                reaches.push(below(copy.form.destination()));
            }
        },
        OpKind::Remove(remove) => reaches.push(below(&remove.path)),
        OpKind::File(file) => reaches.push(at(&file.path)),
        OpKind::Mkdir(made) => reaches.push(at(&made.path)),
        OpKind::Symlink(link) => reaches.push(at(&link.path)),
        OpKind::Workdir(workdir) => reaches.push(at(workdir)),
        OpKind::Env(_) | OpKind::User(_) | OpKind::Shell(_) | OpKind::Layer(_) | OpKind::By(_) => {}
    }
}
