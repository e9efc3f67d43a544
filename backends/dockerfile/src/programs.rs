//! Whether there can be programs in a stage: without any, nothing can be run that the plan does
//! not say, so `remove` and the like have to do without `rm`.

use std::collections::BTreeMap;

use cogpack_ir::plan::{ContextKind, Input, InputName, OpKind, Span, StageName};
use cogpack_ir::resolve::Step;

use crate::lowering::Lowering;
use crate::section::{Section, absolute};

// The programs of an image that are called here. They are named whole: `PATH` is the plan's, and may
// lead to others. Debian, Fedora and Alpine have them at these places.
pub(crate) const CHMOD: &str = "/bin/chmod";
pub(crate) const CHOWN: &str = "/bin/chown";
pub(crate) const FALSE: &str = "/bin/false";
pub(crate) const GREP: &str = "/bin/grep";
pub(crate) const MKDIR: &str = "/bin/mkdir";
pub(crate) const RM: &str = "/bin/rm";
pub(crate) const SHELL: &str = "/bin/sh";
pub(crate) const ENV: &str = "/usr/bin/env";
pub(crate) const FIND: &str = "/usr/bin/find";
pub(crate) const INSTALL: &str = "/usr/bin/install";
pub(crate) const TEST: &str = "/usr/bin/test";

/// All programs that are called here, those of scripts included.
const CALLED: [&str; 14] = [
    CHMOD,
    CHOWN,
    FALSE,
    GREP,
    MKDIR,
    RM,
    SHELL,
    ENV,
    FIND,
    INSTALL,
    TEST,
    "/bin/cat",
    "/bin/mv",
    "/bin/rmdir",
];

/// The programs that are needed of sets of packages, by set, each with what of the plan needs it first.
pub(crate) type Needed = BTreeMap<InputName, BTreeMap<&'static str, Span>>;

/// Directories that programs are in.
const WITH_PROGRAMS: [&str; 4] = ["/", "/bin", "/usr", "/sbin"];

impl Lowering<'_> {
    /// Whether an input is a filesystem without programs.
    pub(crate) fn is_bare(&self, input: &Input) -> bool {
        match input {
            Input::Scratch => true,
            Input::Stage(name) => self.bare.contains(name),
            Input::Phase(name) => self.bare_phases.contains(name),
            Input::Image(_) | Input::Context(_) => false,
        }
    }

    /// The context whose packages are all the programs that an input has, where there is one.
    pub(crate) fn packages_of(&self, input: &Input) -> Option<InputName> {
        match input {
            Input::Stage(name) => self.packages.get(name).cloned(),
            Input::Context(name) => {
                let kind = &self.plan.plan().contexts.get(name)?.kind;
                matches!(kind, ContextKind::Debs(_)).then(|| name.clone())
            }
            Input::Scratch | Input::Image(_) | Input::Phase(_) => None,
        }
    }

    /// Notes that an instruction of ours runs programs, which must be among these packages.
    pub(crate) fn needs(&mut self, packages: Option<&InputName>, argv: &[impl AsRef<str>], span: Span) {
        let Some(packages) = packages else { return };
        let needed = self.needed.entry(packages.clone()).or_default();
        let words =
            argv.iter().flat_map(|text| text.as_ref().split(|it: char| it.is_whitespace() || it == ';'));
        for word in words {
            if let Some(program) = CALLED.iter().find(|program| **program == word) {
                needed.entry(program).or_insert(span);
            }
        }
    }
}

/// Whether an op may bring programs to where they are called.
pub(crate) fn may_bring(op: &OpKind) -> bool {
    let is_copy = !matches!(op, OpKind::Workdir(_) | OpKind::Mkdir(_) | OpKind::Remove(_));
    is_copy && ["/bin", "/usr/bin"].iter().any(|place| touches(op, place))
}

/// Who has made what an input holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Made {
    /// The plan, of its own files and of directories.
    Plainly,
    /// The plan, with copies of what programs have made.
    WithCopies,
    /// Programs: those of an image or of packages, or those that the plan runs. There are programs in it.
    ByPrograms,
}

/// Looks at all that led to what an input holds, whose stages are lowered already.
pub(crate) fn made(lowering: &Lowering<'_>, input: &Input) -> Made {
    let plan = lowering.plan;
    match input {
        Input::Scratch => Made::Plainly,
        Input::Image(_) => Made::ByPrograms,
        Input::Context(name) => match plan.plan().contexts.get(name).map(|context| &context.kind) {
            Some(ContextKind::Oci(_) | ContextKind::Debs(_)) => Made::ByPrograms,
            Some(
                ContextKind::Directory(_)
                | ContextKind::Http(_)
                | ContextKind::Git(_)
                | ContextKind::Files(_)
                | ContextKind::Wheels(_),
            )
            | None => Made::Plainly,
        },
        Input::Stage(name) => match lowering.made.get(name) {
            Some(made) => *made,
            None => made_in(lowering, name),
        },
        Input::Phase(name) => {
            let merge = plan.merge(name);
            let branches = merge.branches.iter().map(|id| plan.stage(*id).name.value.clone());
            branches
                .map(Input::Stage)
                .map(|it| made(lowering, &it))
                .fold(made(lowering, &merge.base), Made::max)
        }
    }
}

/// The same of what a stage leaves.
pub(crate) fn made_in(lowering: &Lowering<'_>, stage: &StageName) -> Made {
    let plan = lowering.plan;
    let id = plan.id(stage);
    let from = plan.stage(id).from.as_ref();
    let start = from.map_or(Made::Plainly, |from| made(lowering, &from.value));
    plan.steps(id).iter().map(|step| made_by(lowering, &step.op.kind)).fold(start, Made::max)
}

fn made_by(lowering: &Lowering<'_>, op: &OpKind) -> Made {
    match op {
        OpKind::Run { .. } | OpKind::Exec { .. } => Made::ByPrograms,
        OpKind::Copy(copy) => made(lowering, &copy.from.value).min(Made::WithCopies),
        OpKind::File(_)
        | OpKind::Mkdir(_)
        | OpKind::Symlink(_)
        | OpKind::Remove(_)
        | OpKind::Env(_)
        | OpKind::Workdir(_)
        | OpKind::User(_)
        | OpKind::Shell(_)
        | OpKind::Layer(_)
        | OpKind::By(_) => Made::Plainly,
    }
}

/// Whether an op may bring programs into a stage that has none.
pub(crate) fn come_with(section: &Section<'_, '_>, op: &OpKind) -> bool {
    match op {
        OpKind::Run { .. } | OpKind::Exec { .. } => true,
        OpKind::Copy(copy) => match &copy.from.value {
            Input::Image(_) => true,
            Input::Stage(_) | Input::Phase(_) => !section.lowering.is_bare(&copy.from.value),
            Input::Scratch => false,
            Input::Context(_) => {
                let destination = copy.form.destination().as_literal().map(|path| absolute(&path));
                destination.is_none_or(|path| {
                    WITH_PROGRAMS.iter().any(|place| {
                        path.strip_prefix(place)
                            .is_some_and(|rest| rest.is_empty() || (*place != "/" && rest.starts_with('/')))
                    })
                })
            }
        },
        OpKind::File(_)
        | OpKind::Mkdir(_)
        | OpKind::Symlink(_)
        | OpKind::Remove(_)
        | OpKind::Env(_)
        | OpKind::Workdir(_)
        | OpKind::User(_)
        | OpKind::Shell(_)
        | OpKind::Layer(_)
        | OpKind::By(_) => false,
    }
}

/// Whether no op of the stage before `step`, and none of what it stands on, has touched a path,
/// so that nothing is there. Only for stages that stand on nothing.
pub(crate) fn is_untouched(section: &Section<'_, '_>, step: &Step<'_>, path: &str) -> bool {
    let plan = section.lowering.plan;
    let mut from = section.of.clone();
    let mut is_first = true;
    loop {
        let stage = match &from {
            Input::Stage(name) => plan.id(name),
            Input::Scratch => return true,
            Input::Image(_) | Input::Context(_) | Input::Phase(_) => return false,
        };
        for other in plan.steps(stage) {
            if is_first && std::ptr::eq(other.op, step.op) {
                break;
            }
            if touches(&other.op.kind, path) {
                return false;
            }
        }
        is_first = false;
        from = plan.stage(stage).from.as_ref().map_or(Input::Scratch, |from| from.value.clone());
    }
}

/// Whether an op may change what stands at a path.
pub(crate) fn touches(op: &OpKind, path: &str) -> bool {
    let place = match op {
        OpKind::Run { .. } | OpKind::Exec { .. } => return true,
        OpKind::Copy(copy) => copy.form.destination(),
        OpKind::File(file) => &file.path,
        OpKind::Mkdir(directory) => &directory.path,
        OpKind::Symlink(link) => &link.path,
        OpKind::Remove(removed) => &removed.path,
        OpKind::Workdir(workdir) => workdir,
        OpKind::Env(_) | OpKind::User(_) | OpKind::Shell(_) | OpKind::Layer(_) | OpKind::By(_) => {
            return false;
        }
    };
    let Some(place) = place.as_literal().map(|place| absolute(&place)) else { return true };
    let is_within = |inner: &str, outer: &str| {
        outer == "/" || inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    is_within(path, &place) || is_within(&place, path)
}
