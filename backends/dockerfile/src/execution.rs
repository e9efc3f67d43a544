//! `run` and `exec`.
//!
//! A script of one line stands as it is, broken after `&&` and the like where it is long; one of
//! several as a here-document, where the dialect has those. `SHELL` names the shell before, if that
//! is another one than the config's. All else is a JSON list, in which every byte can be said, with
//! a line for each line of a script. However it is broken, the shell gets the same bytes.

use cogpack_backends_contract::programs;
use cogpack_ir::plan::{Execution, Network};
use cogpack_ir::resolve::{EnvValue, Step};

use crate::features::Feature;
use crate::programs::ENV;
use crate::section::{Section, is_root};
use crate::stand_ins::StandIns;
use crate::words::{is_plain_script, json_argv};
use crate::{mounts, shells};

/// What a `RUN` runs.
enum Command {
    /// A line for the shell.
    Line(String),
    /// Lines for the shell, each with its end.
    Lines(String),
    /// A program with its arguments.
    Program(Vec<String>),
}

pub(crate) fn run(section: &mut Section<'_, '_>, step: &Step<'_>, script: &str, execution: &Execution) {
    let script = programs::script(script);
    let Some(variables) = variables(section, step, execution) else { return };
    match shells::with_variables(&step.state.shell, &variables, &script) {
        Some(script) => finish(section, step, execution, Some(&script), with_script(step, &script)),
        None => program(section, step, &with_script(step, &script), &variables, execution),
    }
}

pub(crate) fn exec(section: &mut Section<'_, '_>, step: &Step<'_>, argv: &[String], execution: &Execution) {
    let Some(variables) = variables(section, step, execution) else { return };
    program(section, step, argv, &variables, execution);
}

/// The shell with a script as its last argument.
fn with_script(step: &Step<'_>, script: &str) -> Vec<String> {
    step.state.shell.iter().cloned().chain([script.to_owned()]).collect()
}

/// The variables of this execution, and those that the stage takes away again. A later setting of the
/// same name wins.
fn variables(
    section: &mut Section<'_, '_>,
    step: &Step<'_>,
    execution: &Execution,
) -> Option<Vec<(String, String)>> {
    let mut variables = Vec::new();
    for name in section.passing.keys() {
        // Of a known base every value is.
        if let Some(EnvValue::Known(value)) = step.state.variable(name) {
            variables.push((name.clone(), value.to_string()));
        }
    }
    for setting in &execution.env {
        let value = section.literal(&setting.value, setting.span)?;
        variables.push((setting.name.value.as_str().to_owned(), value));
    }
    Some(variables)
}

fn program(
    section: &mut Section<'_, '_>,
    step: &Step<'_>,
    argv: &[String],
    variables: &[(String, String)],
    execution: &Execution,
) {
    let mut words = Vec::new();
    if !variables.is_empty() {
        if argv.first().is_some_and(|program| program.contains('=')) {
            section.lowering.refuse(
                "cpk::unsupported::program-name",
                format!("`{}` with variables of its own: `env` would take it for another", argv[0]),
                step.op.span,
                "set the variables for the whole stage, or call the program by another name",
            );
        }
        section.lowering.needs(section.packages.as_ref(), &[ENV], step.op.span);
        words.push(ENV.to_owned());
        words.extend(variables.iter().map(|(name, value)| format!("{name}={value}")));
    }
    words.extend_from_slice(argv);
    finish(section, step, execution, None, words);
}

/// Writes the instruction, with the settings that hold for it and what stands in for mounts that
/// the dialect lacks. `argv` is what runs, the script in it that the stage's shell is handed.
fn finish(
    section: &mut Section<'_, '_>,
    step: &Step<'_>,
    execution: &Execution,
    script: Option<&str>,
    argv: Vec<String>,
) {
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
    let Some(network) = network_flag(section, execution, step) else { return };
    let Some(stand_ins) = StandIns::of(section, execution) else { return };
    flags.extend(stand_ins.flags.iter().cloned());
    flags.extend(network);
    // The directory first: making it may need another user.
    section.run_in(workdir.as_deref(), span);
    if stand_ins.is_nothing() {
        let command = command(section, step, script, argv);
        section.run_as(user.as_deref(), span);
        return write(section, &flags, &command);
    }
    section.lowering.needs(section.packages.as_ref(), &stand_ins.prepare(), span);
    section.lowering.needs(section.packages.as_ref(), &stand_ins.restore(), span);
    let in_one_step = is_root(user.as_deref()) || !stand_ins.has_targets();
    if !in_one_step {
        section.run_as(None, span);
        write(section, &[], &Command::Program(stand_ins.prepare()));
    }
    section.run_as(user.as_deref(), span);
    write(section, &flags, &Command::Program(stand_ins.around(&argv, in_one_step)));
    if !in_one_step {
        section.run_as(None, span);
        write(section, &[], &Command::Program(stand_ins.restore()));
    }
}

/// The form that says it best.
fn command(
    section: &mut Section<'_, '_>,
    step: &Step<'_>,
    script: Option<&str>,
    argv: Vec<String>,
) -> Command {
    let Some(script) = script else { return Command::Program(argv) };
    let is_document = section.lowering.knows(Feature::HereDocument) && is_here_document(script);
    if !(is_plain_script(script) || is_document) || !section.speak_to(&step.state.shell) {
        return Command::Program(argv);
    }
    if is_document { Command::Lines(script.to_owned()) } else { Command::Line(script.to_owned()) }
}

/// `--network`; `None` where it is refused.
#[allow(clippy::option_option, reason = "refused, nothing to say, or a flag")]
fn network_flag(
    section: &mut Section<'_, '_>,
    execution: &Execution,
    step: &Step<'_>,
) -> Option<Option<String>> {
    let network = match execution.network {
        Network::Default => return Some(None),
        Network::None => "none",
        Network::Host => "host",
    };
    let what = format!("`network {network}` of one `run`");
    let help = "take it away and give it to the whole build on the command line, or use another dialect";
    if !section.lowering.must(Feature::Network, &what, step.op.span, help) {
        return None;
    }
    section.lowering.asked.host_network |= execution.network == Network::Host;
    Some(Some(format!("--network={network}")))
}

fn write(section: &mut Section<'_, '_>, flags: &[String], command: &Command) {
    let mut parts = flags.to_vec();
    let document = match command {
        Command::Line(script) => {
            parts.push(broken(script));
            None
        }
        Command::Program(argv) => {
            parts.push(json_argv(argv));
            None
        }
        Command::Lines(script) => {
            let end = delimiter(script);
            parts.push(format!("<<{end}"));
            Some((script, end))
        }
    };
    let line = format!("RUN {}", parts.join(" \\\n    "));
    match document {
        Some((script, end)) => section.line_with_document(&line, script, &end),
        None => section.line(line),
    }
    section.anything_may_be_gone();
}

/// Whether a here-document hands a script to the shell byte for byte: it always ends in a line
/// break.
fn is_here_document(script: &str) -> bool {
    script.ends_with('\n')
        && !script.trim().is_empty()
        && !script.starts_with("#!")
        && !script.contains(|it: char| it.is_control() && it != '\n' && it != '\t')
        && !script.contains('\u{feff}')
}

/// A word that is no line of the script.
fn delimiter(script: &str) -> String {
    let mut word = "EOF".to_owned();
    while script.lines().any(|line| line == word) {
        word.push('F');
    }
    word
}

/// Breaks a long script after `&&`, `||` and `;`. What stands before and after the break is joined
/// again without a byte more or less, whatever it means to the shell: readers take away a `\` and
/// the line break behind it, and comments, so no line may begin with `#` or a space.
fn broken(script: &str) -> String {
    const LONG: usize = 100;
    if script.len() <= LONG {
        return script.to_owned();
    }
    let mut lines = String::with_capacity(script.len() + 16);
    let mut rest = script;
    while let Some((place, length)) =
        ["&& ", "|| ", "; "].iter().filter_map(|end| Some((rest.find(end)?, end.len()))).min()
    {
        let (line, after) = rest.split_at(place + length);
        lines.push_str(line);
        if !after.starts_with(['#', ' ', '\t']) && !after.is_empty() {
            lines.push_str("\\\n");
        }
        rest = after;
    }
    lines.push_str(rest);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_lines_join_to_the_same_bytes() {
        for script in [
            "a && b".to_owned(),
            format!("apt-get update && apt-get install -y {} && rm -rf /var/lib; # end; x", "a ".repeat(60)),
            format!("echo '&& # {}; \\' && b;  c || ; # d", "x".repeat(100)),
        ] {
            let written = broken(&script);
            assert_eq!(written.replace("\\\n", ""), script);
            for line in written.lines().skip(1) {
                assert!(!line.trim_start().is_empty() && !line.starts_with(['#', ' ']), "{line:?}");
            }
        }
        assert!(broken(&format!("a && {}", "b".repeat(100))).starts_with("a && \\\nb"));
    }

    #[test]
    fn only_scripts_that_the_shell_reads_alike_are_here_documents() {
        for script in ["a\n", "set -e\n\techo \"$A\" # c\n", "cat <<E\nx\nE\n"] {
            assert!(is_here_document(script), "{script:?}");
        }
        for script in ["a", "a\nb", "\n", "#!/bin/sh\na\n", "a\nb\\", "a\r\nb", "cat <<E\nx\nE", "a\n\u{1b}"]
        {
            assert!(!is_here_document(script), "{script:?}");
        }
        assert_eq!(delimiter("a\nEOF\nb"), "EOFF");
    }
}
