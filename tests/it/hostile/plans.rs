//! Random plans with hostile texts in every place that takes one.
//!
//! Plans are made as text, so a shrunk failure reads like a case. All but the hostile texts is
//! valid and does not get in each other's way: each op has paths of its own.

use cogpack_ir::plan::Template;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

/// Pieces that break careless quoting.
const PIECES: [&str; 74] = [
    " ",
    "  ",
    "\t",
    "\n",
    "\r",
    "\r\n",
    "\u{b}",
    "\u{1b}",
    "\u{7f}",
    "\u{85}",
    "\u{a0}",
    "\u{2028}",
    "\u{feff}",
    "\"",
    "'",
    "\"\"",
    "''",
    "`",
    "\\",
    "\\\\",
    "\\\n",
    "\\ ",
    "\\n",
    "\\\"",
    "\\$",
    "\\u{41}",
    "$",
    "$$",
    "${",
    "}",
    "${PATH}",
    "$PATH",
    "$1",
    "$12",
    "$@",
    "${A:-b}",
    "$(a)",
    "#",
    "# a\n",
    "\n#",
    "\n# escape=`\n",
    "# syntax=a\n",
    "<<",
    "<<EOF",
    "<<-'EOF'",
    "3<<A ",
    "\nEOF\n",
    "[",
    "]",
    "[\"a\"]",
    "[a-b]",
    "*",
    "?",
    "!",
    "{",
    "-",
    "--",
    "--from=a ",
    "--mount=type=tmpfs ",
    "=",
    "a=b",
    ",",
    ":",
    ";",
    "&&",
    "|",
    "%",
    "~",
    "\nRUN a",
    "\nFROM b",
    "AS",
    "é",
    "à",
    "\u{1f600}",
];

/// The users and groups of the base, and their numbers.
pub const ACCOUNTS: [(&str, u32); 5] =
    [("app", 1000), ("a$b", 1001), ("_x.y-z", 1002), ("staff", 50), ("c$1", 51)];

/// Owners, some of them by names of the base.
const OWNERS: [&str; 6] = ["5:6", "0:0", "app:staff", "a$b:c$1", "_x.y-z:c$1", "7:staff"];

/// Names of stages, some of which mean something to readers of Dockerfiles.
const STAGES: [&str; 8] = ["tools", "Tools", "scratch", "0", "1.x_y-z", "base", "source", "AS"];

/// Any text without a NUL, which no place takes.
pub fn text() -> BoxedStrategy<String> {
    let piece = prop_oneof![5 => select(&PIECES[..]).prop_map(str::to_owned), 2 => "[a-zA-Z0-9._/-]{1,3}", 1 => "[ -~]"];
    vec(piece, 0..5).prop_map(|pieces| pieces.concat()).boxed()
}

/// A text with more than white space in it.
fn some_text() -> BoxedStrategy<String> {
    text().prop_map(|text| if text.trim().is_empty() { format!("{text}x") } else { text }).boxed()
}

/// The name of a file. Control characters and backslashes are in no path of a plan.
fn name() -> BoxedStrategy<String> {
    text()
        .prop_map(|text| text.replace(|it: char| it.is_control() || matches!(it, '/' | '\\'), "-"))
        .prop_map(|text| if matches!(text.as_str(), "" | "." | "..") { "x".to_owned() } else { text })
        .boxed()
}

/// A text in the plan's quotes.
pub fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            '\n' => quoted.push_str("\\n"),
            letter if letter.is_control() => quoted.push_str(&format!("\\u{{{:x}}}", u32::from(letter))),
            letter => quoted.push(letter),
        }
    }
    quoted + "\""
}

/// The same where `${…}` is a variable.
pub fn literal(text: &str) -> String {
    quoted(Template::literal(text).as_written())
}

/// The same with a variable among it, `$$` and all around it being text.
fn with_variable(before: &str, variable: &str, after: &str) -> String {
    let [before, after] = [before, after].map(literal);
    format!("{}${{{variable}}}{}", &before[..before.len() - 1], &after[1..])
}

fn list(texts: &[String]) -> String {
    let texts: Vec<String> = texts.iter().map(|text| quoted(text)).collect();
    format!("[{}]", texts.join(", "))
}

/// A program with arguments. One word alone must not look like a line of a shell.
fn argv() -> BoxedStrategy<Vec<String>> {
    (some_text(), vec(text(), 1..4))
        .prop_map(|(program, arguments)| std::iter::once(program).chain(arguments).collect())
        .boxed()
}

fn user() -> BoxedStrategy<String> {
    select(&["app", "app$", "a$b:c$1", "1000", "0:0", "root", "1:2", "_x.y-z:$x"][..])
        .prop_filter("is an account", |user| user.parse::<cogpack_ir::plan::Owner>().is_ok())
        .prop_map(str::to_owned)
        .boxed()
}

fn modifiers() -> BoxedStrategy<String> {
    (option::of(select(&["0600", "0755"][..])), option::of(select(&OWNERS[..])))
        .prop_map(|(mode, owner)| {
            let mode = mode.map(|mode| format!(" mode {mode}")).unwrap_or_default();
            let owner = owner.map(|owner| format!(" owner {owner}")).unwrap_or_default();
            mode + &owner
        })
        .boxed()
}

/// The block of a `run` or `exec`.
fn execution() -> BoxedStrategy<String> {
    let setting = prop_oneof![
        3 => (select(&["A", "B"][..]), text())
            .prop_map(|(name, value)| (name, format!("env {name} = {}", literal(&value)))),
        1 => user().prop_map(|user| ("user", format!("user {}", quoted(&user)))),
        2 => name().prop_map(|name| ("workdir", format!("workdir {}", literal(&format!("/w/{name}"))))),
    ];
    let mount = prop_oneof![
        name().prop_map(|name| format!("mount tmpfs at {}", literal(&format!("/m1/{name}")))),
        select(&["S", "S_2"][..]).prop_map(|name| format!("mount secret token as env {name}")),
        Just("mount ssh".to_owned()),
        name().prop_map(|name| format!("mount ssh at {}", literal(&format!("/m6/{name}")))),
        name().prop_map(|name| format!("mount ssh deploy at {}", literal(&format!("/m6/{name}")))),
        name().prop_map(|name| format!(
            "mount cache pip at {} sharing locked",
            literal(&format!("/m2/{name}"))
        )),
        name().prop_map(|name| format!("mount secret token at {}", literal(&format!("/m3/{name}")))),
        name().prop_map(|name| format!(
            "mount @source at {} select \"plain\"",
            literal(&format!("/m4/{name}"))
        )),
        name().prop_map(|name| format!("mount %tools at {} writable", literal(&format!("/m5/{name}")))),
    ];
    (vec(setting, 0..3), option::weighted(0.2, mount))
        .prop_map(|(mut said, mount)| {
            said.sort();
            // Nothing may be said twice.
            said.dedup_by_key(|(what, _)| *what);
            let lines: Vec<String> = said.into_iter().map(|(_, line)| line).chain(mount).collect();
            if lines.is_empty() { String::new() } else { format!(" {{\n{}\n}}", lines.join("\n")) }
        })
        .boxed()
}

/// An op. Its number keeps its paths apart from those of others; the names are those of files in
/// the context `@source` and in the stage `%tools`.
fn op(number: usize, names: Vec<String>) -> BoxedStrategy<String> {
    let at = move |name: &str| literal(&format!("/o{number}/{name}"));
    let source = select(names);
    let input = select(&["@source", "%tools", "@inline"][..]);
    prop_oneof![
        4 => ("[A-C][a-z.-]?", text()).prop_map(|(name, value)| format!("env {name} = {}", literal(&value))),
        2 => ("[A-C][a-z.-]?", text(), text()).prop_map(|(name, before, after)| {
            format!("env {name} = {}", with_variable(&before, "BASE", &after))
        }),
        1 => (name(), name()).prop_map(move |(before, after)| {
            format!("workdir {}", with_variable(&format!("/o{number}/{before}"), "PATH", &after))
        }),
        1 => (name(), name(), text()).prop_map(move |(before, after, content)| {
            let path = with_variable(&format!("/o{number}/{before}"), "PATH", &after);
            format!("file {path} = {}", quoted(&content))
        }),
        1 => (select(&["prepend", "append"][..]), text())
            .prop_map(|(word, value)| format!("env {word} A {}", literal(&value))),
        2 => name().prop_map(move |name| format!("workdir {}", at(&name))),
        1 => user().prop_map(|user| format!("user {}", quoted(&user))),
        1 => argv().prop_map(|argv| format!("shell {}", list(&argv))),
        3 => (name(), modifiers(), text())
            .prop_map(move |(name, modifiers, content)| format!("file {}{modifiers} = {}", at(&name), quoted(&content))),
        1 => (name(), modifiers()).prop_map(move |(name, modifiers)| format!("mkdir {}{modifiers}", at(&name))),
        1 => (name(), some_text())
            .prop_map(move |(name, target)| format!("symlink {} at {}", literal(&target), at(&name))),
        1 => name().prop_map(move |name| format!("remove {} optional", at(&name))),
        2 => (name(), input.clone(), source.clone(), any::<bool>(), modifiers()).prop_map(move |(name, input, source, replace, modifiers)| {
            let replace = if replace { " replace" } else { "" };
            format!("copy {} from {input} to {}{replace}{}", literal(&source), at(&name), swapped(&modifiers))
        }),
        2 => (name(), input, source.clone())
            .prop_map(move |(name, input, source)| format!("copy {} from {input} into {}", literal(&source), at(&name))),
        1 => (name(), source)
            .prop_map(move |(name, source)| format!("copy contents \".\" from @source to {} {{ exclude {} }}", at(&name), quoted(&pattern(&source)))),
        3 => (some_text(), execution()).prop_map(|(script, execution)| format!("run {}{execution}", quoted(&script))),
        3 => (argv(), execution()).prop_map(|(argv, execution)| format!("exec {}{execution}", list(&argv))),
        1 => some_text().prop_map(|file| format!("by block at {}:7", quoted(&file))),
    ]
    .boxed()
}

/// A copy says its owner before its mode.
fn swapped(modifiers: &str) -> String {
    match modifiers.split_once(" owner ") {
        Some((mode, owner)) => format!(" owner {owner}{mode}"),
        None => modifiers.to_owned(),
    }
}

/// A pattern that matches one name alone.
fn pattern(name: &str) -> String {
    let mut pattern = String::new();
    for letter in name.chars() {
        match letter {
            '*' | '?' | '[' => pattern.extend(['[', letter, ']']),
            letter => pattern.push(letter),
        }
    }
    pattern
}

/// What `export` says.
fn export() -> BoxedStrategy<String> {
    let setting = prop_oneof![
        argv().prop_map(|argv| ("entrypoint", format!("entrypoint {}", list(&argv)))),
        argv().prop_map(|argv| ("cmd", format!("cmd {}", list(&argv)))),
        user().prop_map(|user| ("user", format!("user {}", quoted(&user)))),
        name().prop_map(|volume| ("volume", format!("volume {}", quoted(&format!("/v/{volume}"))))),
        (some_text(), text())
            .prop_map(|(key, value)| ("label", format!("label {} = {}", quoted(&key), quoted(&value)))),
        text().prop_map(|value| ("label", format!("label plain.key = {}", quoted(&value)))),
        select(&["80/tcp", "53/udp"][..]).prop_map(|port| ("expose", format!("expose {port}"))),
        select(&["SIGTERM", "15", "SIGRTMIN+3"][..])
            .prop_map(|signal| ("stop-signal", format!("stop-signal \"{signal}\""))),
        argv().prop_map(|argv| ("healthcheck", format!("healthcheck exec {} interval 5s", list(&argv)))),
        some_text()
            .prop_map(|script| ("healthcheck", format!("healthcheck shell {} retries 2", quoted(&script)))),
    ];
    vec(setting, 0..4)
        .prop_map(|mut settings| {
            settings.sort();
            settings.dedup_by_key(|(word, _)| *word);
            settings.into_iter().map(|(_, line)| format!("  {line}\n")).collect()
        })
        .boxed()
}

/// A plan, and the names of the files in the folder `source` beside it (and a file `plain`).
pub fn plan() -> BoxedStrategy<(String, Vec<String>)> {
    // A copy that takes one path takes none with these letters.
    vec(name().prop_map(|name| name.replace(['*', '?'], "+")), 1..3)
        .prop_map(|mut names| {
            names.sort();
            names.dedup();
            names.retain(|name| name != "plain" && name != ".dockerignore" && name != ".cog");
            if names.is_empty() { vec!["x".to_owned()] } else { names }
        })
        .prop_flat_map(|names| {
            let ops: Vec<BoxedStrategy<String>> = (0..5).map(|number| op(number, names.clone())).collect();
            let ops =
                (ops, 1..6_usize).prop_map(|(ops, count)| ops.into_iter().take(count).collect::<Vec<_>>());
            (Just(names), text(), ops, any::<bool>(), export(), select(&STAGES[..]))
        })
        .prop_map(|(names, base, ops, grouped, export, stage)| {
            // No random text has five letters in a row.
            let plan = written(&names, &base, &ops, grouped, &export).replace("%tools", &format!("%{stage}"));
            (plan, names)
        })
        .boxed()
}

/// A plan whose stages have these ops and whose export has these lines; `base` is a variable of the
/// base image.
pub fn written(names: &[String], base: &str, ops: &[String], grouped: bool, export: &str) -> String {
    let mut text = format!(
        "cpk 1\nimage @base = \"docker.io/library/debian:12\"\n  env PATH = \"/bin\"\n  env BASE = {}\n\
         context @source = dir \"source\" {{\n  exclude \"*.excluded\"\n}}\ncontext @inline = files {{\n",
        quoted(base)
    );
    let mut tools = String::new();
    for (number, name) in names.iter().enumerate() {
        let quoted = quoted(name);
        text.push_str(&format!("  file {quoted} = \"inline {number}\"\n"));
        tools.push_str(&format!("  file {} = \"tool {number}\"\n", literal(&format!("/{name}"))));
    }
    let ops: String = ops.iter().map(|op| format!("  {op}\n")).collect();
    let is_file_op = |op: &str| !op.trim_start().starts_with("by ");
    let ops = if grouped && is_file_op(&ops) { format!("  layer group {{\n{ops}  }}\n") } else { ops };
    format!(
        "{text}}}\nsecret token\ncache pip\nstage %tools from scratch {{\n  env PATH = \"/bin\"\n{tools}}}\n\
         stage %app from image @base {{\n{ops}}}\nexport from %app {{\n{export}}}\n"
    )
}
