//! What becomes the image.

use miette::Diagnostic;

use crate::finding::{Finding, Place};
use crate::graph::{Outlet, StageGraph};
use crate::plan::{ContextKind, Export, Healthcheck, HealthcheckTest, Input, Setting, Spanned};
use crate::suggest::{did_you_mean, nearest};

/// What is wrong with an export.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Diagnostic)]
pub enum ExportFinding {
    /// A context that is no filesystem to run.
    #[error("`{input}` is {what}, not a filesystem that an image can be made of")]
    #[diagnostic(
        code("cpk::export::not-a-filesystem"),
        help("copy from it: `stage %image from scratch {{ copy contents \".\" from {input} to \"/\" }}`")
    )]
    NotAFilesystem {
        /// The context.
        input: String,
        /// What it is.
        what: &'static str,
        /// The export's input.
        #[label("this cannot be exported as it is")]
        place: Place,
    },
    /// An empty list that means something else to each runtime.
    #[error("`{word} []` says nothing")]
    #[diagnostic(
        code("cpk::export::cmd-empty"),
        help("write `clear {word}` to drop what the base says, or leave it out")
    )]
    EmptyList {
        /// `cmd` or `entrypoint`.
        word: &'static str,
        /// The list.
        #[label("this list is empty")]
        place: Place,
    },
    /// A signal that is none.
    #[error("`{signal}` is not a signal")]
    #[diagnostic(code("cpk::export::stop-signal"), help("{help}"))]
    StopSignal {
        /// The text.
        signal: String,
        /// The way out.
        help: String,
        /// The text.
        #[label("not a signal")]
        place: Place,
    },
    /// A health check that checks nothing.
    #[error("{reason}")]
    #[diagnostic(code(cpk::export::healthcheck), help("{way_out}"))]
    Healthcheck {
        /// The rule it breaks.
        reason: String,
        /// What to write.
        way_out: &'static str,
        /// The statement.
        #[label("in this health check")]
        place: Place,
    },
    /// A label or annotation without a key.
    #[error("{what} has no key")]
    #[diagnostic(
        code("cpk::export::empty-key"),
        help("write one, for instance `org.opencontainers.image.version`")
    )]
    EmptyKey {
        /// A label or an annotation.
        what: &'static str,
        /// The empty key.
        #[label("this says nothing")]
        place: Place,
    },
}

/// Checks the export, where there is one.
pub(super) fn check(graph: &StageGraph<'_>, findings: &mut Vec<Finding>) {
    let Some(export) = &graph.plan().export else { return };
    check_input(graph, export, findings);
    for (word, list) in [("entrypoint", &export.entrypoint), ("cmd", &export.cmd)] {
        if let Setting::Set(list) = list
            && list.is_empty()
        {
            findings.push(ExportFinding::EmptyList { word, place: list.span.place() }.into());
        }
    }
    if let Setting::Set(signal) = &export.stop_signal
        && !is_signal(signal)
    {
        let place = signal.span.place();
        let (signal, help) = (signal.value.clone(), signal_meant(signal));
        findings.push(ExportFinding::StopSignal { signal, help, place }.into());
    }
    if let Setting::Set(healthcheck) = &export.healthcheck {
        check_healthcheck(healthcheck, findings);
    }
    for (what, texts) in [("a label", &export.labels.added), ("an annotation", &export.annotations)] {
        if let Some((key, _)) = texts.get_key_value("") {
            findings.push(ExportFinding::EmptyKey { what, place: key.span.place() }.into());
        }
    }
}

fn check_input(graph: &StageGraph<'_>, export: &Export, findings: &mut Vec<Finding>) {
    let Outlet::One(Input::Context(name)) = graph.concrete(&export.from) else { return };
    let Some(context) = graph.plan().contexts.get(&name) else { return };
    let what = match &context.kind {
        ContextKind::Oci(_) | ContextKind::Debs(_) => return,
        ContextKind::Directory(_) => "a directory of the builder",
        ContextKind::Http(_) => "one file from a server",
        ContextKind::Git(_) => "a commit of a repository",
        ContextKind::Files(_) => "a set of small files",
        ContextKind::Wheels(_) => "a set of Python wheels",
    };
    let place = export.from.span.place();
    findings.push(ExportFinding::NotAFilesystem { input: name.to_string(), what, place }.into());
}

/// The signals of Linux, without their `SIG`, as container runtimes know them.
const SIGNALS: [&str; 37] = [
    "ABRT", "ALRM", "BUS", "CHLD", "CLD", "CONT", "FPE", "HUP", "ILL", "INT", "IO", "IOT", "KILL", "PIPE",
    "POLL", "PROF", "PWR", "QUIT", "RTMAX", "RTMIN", "SEGV", "STKFLT", "STOP", "SYS", "TERM", "TRAP", "TSTP",
    "TTIN", "TTOU", "UNUSED", "URG", "USR1", "USR2", "VTALRM", "WINCH", "XCPU", "XFSZ",
];

fn is_signal(text: &str) -> bool {
    let Some(name) = text.strip_prefix("SIG") else {
        return text.parse::<u8>().is_ok_and(|number| (1..=64).contains(&number));
    };
    // `SIGRTMIN+3` and `SIGRTMAX-2` are signals, too.
    let counted = |sign: &str, most: u8| (1..=most).any(|count| name == format!("{sign}{count}"));
    SIGNALS.contains(&name) || counted("RTMIN+", 15) || counted("RTMAX-", 14)
}

/// The way out of a signal that is none.
fn signal_meant(text: &str) -> String {
    let capitals = text.to_ascii_uppercase();
    let name = capitals.strip_prefix("SIG").unwrap_or(&capitals);
    let meant = nearest(name, SIGNALS).map(|name| format!("SIG{name}"));
    did_you_mean(meant, "write its name or number, for instance `SIGTERM` or `15`")
}

fn check_healthcheck(healthcheck: &Spanned<Healthcheck>, findings: &mut Vec<Finding>) {
    let place = healthcheck.span.place();
    let mut breach = |reason: String, way_out| {
        findings.push(ExportFinding::Healthcheck { reason, way_out, place }.into());
    };
    match &healthcheck.test {
        HealthcheckTest::None => {}
        HealthcheckTest::Exec(argv) => {
            if argv.first().is_none_or(String::is_empty) {
                breach("the health check names no program".to_owned(), "write it, or `healthcheck none`");
            }
        }
        HealthcheckTest::Shell(script) => {
            if script.trim().is_empty() {
                breach(
                    "the script of the health check is empty".to_owned(),
                    "write it, or `healthcheck none`",
                );
            }
        }
    }
    let Healthcheck { test: _, interval, timeout, start_period, retries } = &healthcheck.value;
    let zeros = [
        ("interval", *interval == Some(0)),
        ("timeout", *timeout == Some(0)),
        ("start-period", *start_period == Some(0)),
        ("retries", *retries == Some(0)),
    ];
    for (word, _) in zeros.into_iter().filter(|(_, is_zero)| *is_zero) {
        breach(
            format!("`{word}` is 0, which means the runtime's default"),
            "leave it out to mean the default",
        );
    }
}
