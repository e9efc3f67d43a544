//! Package managers that keep what they download, in a step that mounts no cache for it: the next build
//! downloads all of it again, and mostly the image carries it.

use cogpack_ir::finding::Place;
use cogpack_ir::plan::{CacheName, Network, OpKind};
use miette::Diagnostic;

use crate::look::{Look, StepLook};
use crate::repair::{self, NOT_IN_JSON, Repair};
use crate::{Lint, apt};
use cogpack_ir::shell::Command;

/// A download that nothing keeps.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Diagnostic)]
pub enum CacheFinding {
    /// No cache is mounted.
    #[error("what `{program}` downloads is kept in no cache: each build that comes here downloads it again")]
    #[diagnostic(code("lint::cache::missing"), severity(Warning), help("{way_out}"))]
    Missing {
        /// The package manager.
        program: String,
        /// What to write.
        way_out: String,
        /// The command.
        #[label("this downloads, and mounts no cache")]
        place: Place,
    },
}

/// What is known of a package manager.
struct Manager {
    program: &'static str,
    /// First operands of which one makes it download; none where any call does.
    downloads: &'static [&'static [&'static str]],
    /// Options with a value.
    with_value: &'static [&'static str],
    /// Options after which nothing is kept, or nothing downloaded.
    without: &'static [&'static str],
    /// Variables that do the same.
    without_by: &'static [&'static str],
    /// Variables that name its cache, each with what lies below.
    named_by: &'static [(&'static str, &'static str)],
    /// Where its cache is, for a user at home in `~`.
    place: Option<&'static str>,
    /// Whether two builds must not use it at once.
    is_locked: bool,
    /// Whether `without` has an option to tell of.
    option: Option<&'static str>,
}

const MANAGERS: &[Manager] = &[
    Manager {
        program: "pip",
        downloads: &[&["install"], &["download"], &["wheel"]],
        with_value: &[],
        without: &["--no-cache-dir", "--no-index"],
        without_by: &["PIP_NO_CACHE_DIR", "PIP_NO_INDEX"],
        named_by: &[("PIP_CACHE_DIR", ""), ("XDG_CACHE_HOME", "/pip")],
        place: Some("~/.cache/pip"),
        is_locked: false,
        option: Some("--no-cache-dir"),
    },
    Manager {
        program: "uv",
        downloads: &[&["sync"], &["pip", "install"], &["pip", "sync"]],
        with_value: &["--project", "--directory"],
        without: &["--no-cache", "-n", "--offline", "--no-index"],
        without_by: &["UV_NO_CACHE", "UV_OFFLINE"],
        named_by: &[("UV_CACHE_DIR", ""), ("XDG_CACHE_HOME", "/uv")],
        place: Some("~/.cache/uv"),
        is_locked: true,
        option: Some("--no-cache"),
    },
    Manager {
        program: "npm",
        downloads: &[&["ci"], &["install"], &["i"]],
        with_value: &["--prefix", "-C"],
        without: &["--offline"],
        without_by: &[],
        named_by: &[("npm_config_cache", ""), ("NPM_CONFIG_CACHE", "")],
        place: Some("~/.npm"),
        is_locked: false,
        option: None,
    },
    Manager {
        program: "yarn",
        downloads: &[&["install"]],
        with_value: &["--cwd"],
        without: &["--offline"],
        without_by: &[],
        named_by: &[("YARN_CACHE_FOLDER", "")],
        place: None,
        is_locked: false,
        option: None,
    },
    Manager {
        program: "pnpm",
        downloads: &[&["install"], &["i"], &["fetch"]],
        with_value: &["--dir", "-C"],
        without: &["--offline"],
        without_by: &[],
        named_by: &[],
        place: None,
        is_locked: false,
        option: None,
    },
    Manager {
        program: "cargo",
        downloads: &[&["build"], &["install"], &["fetch"], &["test"], &["run"]],
        with_value: &["--manifest-path"],
        without: &["--offline", "--frozen"],
        without_by: &["CARGO_NET_OFFLINE"],
        named_by: &[("CARGO_HOME", "/registry")],
        place: Some("~/.cargo/registry"),
        is_locked: true,
        option: None,
    },
    Manager {
        program: "go",
        downloads: &[&["mod", "download"], &["build"], &["install"]],
        with_value: &["-C"],
        without: &["-mod=vendor"],
        without_by: &[],
        named_by: &[("GOMODCACHE", ""), ("GOPATH", "/pkg/mod")],
        place: Some("~/go/pkg/mod"),
        is_locked: false,
        option: None,
    },
];

const APT: &str = "/var/cache/apt";

pub(crate) fn check(look: &Look<'_>, lints: &mut Vec<Lint>) {
    for step in look.stages.iter().flat_map(|stage| &stage.steps) {
        // Nothing is downloaded without a network.
        if step.execution().is_none_or(|execution| execution.network == Network::None) {
            continue;
        }
        for manager in MANAGERS {
            let command = step.commands.iter().find(|command| manager.keeps(command, step));
            if let Some(command) = command.filter(|_| !manager.cleans(step)) {
                let place = manager.cache(step);
                report(look, step, command, place.as_deref(), manager, lints);
            }
        }
        apt(look, step, lints);
    }
}

impl Manager {
    /// Whether a command downloads, and keeps what it downloads.
    fn keeps(&self, command: &Command, step: &StepLook<'_>) -> bool {
        command.name == self.program
            && self.downloads.iter().any(|words| command.begins(words, self.with_value))
            && !self.without.iter().any(|option| command.has(option))
            // What is said of a cache by an option is said for a reason.
            && !command.has("--cache-dir")
            && !command.has("--cache")
            && !self.without_by.iter().any(|name| command.env.contains_key(*name) || step.variable(name).is_some())
    }

    /// Whether the step empties the cache itself.
    fn cleans(&self, step: &StepLook<'_>) -> bool {
        step.commands.iter().any(|command| {
            command.name == self.program
                && (command.begins(&["cache"], &[])
                    || command.begins(&["store"], &[])
                    || command.begins(&["clean"], &[]))
        })
    }

    /// Where its cache is, where the plan says it.
    fn cache(&self, step: &StepLook<'_>) -> Option<String> {
        for (name, below) in self.named_by {
            if let Some(named) = step.variable(name) {
                return named.starts_with('/').then(|| format!("{}{below}", named.trim_end_matches('/')));
            }
        }
        let at_home = self.place?.strip_prefix('~')?;
        let home = step.variable("HOME").or_else(|| step.is_root().then_some("/root"))?;
        Some(format!("{}{at_home}", home.trim_end_matches('/')))
    }
}

fn report(
    look: &Look<'_>,
    step: &StepLook<'_>,
    command: &Command,
    cache: Option<&str>,
    manager: &Manager,
    lints: &mut Vec<Lint>,
) {
    let program = manager.program;
    let is_covered = match cache {
        Some(cache) => step.is_mounted(cache),
        // Nobody says where it would have to be.
        None => false,
    };
    // A cache that is mounted under the same name elsewhere is there for a reason, too.
    if is_covered || step.caches().any(|(name, target)| name.contains(program) || target.contains(program)) {
        return;
    }
    let sharing = if manager.is_locked { " sharing locked" } else { "" };
    let (mut way_out, repair) = match cache {
        Some(cache) => (
            format!("declare `cache {program}`, and mount it: `mount cache {program} at {cache}{sharing}`"),
            mount(look, step, program, cache, sharing),
        ),
        None => (
            format!("declare `cache {program}`, and mount it where `{program}` keeps its downloads"),
            Repair::none(
                "where the program keeps its downloads depends on what the plan does not say: its user, its version",
            ),
        ),
    };
    if let Some(option) = manager.option {
        way_out += &format!("; or say `{option}`");
    }
    let place = step.place(look.text, &command.extent);
    lints.push(Lint::new(
        CacheFinding::Missing { program: program.to_owned(), way_out, place },
        &step.scopes,
        repair,
    ));
}

fn apt(look: &Look<'_>, step: &StepLook<'_>, lints: &mut Vec<Lint>) {
    let Some(command) = step.commands.iter().find(|command| apt::does(command, "install")) else { return };
    let cleans = |command: &Command| {
        ["clean", "autoclean", "dist-clean", "distclean"].iter().any(|word| apt::does(command, word))
    };
    let is_kept_out = step.is_mounted(APT)
        || step.is_mounted("/var/cache/apt/archives")
        || step.commands.iter().any(cleans);
    if is_kept_out || apt::removes(step, "/var/cache/apt/archives") {
        return;
    }
    let way_out = format!(
        "declare `cache apt`, and mount it: `mount cache apt at {APT} sharing locked`; or say `apt-get clean` at the \
         end of the script"
    );
    let place = step.place(look.text, &command.extent);
    let repair = mount(look, step, "apt", APT, " sharing locked");
    lints.push(Lint::new(
        CacheFinding::Missing { program: command.name.clone(), way_out, place },
        &step.scopes,
        repair,
    ));
}

/// Mounts a cache at a path, and declares it where nobody has.
pub(crate) fn mount(look: &Look<'_>, step: &StepLook<'_>, name: &str, path: &str, sharing: &str) -> Repair {
    if !look.text.can_be_changed() {
        return Repair::none(NOT_IN_JSON);
    }
    const TAKEN: &str = "a mount of the step is in the way of the cache";
    if step.mounts().any(|target| crate::look::is_within(target, path)) {
        return Repair::none(TAKEN);
    }
    let plan = look.resolved.plan();
    // One name is one directory, and programs share one only where they mean the same by it.
    if look.is_cache_elsewhere(name, path) {
        return Repair::none("the plan mounts the cache of this name at another path");
    }
    let (Some(op), Some(script)) = (step.step.op.span.range(), step.script_span().range()) else {
        return Repair::none(NOT_IN_JSON);
    };
    match &step.step.op.kind {
        OpKind::Run { .. } | OpKind::Exec { .. } => {}
        OpKind::Copy(_)
        | OpKind::File(_)
        | OpKind::Mkdir(_)
        | OpKind::Symlink(_)
        | OpKind::Remove(_)
        | OpKind::Env(_)
        | OpKind::Workdir(_)
        | OpKind::User(_)
        | OpKind::Shell(_)
        | OpKind::Layer(_)
        | OpKind::By(_) => return Repair::none(TAKEN),
    }
    let words = format!("mount cache {name} at \"{path}\"{sharing}");
    let mut edits = vec![repair::line_in_block(look.text, op.start, script.end, &words)];
    if !plan.caches.keys().any(|cache: &CacheName| cache.as_str() == name) {
        edits.extend(repair::declaration(look.text, &format!("cache {name}")));
    }
    Repair::new(format!("mounts the cache `{name}` at {path}"), edits)
}
