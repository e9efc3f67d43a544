//! What a plan says that cannot become layers in this process, each with the way out.

use std::collections::BTreeSet;

use cogpack_backends_contract::Unsupported;
use cogpack_backends_contract::image_config::open_variable;
use cogpack_backends_contract::inputs::inputs;
use cogpack_content::Platform;
use cogpack_content::repository::is_of_server;
use cogpack_ir::plan::{
    ContextKind, Execution, Input, InputName, Mount, MountKind, OpKind, Span, Spanned, Template,
};
use cogpack_ir::plan::{Piece, StageName};
use cogpack_ir::resolve::{Resolved, StageId, Step};

use crate::program::open_variables;
use crate::{Configs, NAME, OciDirect, Runs};

const OTHER_BUILDERS: &str = "use `cogpackc build`: its daemon runs programs, and so does `--builder direct`, by an OCI runtime on this machine";
const RUNTIME: &str = "install crun, runc or youki, or name one with `--runtime PATH`; or let a daemon build, with `--builder buildkit`";
const EMULATOR: &str = "register an emulator that works in containers (flag `F` below /proc/sys/fs/binfmt_misc), as Debian's qemu-user-static and binfmt-support do; or leave the platform out with `--platform`, or let a daemon build, with `--builder buildkit`";
const FETCH: &str = "use `cogpackc build`, which fetches it with a daemon and, by `--builder direct`, without one; or fetch it into a directory and declare that as `dir`, or emit LLB with `-o llb`";
const GIT_ADDRESS: &str =
    "write an https, http, git or ssh address; what is on this machine is a `dir` context";

/// All that cannot be expressed, in the order of the stages.
pub fn unsupported(plan: &Resolved, backend: &OciDirect) -> Vec<Unsupported> {
    let OciDirect { at_hand, runs, foreign, configs } = backend;
    let mut found =
        Found { plan, at_hand, runs: *runs, configs: *configs, all: Vec::new(), seen: BTreeSet::new() };
    for id in plan.order() {
        let stage = plan.stage(*id);
        if let Some(from) = &stage.from {
            found.input(&from.value, from.span);
        }
        for step in plan.steps(*id) {
            found.step(&step, &stage.name.value);
        }
    }
    let from = &plan.export().from;
    found.input(&from.value, from.span);
    found.platforms();
    found.emulators(foreign);
    found.all
}

/// Whether the image has other files on each platform: it runs programs, or builds on images, which
/// are others on each. Then each platform is a plan of its own here.
pub fn differs_by_platform(plan: &Resolved) -> bool {
    let is_base = |input: &Input| match input {
        Input::Image(_) => true,
        Input::Context(name) => is_layout(plan, name),
        Input::Scratch | Input::Stage(_) | Input::Phase(_) => false,
    };
    has_programs(plan) || inputs(plan).into_iter().any(is_base)
}

/// Whether a plan runs programs.
pub fn has_programs(plan: &Resolved) -> bool {
    let runs = |id: &StageId| plan.steps(*id).iter().any(|step| step.op.execution().is_some());
    plan.order().iter().any(runs)
}

fn is_layout(plan: &Resolved, name: &InputName) -> bool {
    matches!(plan.plan().contexts.get(name).map(|context| &context.kind), Some(ContextKind::Oci(_)))
}

struct Found<'p> {
    plan: &'p Resolved,
    at_hand: &'p BTreeSet<InputName>,
    runs: Runs,
    configs: Configs,
    all: Vec<Unsupported>,
    /// Inputs that are reported already: once is enough, however often they are read.
    seen: BTreeSet<&'p Input>,
}

impl<'p> Found<'p> {
    fn say(&mut self, code: &'static str, what: String, span: Span, help: &str) {
        self.all.push(Unsupported { backend: NAME, code, what, span, help: help.to_owned() });
    }

    fn step(&mut self, step: &Step<'p>, stage: &StageName) {
        match &step.op.kind {
            OpKind::Run { execution, .. } | OpKind::Exec { execution, .. } => match self.runs {
                Runs::Nothing => {
                    let what =
                        format!("`run` and `exec`, as in `{stage}`, need a builder that runs programs");
                    self.say("cpk::unsupported::run", what, step.op.span, OTHER_BUILDERS);
                }
                Runs::WithoutRuntime => {
                    let what = format!(
                        "`run` and `exec`, as in `{stage}`, need an OCI runtime, and this machine has none"
                    );
                    self.say("cpk::unsupported::runtime", what, step.op.span, RUNTIME);
                }
                Runs::Programs => self.execution(step, execution),
            },
            OpKind::Copy(copy) => {
                self.input(&copy.from.value, copy.from.span);
                for path in copy.form.sources().iter().chain([copy.form.destination()]) {
                    self.path(path);
                }
            }
            OpKind::File(file) => self.path(&file.path),
            OpKind::Mkdir(directory) => self.path(&directory.path),
            OpKind::Symlink(link) => {
                self.path(&link.target);
                self.path(&link.path);
            }
            OpKind::Remove(removed) => self.path(&removed.path),
            OpKind::Workdir(path) => self.path(path),
            OpKind::Env(_) | OpKind::User(_) | OpKind::Shell(_) | OpKind::Layer(_) | OpKind::By(_) => {}
        }
    }

    fn execution(&mut self, step: &Step<'p>, execution: &'p Execution) {
        for name in open_variables(step.state, execution) {
            self.open_variable(name.as_str(), step.op.span);
        }
        let values = execution.env.iter().map(|setting| &setting.value);
        for template in values.chain(&execution.workdir).chain(&execution.user) {
            self.path(template);
        }
        for mount in &execution.mounts {
            self.mount(mount);
        }
    }

    fn mount(&mut self, mount: &'p Mount) {
        if let MountKind::Bind { source, select, .. } = &mount.kind {
            self.input(&source.value, source.span);
            select.iter().for_each(|select| self.path(select));
        }
        mount.kind.target().into_iter().for_each(|target| self.path(target));
    }

    fn path(&mut self, path: &Spanned<Template>) {
        for piece in path.pieces() {
            if let Piece::Variable(name) = piece {
                self.open_variable(name, path.span);
            }
        }
    }

    fn open_variable(&mut self, name: &str, span: Span) {
        match self.configs {
            Configs::Known => self.all.push(open_variable(NAME, name, span)),
            Configs::ToCome => {}
        }
    }

    fn input(&mut self, input: &'p Input, span: Span) {
        if !self.seen.insert(input) {
            return;
        }
        match input {
            Input::Scratch | Input::Stage(_) | Input::Phase(_) => {}
            Input::Image(name) if self.at_hand.contains(name) => {}
            Input::Image(name) => {
                let what = format!("the image `{name}` is in a registry, which this backend does not read");
                let help = format!(
                    "give it as a layout on disk, `--layout {}=DIR`, or use `-o llb` or `-o dockerfile`; `cogpackc build \
                     --builder direct` reads registries",
                    name.as_str()
                );
                self.say("cpk::unsupported::image", what, span, &help);
            }
            Input::Context(name) => {
                let Some(context) = self.plan.plan().contexts.get(name) else { return };
                let is_fetched = match self.runs {
                    Runs::Nothing => false,
                    // Whoever builds fetches.
                    Runs::WithoutRuntime | Runs::Programs => true,
                };
                let what = match &context.kind {
                    ContextKind::Directory(_)
                    | ContextKind::Files(_)
                    | ContextKind::Oci(_)
                    | ContextKind::Wheels(_)
                    | ContextKind::Debs(_) => return,
                    ContextKind::Http(_) if is_fetched => return,
                    ContextKind::Git(git) if is_fetched => {
                        let url = &git.url;
                        if !is_of_server(url) {
                            let what = format!("`{}` is not the address of a server", url.value);
                            self.say("cpk::unsupported::git-address", what, url.span, GIT_ADDRESS);
                        }
                        return;
                    }
                    ContextKind::Http(_) => {
                        format!("the file of `{name}` would have to be fetched from its server")
                    }
                    ContextKind::Git(_) => {
                        format!("the commit of `{name}` would have to be fetched from its server")
                    }
                };
                let what = format!("{what}, and this backend asks nobody");
                self.say("cpk::unsupported::context", what, span, FETCH);
            }
        }
    }

    /// One layout's image is for one platform, so several need plans without a base; and programs
    /// make other files on each.
    fn platforms(&mut self) {
        let platforms: Vec<String> =
            self.plan.plan().platforms.iter().map(|platform| platform.to_string()).collect();
        if platforms.len() < 2 {
            return;
        }
        if self.runs == Runs::Programs && has_programs(self.plan) {
            let platforms = platforms.join(", ");
            let what = format!("programs make other files on each of {platforms}");
            let help = "compile for one of them, `--platform OS/ARCH`, or use `cogpackc build`";
            self.say("cpk::unsupported::platforms", what, self.plan.export().from.span, help);
            return;
        }
        let is_base = |input: &&Input| match input {
            Input::Context(name) => is_layout(self.plan, name),
            Input::Image(name) => self.at_hand.contains(name),
            Input::Scratch | Input::Stage(_) | Input::Phase(_) => false,
        };
        if let Some(base) = self.seen.iter().copied().find(is_base) {
            let what = format!(
                "`{base}` is one image, and the plan is for several platforms ({})",
                platforms.join(", ")
            );
            let help = "compile for one of them, `--platform OS/ARCH`, or use `cogpackc build`, `-o llb` or `-o dockerfile`";
            self.say("cpk::unsupported::platforms", what, self.plan.export().from.span, help);
        }
    }

    /// Programs of another processor need an emulator.
    fn emulators(&mut self, foreign: &BTreeSet<Platform>) {
        if self.runs != Runs::Programs || !has_programs(self.plan) {
            return;
        }
        let platforms = &self.plan.plan().platforms;
        for platform in platforms.iter().filter(|platform| foreign.contains(&platform.value)) {
            let what = format!(
                "the plan's programs are for {}, and this machine runs none of these, by itself or by an emulator",
                platform.value
            );
            self.say("cpk::unsupported::emulator", what, platform.span, EMULATOR);
        }
    }
}
