//! One stage of the Dockerfile as it grows, and what its config says so far.
//!
//! `USER` and `WORKDIR` are written where something needs them, so a plan that changes them for
//! one op and back costs no more than that.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use cogpack_backends_contract::image_config::open_variable;
use cogpack_ir::plan::{BaseImage, Input, InputName, Span, Template};
use cogpack_ir::resolve::State;
use cogpack_ir::resolve::triggers::told;

use crate::NAME;
use crate::dialect::Dialect;
use crate::lowering::Lowering;
use crate::words::{json_list, operand};
use crate::{parallel, places, programs, remote};

/// What Docker's config says at a point of a stage.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Settings {
    pub(crate) user: Option<String>,
    pub(crate) workdir: Option<String>,
    /// What scripts are handed to; `None` where a base says so and nobody has read it.
    pub(crate) shell: Option<Vec<String>>,
    /// Whether the last instruction copies onto the root what may be an empty directory.
    ended_empty: bool,
}

/// A stage while it is written.
pub(crate) struct Section<'l, 'p> {
    pub(crate) lowering: &'l mut Lowering<'p>,
    /// Its name in the Dockerfile.
    pub(crate) name: String,
    /// The name of the stage that it is a part of: its own, unless a layer is made apart.
    pub(crate) part_of: String,
    /// Comments above it.
    title: Vec<String>,
    lines: Vec<String>,
    /// Directories that are surely there: something here has made them, and nothing has run since
    /// that could take them away.
    there: BTreeSet<String>,
    /// Directories below which something was copied, likewise.
    pub(crate) reached: BTreeSet<String>,
    /// The lines of the `WORKDIR`s here, and the fewest and most layers that each makes.
    workdirs: BTreeMap<usize, (usize, usize)>,
    /// Paths that were looked at to be no links to files; nothing since could make them such.
    pub(crate) no_links: BTreeSet<String>,
    /// Checks of owners' names that have been made, and that nothing since could make fail.
    pub(crate) looked_up: BTreeSet<String>,
    /// The stage of the plan that it is, and nothing where it is none.
    pub(crate) of: Input,
    /// Whether it stands on nothing, and nothing has put a program there.
    pub(crate) bare: bool,
    pub(crate) settings: Settings,
    /// The variables that are said to each program, with how often each will be taken away.
    pub(crate) passing: BTreeMap<String, usize>,
    /// The directory in which all is made, for a stage that is copied from there; empty for the root.
    pub(crate) below: &'static str,
    /// The context whose packages are all the programs there are.
    pub(crate) packages: Option<InputName>,
}

/// Root by number, which needs no account file.
const ROOT: &str = "0";

impl<'l, 'p> Section<'l, 'p> {
    /// Begins a stage.
    pub(crate) fn start(lowering: &'l mut Lowering<'p>, name: &str, from: &Input, span: Span) -> Self {
        let base = lowering.start_of(from, span);
        let settings = match from {
            Input::Stage(stage) => lowering.ends.get(stage).cloned().unwrap_or_default(),
            Input::Phase(phase) => lowering.phase_ends.get(phase).cloned().unwrap_or_default(),
            Input::Scratch | Input::Image(_) | Input::Context(_) => {
                Settings::of(lowering.plan.state_of(from))
            }
        };
        let bare = lowering.is_bare(from);
        let packages = lowering.packages_of(from);
        let lines = vec![format!("FROM {base} AS {name}")];
        Self {
            lowering,
            name: name.to_owned(),
            part_of: name.to_owned(),
            title: Vec::new(),
            lines,
            there: BTreeSet::new(),
            reached: BTreeSet::new(),
            workdirs: BTreeMap::new(),
            no_links: BTreeSet::new(),
            looked_up: BTreeSet::new(),
            of: Input::Scratch,
            bare,
            settings,
            passing: BTreeMap::new(),
            below: "",
            packages,
        }
    }

    /// Ends the stage.
    pub(crate) fn finish(self) -> Settings {
        let lines: Vec<String> = self.title.into_iter().chain(self.lines).collect();
        self.lowering.sections.push(lines.join("\n").trim_end_matches('\n').to_owned());
        self.settings
    }

    /// The fewest and most layers that the last instructions make, from the line `before` on.
    pub(crate) fn layers_since(&self, before: usize) -> (usize, usize) {
        let makes_one = |line: &&String| {
            ["RUN ", "COPY ", "ADD "].iter().any(|instruction| line.starts_with(instruction))
        };
        let surely = self.lines[before..].iter().filter(makes_one).count();
        let workdirs = self.workdirs.range(before..).map(|(_, layers)| layers);
        workdirs.fold((surely, surely), |(fewest, most), layers| (fewest + layers.0, most + layers.1))
    }

    /// The fewest and most layers that a `WORKDIR` makes: builders disagree on one that is there.
    fn layers_of_workdir(&self, path: &str) -> (usize, usize) {
        let is_there = self.is_surely_there(path);
        match self.lowering.dialect {
            Dialect::BuildKit { .. } if path != "/" => (1, 1),
            Dialect::Legacy if !is_there => (0, 1),
            // buildah makes the directory with the layer of the next instruction.
            Dialect::BuildKit { .. } | Dialect::Legacy | Dialect::Buildah => (0, 0),
        }
    }

    /// How many lines there are.
    pub(crate) fn length(&self) -> usize {
        self.lines.len()
    }

    /// Puts a comment above the whole stage.
    pub(crate) fn title(&mut self, text: &str) {
        self.title.push(comment(text));
    }

    /// Puts a comment before what was written last.
    pub(crate) fn comment_at(&mut self, place: usize, text: &str) {
        self.lines.insert(place, comment(text));
    }

    /// Adds a comment.
    pub(crate) fn comment(&mut self, text: &str) {
        self.lines.push(comment(text));
    }

    /// Adds an instruction with what its here-document holds, which ends in a line break. The empty
    /// line behind it is for the eye; hadolint asks for it too.
    pub(crate) fn line_with_document(&mut self, line: &str, content: &str, end: &str) {
        self.lines.push(format!("{line}\n{content}{end}\n"));
    }

    /// Adds an instruction.
    pub(crate) fn line(&mut self, line: String) {
        if std::mem::take(&mut self.settings.ended_empty) && line.starts_with("COPY ") {
            self.keep_apart();
        }
        self.lines.push(line);
    }

    /// Notes that the last instruction copies onto the root what may be an empty directory. The
    /// classic builder fails at a `COPY` right after that: it looks for a layer that it has not made.
    pub(crate) fn may_change_nothing(&mut self) {
        self.settings.ended_empty = match self.lowering.dialect {
            Dialect::Legacy => true,
            Dialect::BuildKit { .. } | Dialect::Buildah => false,
        };
    }

    /// Says something between two instructions that changes nothing.
    fn keep_apart(&mut self) {
        let workdir = self.settings.workdir.get_or_insert_with(|| "/".to_owned());
        if let Some(text) = operand(workdir) {
            self.lines
                .push(comment("the classic builder fails at a COPY right after one of an empty directory"));
            self.lines.push(format!("WORKDIR {text}"));
        }
    }

    /// The text of a template; refused where it leans on a base that is not known.
    pub(crate) fn literal(&mut self, template: &Template, span: Span) -> Option<String> {
        let literal = template.as_literal().map(Cow::into_owned);
        if literal.is_none() {
            self.lowering.refused.push(open_variable(NAME, &template.to_string(), span));
        }
        literal
    }

    /// The same for a path of the image, in its shortest form.
    pub(crate) fn path(&mut self, template: &Template, span: Span) -> Option<String> {
        self.literal(template, span).map(|path| absolute(&path))
    }

    /// Makes sure that what follows runs as `user`.
    pub(crate) fn run_as(&mut self, user: Option<&str>, span: Span) {
        let now = self.settings.user.as_deref();
        if now != user && !(is_root(now) && is_root(user)) {
            self.set_user(Some(user.unwrap_or(ROOT)), span);
        }
    }

    /// Makes the config say exactly `user`.
    pub(crate) fn set_user(&mut self, user: Option<&str>, span: Span) {
        if self.settings.user.as_deref() == user {
            return;
        }
        // An empty name is how the config says that nothing is said.
        if let Some(text) = self.single(user.unwrap_or(""), span) {
            self.line(format!("USER {text}"));
        }
        self.settings.user = user.map(str::to_owned);
    }

    /// Makes the config name the shell, if it does not and may; whether it names it then. What the
    /// export says nothing of must be what the base says.
    pub(crate) fn speak_to(&mut self, shell: &[String]) -> bool {
        if self.settings.shell.as_deref() == Some(shell) {
            return true;
        }
        let may_say = !shell.is_empty() && self.lowering.may_name_shells(&self.of);
        if may_say {
            self.set_shell(shell);
        }
        may_say
    }

    /// Makes the config name exactly this shell.
    pub(crate) fn set_shell(&mut self, shell: &[String]) {
        if self.settings.shell.as_deref() != Some(shell) {
            self.line(format!("SHELL {}", json_list(shell)));
            self.settings.shell = Some(shell.to_vec());
        }
    }

    /// Makes sure that what follows runs in `workdir`.
    pub(crate) fn run_in(&mut self, workdir: Option<&str>, span: Span) {
        let root = |workdir: Option<&str>| workdir.unwrap_or("/").to_owned();
        if root(self.settings.workdir.as_deref()) != root(workdir) {
            self.make_directory(workdir.unwrap_or("/"), span);
        }
    }

    /// Makes a directory, 0755 and root's, where it is missing, and those above it likewise.
    /// It is the working directory afterwards.
    pub(crate) fn make_directory(&mut self, path: &str, span: Span) {
        if self.settings.workdir.as_deref() == Some(path) && self.there.contains(path) {
            return;
        }
        if path != "/" {
            // `WORKDIR` makes directories as the user in force.
            self.run_as(None, span);
        }
        if let Some(text) = self.single(&format!("{}{path}", self.below), span) {
            self.workdirs.insert(self.lines.len(), self.layers_of_workdir(path));
            self.line(format!("WORKDIR {text}"));
        }
        self.settings.workdir = Some(path.to_owned());
        self.directory_is_there(path);
    }

    /// Makes a directory unless it is surely there.
    pub(crate) fn have_directory(&mut self, path: &str, span: Span) {
        if path != "/" && !self.there.contains(path) {
            self.make_directory(path, span);
        }
    }

    /// Whether a directory is surely there.
    pub(crate) fn is_surely_there(&self, path: &str) -> bool {
        path == "/" || self.there.contains(path) || self.reached.contains(path)
    }

    /// Notes that a directory is there, and with it those above.
    pub(crate) fn directory_is_there(&mut self, path: &str) {
        self.there.extend(with_above(path));
    }

    /// Notes where a copy landed, a directory if that ends in `/`.
    pub(crate) fn something_landed(&mut self, path: &str) {
        let directory = path.strip_suffix('/').unwrap_or_else(|| split(path).0);
        self.reached.extend(with_above(directory));
    }

    /// Notes that something runs which may take directories away.
    pub(crate) fn anything_may_be_gone(&mut self) {
        self.there.clear();
        self.reached.clear();
        self.no_links.clear();
    }

    /// Runs a program of the image as root.
    pub(crate) fn run_as_root(&mut self, argv: &[&str], span: Span) {
        self.look_as_root(argv, span);
        if argv.first() == Some(&programs::RM) {
            self.anything_may_be_gone();
        }
    }

    /// The same with a program that only looks.
    pub(crate) fn look_as_root(&mut self, argv: &[&str], span: Span) {
        self.run_as(None, span);
        self.lowering.needs(self.packages.as_ref(), argv, span);
        self.line(format!("RUN {}", json_list(argv)));
    }

    /// An operand that stands alone.
    pub(crate) fn single(&mut self, text: &str, span: Span) -> Option<String> {
        let written = operand(text);
        if written.is_none() {
            self.lowering.refuse_line_break(text, span);
        }
        written
    }
}

/// A directory and those above it, but the root.
fn with_above(path: &str) -> impl Iterator<Item = String> {
    let above = path.match_indices('/').map(|(end, _)| path[..end].to_owned());
    above.chain([path.to_owned()]).filter(|path| !path.is_empty())
}

/// A comment. Line breaks and other control characters become spaces.
pub(crate) fn comment(text: &str) -> String {
    format!("# {}", text.replace(char::is_control, " "))
}

/// Whether a user is root.
pub(crate) fn is_root(user: Option<&str>) -> bool {
    matches!(user, None | Some("" | "0" | "0:0" | "root" | "root:root"))
}

/// A path from the root, without what says nothing.
pub(crate) fn absolute(path: &str) -> String {
    format!("/{}", relative(path))
}

/// A path below something, without what says nothing; empty for all of it.
pub(crate) fn relative(path: &str) -> String {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    parts.join("/")
}

/// A path that reads as a directory.
pub(crate) fn with_slash(path: &str) -> String {
    if path.ends_with('/') { path.to_owned() } else { format!("{path}/") }
}

/// The directory above an absolute path, and the path's last part.
pub(crate) fn split(path: &str) -> (&str, &str) {
    match path.rsplit_once('/') {
        Some(("", name)) => ("/", name),
        Some((above, name)) => (above, name),
        None => ("/", path),
    }
}

impl Settings {
    fn of(state: &State) -> Self {
        let text = |text: &Option<std::sync::Arc<str>>| text.as_deref().map(str::to_owned);
        let of_base = || {
            let usual = || State::DEFAULT_SHELL.map(str::to_owned).to_vec();
            state.inherited.shell.clone().unwrap_or_else(usual)
        };
        let shell = state.base_known.then(of_base);
        Self { user: text(&state.user), workdir: text(&state.workdir), shell, ended_empty: false }
    }
}

impl Lowering<'_> {
    /// What stands after `FROM`.
    fn start_of(&mut self, from: &Input, span: Span) -> String {
        if let Input::Image(name) | Input::Context(name) = from {
            let triggers = self.plan.triggers(name);
            if !triggers.is_empty() {
                self.refuse(
                    "cpk::unsupported::triggers",
                    format!("a start from `{name}`, which has {}: `FROM` would run them", told(triggers)),
                    span,
                    "emit another format: `-o llb`, `-o oci`; or copy what is needed from it into another base",
                );
            }
        }
        match from {
            Input::Scratch => "scratch".to_owned(),
            Input::Stage(name) => self.names.stage(name).to_owned(),
            Input::Image(name) => match self.plan.plan().images.get(name) {
                Some(image) => reference(image),
                None => name.as_str().to_owned(),
            },
            // Refused where it cannot be made; the text is then not used.
            Input::Phase(phase) => {
                parallel::merged(self, phase, span).unwrap_or_else(|| "scratch".to_owned())
            }
            Input::Context(name) => {
                let made = match remote::is_remote(self, name) {
                    true => remote::name_of(self, name, span),
                    false => places::stage_of_part(self, name, "", span),
                };
                made.unwrap_or_else(|| "scratch".to_owned())
            }
        }
    }

    pub(crate) fn refuse_line_break(&mut self, text: &str, span: Span) {
        self.refuse(
            "cpk::unsupported::line-break",
            format!("`{}` has a line break in it, which no instruction can carry", text.escape_debug()),
            span,
            "take the line break out, or emit LLB with `-o llb`",
        );
    }
}

/// An image's name in full, so that it cannot be taken for a stage, with its tag and digest.
pub(crate) fn reference(image: &BaseImage) -> String {
    image.reference.value.normalised(image.digest.as_ref().map(|digest| &digest.value))
}
