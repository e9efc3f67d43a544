//! Parts of a plan as its text writes them.

use cogpack_ir::draw::describe::one_line;
use cogpack_ir::plan::{Export, Input, Op, OpKind, Plan, Span, Spanned, Stage, StageName};
use cogpack_ir::syntax::print;

/// Most characters of a title.
const LONGEST: usize = 72;

/// The lines of an op.
pub(crate) fn op(op: &Op) -> Vec<String> {
    let Ok(name) = StageName::new("s") else { return Vec::new() };
    let stage = Stage {
        name: Spanned::nowhere(name),
        phase: None,
        from: Some(Spanned::nowhere(Input::Scratch)),
        provides: std::collections::BTreeSet::new(),
        ops: vec![op.clone()],
    };
    let lines = own_lines(&Plan { stages: vec![stage], ..Plan::empty() });
    let inner = lines.get(1..lines.len().saturating_sub(1)).unwrap_or_default();
    inner.iter().map(|line| line.strip_prefix("  ").unwrap_or(line).to_owned()).collect()
}

/// The lines of what a plan says that is otherwise empty.
pub(crate) fn own_lines(plan: &Plan) -> Vec<String> {
    let empty = print(&Plan { platforms: plan.platforms.clone(), ..Plan::empty() });
    let text = print(plan);
    let text = text.strip_prefix(&*empty).unwrap_or(&text);
    text.trim_matches('\n').lines().map(str::to_owned).collect()
}

/// The lines of an export.
pub(crate) fn export(export: Option<&Export>) -> Vec<String> {
    export.map_or_else(Vec::new, |export| own_lines(&Plan { export: Some(export.clone()), ..Plan::empty() }))
}

/// An op in at most one line.
pub fn title(op: &Op) -> String {
    let title = match &op.kind {
        OpKind::Run { script, .. } => format!("run {}", from_work(script)),
        OpKind::Exec { argv, .. } => format!("exec {}", one_line(&argv.join(" "))),
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
        | OpKind::By(_) => {
            let plain = Op { kind: op.kind.clone(), span: Span::NOWHERE };
            let lines = self::op(&plain);
            let first = lines.first().map_or("", String::as_str);
            one_line(first.trim_end_matches(" = \"\"\"").trim_end_matches(" {"))
        }
    };
    match title.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &title[..end]),
        None => title,
    }
}

/// A script from where it does something: comments, and what only sets the shell's options, say
/// little of it.
fn from_work(script: &str) -> String {
    let works = |line: &&str| {
        let line = line.trim();
        !line.is_empty() && !line.starts_with('#') && !line.starts_with("set -") && !line.starts_with("set +")
    };
    let mut lines = script.lines().filter(works);
    match (lines.next(), lines.next()) {
        (Some(first), Some(_)) => format!("{} …", one_line(first)),
        (Some(first), None) => one_line(first),
        (None, _) => one_line(script),
    }
}
