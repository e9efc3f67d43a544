//! The plans that are measured: chains of stages with one copy, one run and one variable each.

use std::fmt::Write as _;

/// How many stages each benchmark is run with. Cost must grow in a line over these.
pub const SIZES: [usize; 4] = [100, 1_000, 10_000, 100_000];

/// How many different variables a plan sets: an environment of a thousand variables is no real
/// plan's, and would measure the square of its own size.
const VARIABLES: usize = 20;

/// The text of a plan with `stages` stages, each from the one before, that only copies: what the
/// backend takes that runs nothing. No directory has more than fifty entries, as in real trees.
pub fn copies(stages: usize) -> String {
    let mut text = String::with_capacity(150 * stages + 200);
    text.push_str("cpk 1\n\nplatform linux/amd64\n\ncontext @source = files {\n  file \"a\" = \"a\"\n}\n\n");
    for stage in 0..stages {
        let (wide, narrow) = (stage / 50, stage % 50);
        // A String takes whatever is written to it.
        let _ = match stage {
            0 => writeln!(text, "stage %s0 from scratch {{"),
            _ => writeln!(text, "stage %s{stage} from %s{} {{", stage - 1),
        };
        let (top, middle) = (wide / 50, wide % 50);
        let _ = writeln!(text, "  env V{} = \"{stage}\"", stage % VARIABLES);
        let _ = writeln!(text, "  copy \"a\" from @source to \"/data/{top}/{middle}/{narrow}\"\n}}\n");
    }
    let _ = writeln!(text, "export from %s{}", stages.saturating_sub(1));
    text
}

/// The text of a plan with `stages` stages, each from the one before, of which each adds a file to
/// one directory.
pub fn one_directory(stages: usize) -> String {
    let mut text = String::with_capacity(80 * stages + 100);
    text.push_str("cpk 1\n\nplatform linux/amd64\n\n");
    for stage in 0..stages {
        let from = if stage == 0 { "scratch".to_owned() } else { format!("%s{}", stage - 1) };
        // A String takes whatever is written to it.
        let _ = writeln!(text, "stage %s{stage} from {from} {{\n  file \"/data/{stage}\" = \"a\"\n}}\n");
    }
    let _ = writeln!(text, "export from %s{}", stages.saturating_sub(1));
    text
}

/// The text of a plan with `stages` stages, each from the one before.
pub fn chain(stages: usize) -> String {
    let mut text = String::with_capacity(200 * stages + 200);
    text.push_str("cpk 1\n\nplatform linux/amd64\n\ncontext @source = dir \".\"\n\n");
    for stage in 0..stages {
        // A String takes whatever is written to it.
        let _ = match stage {
            0 => writeln!(text, "stage %s0 from scratch {{\n  env PATH = \"/usr/bin:/bin\""),
            _ => writeln!(text, "stage %s{stage} from %s{} {{", stage - 1),
        };
        let _ = writeln!(text, "  env V{} = \"{stage}\"", stage % VARIABLES);
        let _ = writeln!(text, "  copy \"file-{stage}\" from @source to \"/data/file-{stage}\"");
        let _ = writeln!(text, "  run \"make -C /data step-{stage}\"");
        text.push_str("}\n\n");
    }
    let _ = writeln!(text, "export from %s{}", stages.saturating_sub(1));
    text
}

/// The text of a plan with one stage that sets this many variables, each with a program after it, which sees all so
/// far.
pub fn variables(variables: usize) -> String {
    let mut text = String::with_capacity(60 * variables + 100);
    text.push_str("cpk 1\n\nplatform linux/amd64\n\nstage %s from scratch {\n  env PATH = \"/bin\"\n");
    for variable in 0..variables {
        // A String takes whatever is written to it.
        let _ = writeln!(text, "  env V{variable} = \"{variable}\"\n  run \"make step-{variable}\"");
    }
    text.push_str("}\n\nexport from %s\n");
    text
}
