//! `run` and `exec`.

use cogpack_ir::plan::{Execution, Network};
use cogpack_ir::resolve::{State, Step};

use crate::features::Feature;
use crate::mounts;
use crate::section::Section;
use crate::words::{is_plain_script, json_list};

pub(crate) fn run(section: &mut Section<'_, '_>, step: &Step<'_>, script: &str, execution: &Execution) {
    let is_default = State::DEFAULT_SHELL.iter().eq(step.state.shell.iter());
    // `RUN script` goes to the shell that the base's config names.
    let config_agrees = step.state.base_known && step.state.inherited.shell.is_none();
    if is_default && config_agrees && execution.env.is_empty() && is_plain_script(script) {
        finish(section, step, execution, script);
        return;
    }
    if script.contains('\n') {
        for line in script.lines() {
            section.comment(&format!("| {line}"));
        }
    }
    let argv: Vec<String> = step.state.shell.iter().cloned().chain([script.to_owned()]).collect();
    exec(section, step, &argv, execution);
}

pub(crate) fn exec(section: &mut Section<'_, '_>, step: &Step<'_>, argv: &[String], execution: &Execution) {
    let Some(mut words) = assignments(section, execution) else { return };
    if !words.is_empty() {
        if argv.first().is_some_and(|program| program.contains('=')) {
            section.lowering.refuse(
                "cpk::unsupported::program-name",
                format!("`{}` with variables of its own: `env` would take it for another", argv[0]),
                step.op.span,
                "set the variables for the whole stage, or call the program by another name",
            );
        }
        words.insert(0, "env".to_owned());
    }
    words.extend_from_slice(argv);
    finish(section, step, execution, &json_list(&words));
}

/// `NAME=value` for each variable of this execution alone.
fn assignments(section: &mut Section<'_, '_>, execution: &Execution) -> Option<Vec<String>> {
    let mut words = Vec::new();
    for setting in &execution.env {
        let value = section.literal(&setting.value, setting.span)?;
        // A later setting of the same name wins, as it does in `env`.
        words.push(format!("{}={value}", setting.name.value.as_str()));
    }
    Some(words)
}

/// Writes the instruction, with the settings that hold for it.
fn finish(section: &mut Section<'_, '_>, step: &Step<'_>, execution: &Execution, command: &str) {
    let span = step.op.span;
    let workdir = match &execution.workdir {
        Some(workdir) => section.path(workdir, span),
        None => step.state.workdir.as_deref().map(str::to_owned),
    };
    let user = match &execution.user {
        Some(user) => section.literal(user, span),
        None => step.state.user.as_deref().map(str::to_owned),
    };
    let mut flags = mounts::flags(section, execution);
    let network = match execution.network {
        Network::Default => None,
        Network::None => Some("none"),
        Network::Host => Some("host"),
    };
    if let Some(network) = network {
        let what = format!("`network {network}` of one `run`");
        let help = "take it away and give it to the whole build on the command line, or use another dialect";
        if !section.lowering.must(Feature::Network, &what, span, help) {
            return;
        }
        section.lowering.asked.host_network |= execution.network == Network::Host;
        flags.push(format!("--network={network}"));
    }
    // The directory first: making it may need another user.
    section.run_in(workdir.as_deref(), span);
    section.run_as(user.as_deref(), span);
    flags.push(command.to_owned());
    section.line(format!("RUN {}", flags.join(" \\\n    ")));
}
