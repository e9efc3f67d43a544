//! Mounts that a dialect cannot say, and what stands in for them.
//!
//! What must come of it: the program sees what it would see, and nothing under a mount's target
//! is in the result; what was there before is there afterwards.
//!
//! | mount | stands in for it |
//! |---|---|
//! | files of a context, stage or image | a copy of them at the target |
//! | cache | an empty directory at the target: a cache changes how long a build takes, not what comes of it |
//! | tmpfs | an empty directory at the target that everybody may write to |
//! | secret in a variable | a secret in a file, read into the variable by a shell |
//!
//! The script that prepares the targets puts aside what stands there and notes which directories
//! on the way are missing; the one that restores takes the stand-ins away, puts back what was
//! there, and removes the directories again that it made, if nothing else has come into them.
//! Where the program runs as root, all that is one `RUN`, so a cache leaves no bytes in any layer.
//! Copied files always cost a layer, as big as they are; for another user the preparing and the
//! restoring are `RUN`s of their own, and what the program left in a cache stays in its layer,
//! where nobody sees it.

use cogpack_backends_contract::glob::has_wildcard;
use cogpack_ir::plan::{
    Copy, CopyForm, Execution, Input, InputName, MountKind, SecretTarget, Span, Spanned, Template,
};

use crate::artifact::{self, Beside};
use crate::beside::folder_for;
use crate::checks::{self, Never};
use crate::dialect::Dialect;
use crate::features::Feature;
use crate::section::{Section, absolute, relative, with_slash};
use crate::shells::shell_word;
use crate::words::{mount_options, operands, source_word, word};
use crate::{mounts, places, remote};

/// Where stand-ins wait. Gone when the `RUN` is over.
const FOLDER: &str = "/.cogpackc-mounts";

/// What stands in for the mounts of one `RUN`.
#[derive(Debug, Default)]
pub(crate) struct StandIns {
    targets: Vec<Target>,
    /// Lines that read secrets into variables.
    variables: Vec<String>,
    /// Flags for the files of these.
    pub(crate) flags: Vec<String>,
}

/// One target.
#[derive(Debug)]
struct Target {
    path: String,
    /// The folder in which its stand-in waits, and what was there.
    place: String,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Files,
    Directory,
    OpenDirectory,
}

/// Whether something must stand in for a mount.
pub(crate) fn is_needed(section: &mut Section<'_, '_>, mount: &MountKind) -> bool {
    let lowering = &mut *section.lowering;
    match mount {
        MountKind::Bind { writable: false, .. } => !lowering.can(Feature::BindMount),
        MountKind::Bind { writable: true, .. } => !lowering.can(Feature::WritableMount),
        MountKind::Cache { .. } => !lowering.can(Feature::CacheMount),
        MountKind::Tmpfs { .. } => !lowering.can(Feature::MemoryMount),
        MountKind::Secret { target: SecretTarget::Env(_), .. } => {
            lowering.can(Feature::SecretMount) && !lowering.can(Feature::SecretVariable)
        }
        MountKind::Secret { target: SecretTarget::File(_), .. } | MountKind::Ssh { .. } => false,
    }
}

impl StandIns {
    /// Gathers what stands in for the mounts that need it; copies files to where they wait.
    pub(crate) fn of(section: &mut Section<'_, '_>, execution: &Execution) -> Option<Self> {
        let mut stand_ins = Self::default();
        for mount in &execution.mounts {
            if is_needed(section, &mount.kind) {
                stand_ins.add(section, &mount.kind, mount.span)?;
            }
        }
        stand_ins.can_be_made(section, execution)?;
        // What is above another is prepared before it.
        stand_ins.targets.sort_by(|one, other| one.path.cmp(&other.path));
        Some(stand_ins)
    }

    fn add(&mut self, section: &mut Section<'_, '_>, mount: &MountKind, span: Span) -> Option<()> {
        // Measured with buildah 1.28: see docs/decisions/0012-dockerfiles-that-others-keep.md.
        let dialect = section.lowering.dialect.clone();
        let why = |what: &str, cannot: &str| match &dialect {
            Dialect::Buildah => format!("buildah 1.28 would take away what {what} hides"),
            dialect @ (Dialect::Legacy | Dialect::BuildKit { .. }) => format!("{} {cannot}", dialect.name()),
        };
        match mount {
            MountKind::Bind { source, select, target, .. } => {
                let path = mounts::target(section, target, span)?;
                let selected = match select {
                    Some(select) => section.literal(select, span)?,
                    None => ".".to_owned(),
                };
                let why = why("a mount", "cannot mount this");
                let comment = format!("{why}: a copy stands at {path} while the program runs");
                let place = self.push(path, Kind::Files);
                copy_there(
                    section,
                    &source.value,
                    &selected,
                    &format!("{FOLDER}/{place}/new"),
                    &comment,
                    span,
                )?;
            }
            MountKind::Cache { name, target, .. } => {
                let path = mounts::target(section, target, span)?;
                let why = why("a cache", "has no caches");
                section
                    .comment(&format!("{why}: an empty directory stands at {path} while the program runs"));
                section.lowering.note(
                    format!("`cache {}` is dropped: {why}, and nothing but time depends on it", name.value),
                    span,
                );
                self.push(path, Kind::Directory);
            }
            MountKind::Tmpfs { target, .. } => {
                let path = mounts::target(section, target, span)?;
                let why = why("a mount", "cannot mount memory");
                section
                    .comment(&format!("{why}: an empty directory stands at {path} while the program runs"));
                self.push(path, Kind::OpenDirectory);
            }
            MountKind::Secret { name, target: SecretTarget::Env(variable) } => {
                let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
                let variable = variable.value.as_str();
                if !variable.bytes().all(is_name)
                    || variable.starts_with(|first: char| first.is_ascii_digit())
                {
                    section.lowering.refuse(
                        "cpk::unsupported::variable-name",
                        format!("a secret in `{variable}`: no shell can set a variable of that name"),
                        span,
                        "call the variable by letters, digits and `_`, or choose `--syntax 1.10`",
                    );
                    return None;
                }
                let file = format!("/run/secrets/{}.{variable}", name.value);
                let mut options = vec![
                    "type=secret".to_owned(),
                    format!("id={}", name.value),
                    format!("target={file}"),
                    // The program may run as any user.
                    "mode=0444".to_owned(),
                ];
                mounts::ask_for_secret(section, &name.value, &mut options);
                self.flags.push(format!("--mount={}", mount_options(&options)));
                // A shell takes line breaks off the end of what it reads; a dot behind keeps them.
                self.variables.push(format!(
                    "if [ -e {file} ]; then\n\
                     {variable}=\"$(/bin/cat {file}; printf .)\"\n\
                     export {variable}=\"${{{variable}%.}}\"\n\
                     fi"
                ));
            }
            MountKind::Secret { target: SecretTarget::File(_), .. } | MountKind::Ssh { .. } => {}
        }
        Some(())
    }

    /// Adds a target; gives the name of the folder in which its stand-in waits.
    fn push(&mut self, path: String, kind: Kind) -> String {
        let wanted = folder_for(&path);
        let mut place = wanted.clone();
        let mut count = 2;
        while self.targets.iter().any(|target| target.place == place) {
            place = format!("{wanted}-{count}");
            count += 1;
        }
        self.targets.push(Target { path, place: place.clone(), kind });
        place
    }

    /// Refuses stand-ins that no program is left to make: there is none, or it is put aside itself.
    fn can_be_made(&self, section: &mut Section<'_, '_>, execution: &Execution) -> Option<()> {
        const WITH_TOOLS: [&str; 7] = ["/", "/bin", "/usr", "/usr/bin", "/lib", "/lib64", "/usr/lib"];
        let Some(first) = self.targets.first() else { return Some(()) };
        let covered = self.targets.iter().find(|target| WITH_TOOLS.contains(&target.path.as_str()));
        let what = match covered {
            _ if section.bare => format!("a mount at `{}` in a stage without programs", first.path),
            Some(target) => {
                format!("a mount at `{}`, which holds the programs that would make it", target.path)
            }
            None => return Some(()),
        };
        let span = execution.mounts.first().map_or(Span::NOWHERE, |mount| mount.span);
        let what = format!("{what}: the dialect `{}` has no such mounts", section.lowering.dialect.name());
        section.lowering.refuse(
            "cpk::unsupported::dialect",
            what,
            span,
            "mount it elsewhere, or use the dialect `buildkit`",
        );
        None
    }

    /// Whether there is nothing to do.
    pub(crate) fn is_nothing(&self) -> bool {
        self.targets.is_empty() && self.variables.is_empty()
    }

    /// Whether something must be prepared and restored.
    pub(crate) fn has_targets(&self) -> bool {
        !self.targets.is_empty()
    }

    /// The arguments that run a program with variables that are read from secrets, and with all
    /// prepared and restored where that is to be one step.
    pub(crate) fn around(&self, argv: &[String], whole: bool) -> Vec<String> {
        let whole = whole && self.has_targets();
        if !whole && self.variables.is_empty() {
            return argv.to_vec();
        }
        let mut lines = Vec::new();
        if whole {
            lines.extend([STAND_IN, TAKE_BACK].map(str::to_owned));
            lines.extend(self.targets.iter().flat_map(Target::prepare));
        }
        lines.extend(self.variables.iter().cloned());
        // `exec` takes no program for one of the shell's own commands.
        lines.push(if whole { "(exec \"$@\")" } else { "exec \"$@\"" }.to_owned());
        if whole {
            lines.extend(self.targets.iter().rev().map(Target::restore));
            lines.push(format!("/bin/rm -rf {FOLDER}"));
        }
        shell(lines, argv)
    }

    /// A shell's arguments that prepare all targets.
    pub(crate) fn prepare(&self) -> Vec<String> {
        let lines = self.targets.iter().flat_map(Target::prepare);
        shell([STAND_IN.to_owned()].into_iter().chain(lines).collect(), &[])
    }

    /// A shell's arguments that restore all targets.
    pub(crate) fn restore(&self) -> Vec<String> {
        let mut lines = vec![TAKE_BACK.to_owned()];
        lines.extend(self.targets.iter().rev().map(Target::restore));
        lines.push(format!("/bin/rm -rf {FOLDER}"));
        shell(lines, &[])
    }
}

/// A function of the shell that puts what waits in the folder `$2` at the path `$1`. What stands there
/// is put aside, and the directories that are missing on the way are made and noted. It runs in a shell
/// of its own, so that it sets no variable that the program might have.
const STAND_IN: &str = "\
stand_in() (\n\
cd /.cogpackc-mounts/$2\n\
up=$1; while up=${up%/*}; [ ! -d \"$up/\" ]; do echo \"$up\" >>made; done\n\
/bin/mkdir -p \"${1%/*}/\"\n\
if [ -e \"$1\" ] || [ -L \"$1\" ]; then /bin/mv \"$1\" old; fi\n\
/bin/mv new \"$1\"\n\
)";

/// A function of the shell that takes away what stands at `$1`, puts back what `stand_in` has put
/// aside, and removes the directories that it has made, if nothing else has come into them.
const TAKE_BACK: &str = "\
take_back() (\n\
cd /.cogpackc-mounts/$2\n\
/bin/rm -rf \"$1\"\n\
if [ -e old ] || [ -L old ]; then /bin/mv old \"$1\"; fi\n\
if [ -e made ]; then while IFS= read -r up; do /bin/rmdir \"$up\" || true; done <made; fi\n\
)";

fn shell(mut lines: Vec<String>, argv: &[String]) -> Vec<String> {
    lines.insert(0, "set -e".to_owned());
    let shell = ["/bin/sh".to_owned(), "-c".to_owned(), lines.join("\n")];
    let name = (!argv.is_empty()).then(|| "sh".to_owned());
    shell.into_iter().chain(name).chain(argv.iter().cloned()).collect()
}

impl Target {
    fn prepare(&self) -> Vec<String> {
        let Self { path, place, kind } = self;
        let stand_in = format!("stand_in {} {place}", shell_word(path));
        let empty = format!("{FOLDER}/{place}/new");
        match kind {
            Kind::Files => vec![stand_in],
            Kind::Directory => vec![format!("/bin/mkdir -p {empty}"), stand_in],
            Kind::OpenDirectory => {
                vec![format!("/bin/mkdir -p -m 1777 {empty}"), stand_in]
            }
        }
    }

    fn restore(&self) -> String {
        format!("take_back {} {}", shell_word(&self.path), self.place)
    }
}

/// Copies what a mount shows to where it waits.
fn copy_there(
    section: &mut Section<'_, '_>,
    input: &Input,
    selected: &str,
    waiting: &str,
    comment: &str,
    span: Span,
) -> Option<()> {
    let (from, source) = match input {
        Input::Context(name)
            if has_wildcard(selected) && !section.lowering.knows(Feature::SourcePatterns) =>
        {
            (None, gathered(section, name, selected, waiting, span)?)
        }
        Input::Context(name) if !remote::is_remote(section.lowering, name) => {
            let place = places::of_context(section.lowering, name, span)?;
            let source = place.read(section.lowering, name, &relative(selected));
            (place.from, source)
        }
        Input::Scratch | Input::Context(_) | Input::Phase(_) | Input::Stage(_) | Input::Image(_) => {
            let path = absolute(selected);
            let never = Never { link: false, set_ids: true, missing: true };
            (Some(checks::checked(section, input, &path, never, span)?), path)
        }
    };
    let mut flag = from.as_ref().map(|from| format!("--from={from} ")).unwrap_or_default();
    if from.is_none() && !section.lowering.knows(Feature::RootsFiles) {
        flag.push_str("--chown=0:0 ");
    }
    let source = if source == "/" { with_slash(&source) } else { source };
    let words = [source_word(&source), word(waiting)];
    section.comment(comment);
    section.line(format!("COPY {flag}{}", operands(&words)));
    Some(())
}

/// Lays what is selected of a context beside the Dockerfile, under a name that no builder takes for a
/// wildcard.
fn gathered(
    section: &mut Section<'_, '_>,
    name: &InputName,
    selected: &str,
    waiting: &str,
    span: Span,
) -> Option<String> {
    places::check(section.lowering, name, span)?;
    let template = |text: &str| Spanned::nowhere(Template::literal(text));
    let copy = Copy {
        form: CopyForm::To { source: template(&relative(selected)), destination: template("/item") },
        from: Spanned::new(Input::Context(name.clone()), span),
        replace: false,
        optional: false,
        // As a mount does.
        follow: true,
        owner: None,
        mode: None,
        rules: Vec::new(),
    };
    let never = artifact::Never::Nothing;
    let what = Beside::Copied { context: name.clone(), copy: Box::new(copy), whole: None, never };
    let place = waiting.trim_start_matches(FOLDER).trim_end_matches("/new");
    let place = section.lowering.put_beside("copies", &section.part_of, place, what);
    Some(format!("{place}/item"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_prepares_runs_and_restores() {
        let stand_ins = StandIns {
            targets: vec![Target {
                path: "/root/.cache of a b".to_owned(),
                place: "root-.cache".to_owned(),
                kind: Kind::Directory,
            }],
            ..StandIns::default()
        };
        let around = stand_ins.around(&["make".to_owned(), "a b".to_owned()], true);
        assert_eq!(around[..2], ["/bin/sh", "-c"]);
        assert_eq!(around[3..], ["sh", "make", "a b"]);
        let (functions, steps) = around[2].split_once(TAKE_BACK).expect("both functions are there");
        assert_eq!(functions, format!("set -e\n{STAND_IN}\n"));
        let steps: Vec<&str> = steps.lines().filter(|line| !line.is_empty()).collect();
        assert_eq!(
            steps,
            [
                "/bin/mkdir -p /.cogpackc-mounts/root-.cache/new",
                "stand_in '/root/.cache of a b' root-.cache",
                "(exec \"$@\")",
                "take_back '/root/.cache of a b' root-.cache",
                "/bin/rm -rf /.cogpackc-mounts",
            ]
        );
        assert_eq!(stand_ins.prepare().len(), 3);
    }
}
