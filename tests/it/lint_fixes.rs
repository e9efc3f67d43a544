//! A safe fix leaves the image as it is: the interpreter builds each case of `lints/` before and after
//! `check --fix`, in a world whose installers read the files that they are told of and no others.

use std::collections::BTreeMap;
use std::path::Path;

use cogpack_backends_contract::tree::{Ids, Name};
use cogpack_compiler::World as Facts;
use cogpack_ir::plan::{BaseImage, ContextKind, Mode};
use cogpack_ir::resolve::Resolved;
use cogpack_ir::shell::{Command, commands_of, of_argv};
use cogpack_meaning::filesystem::{Node, names};
use cogpack_meaning::program::Seen;
use cogpack_meaning::{Failure, Filesystem, World, interpret};
use cogpack_tests::cases::{self, Case};

use crate::lints::{mended, project_of};

/// A world with one project, in which programs do what they are known for.
struct Project {
    files: BTreeMap<String, String>,
}

fn put(path: &str, node: Node, on: &mut Filesystem) {
    let path = names(path.as_bytes());
    on.make_way_to(&path).expect("a directory is above");
    on.put(&path, node);
}

fn file(text: &str) -> Node {
    Node::File(Mode::FILE, Ids::ROOT, text.as_bytes().to_vec())
}

impl World for Project {
    fn image(&self, _: &BaseImage) -> Filesystem {
        let mut filesystem = Filesystem::default();
        put("/etc/passwd", file("root:x:0:0::/root:/bin/sh\napp:x:100:100::/:/bin/sh\n"), &mut filesystem);
        put("/etc/group", file("root:x:0:\napp:x:100:\n"), &mut filesystem);
        put("/tmp/old", file("from the base"), &mut filesystem);
        filesystem
    }

    fn context(&self, _: &ContextKind) -> Filesystem {
        let mut filesystem = Filesystem::default();
        for (path, text) in &self.files {
            if !path.starts_with("node_modules") {
                put(&format!("/{path}"), file(text), &mut filesystem);
            }
        }
        // A directory whose rights are not those that a copy makes on its way.
        let pins = names(b"/pins");
        if filesystem.has_directory(&pins) {
            let private = Mode::new(0o700).expect("is a mode");
            filesystem.put(&pins, Node::Directory(private, Ids::ROOT));
        }
        filesystem
    }

    fn program(&self, seen: &Seen) -> Result<Filesystem, Failure> {
        let commands = match &seen.arguments[..] {
            [shell, flag, script] if shell.ends_with("sh") && flag == "-c" => commands_of(script),
            arguments => of_argv(arguments),
        };
        let mut left = seen.root.clone();
        let mut directory = seen.directory.clone();
        for command in commands {
            match command.name.as_str() {
                "cd" => directory.clone_from(&command.arguments[0].text),
                "pip" => pip(&command, &directory, &mut left)?,
                "npm" => npm(&directory, &mut left)?,
                "venv" => put(&format!("{}/pyvenv.cfg", command.arguments[0].text), file("home"), &mut left),
                "rm" => left.remove(&names(b"/tmp/old")),
                // It sees all there is, which is written down in one digest.
                name => {
                    let all = cogpack_content::Digest::of(format!("{:?}", seen.root).as_bytes());
                    if name != "apt-get" {
                        put(&format!("/made/{name}"), file(&all.to_string()), &mut left);
                    }
                }
            }
        }
        Ok(left)
    }
}

fn read(path: &str, of: &Filesystem) -> Result<String, Failure> {
    match of.get(&of.resolve(path.as_bytes(), true)?) {
        Some(Node::File(mode, ids, bytes)) => {
            Ok(format!("{mode} {ids:?}\n{}", String::from_utf8_lossy(bytes)))
        }
        Some(Node::Directory(..) | Node::Symlink(..)) | None => Err(Failure(format!("there is no {path}"))),
    }
}

/// Installs what requirements files say, with those that they include.
fn pip(command: &Command, directory: &str, on: &mut Filesystem) -> Result<(), Failure> {
    let mut installed = String::new();
    let words: Vec<&str> = command.arguments.iter().map(|word| word.text.as_str()).collect();
    let mut named: Vec<String> = words
        .windows(2)
        .filter(|pair| pair[0] == "-r")
        .map(|pair| match pair[1].starts_with('/') {
            true => pair[1].to_owned(),
            false => format!("{directory}/{}", pair[1]),
        })
        .collect();
    while let Some(path) = named.pop() {
        let text = read(&path, on)?;
        let above = Path::new(&path).parent().expect("a file has a directory").display().to_string();
        let included = text.lines().filter_map(|line| line.strip_prefix("-c ").or(line.strip_prefix("-r ")));
        named.extend(included.map(|included| format!("{above}/{included}")));
        installed += &text;
    }
    put(&format!("/usr/local/lib/site-packages/of-{}", words.len()), file(&installed), on);
    Ok(())
}

/// Removes what was installed, and installs what the lock file says, as `npm ci` does.
fn npm(directory: &str, on: &mut Filesystem) -> Result<(), Failure> {
    let mut installed = String::new();
    for name in ["package.json", "package-lock.json", ".npmrc"] {
        installed += &read(&format!("{directory}/{name}"), on)?;
    }
    on.remove(&names(format!("{directory}/node_modules").as_bytes()));
    put(&format!("{directory}/node_modules/express/index.js"), file(&installed), on);
    Ok(())
}

fn resolved(text: &str) -> Resolved {
    let plan = cogpack_compiler::parse(text).expect("it is a plan");
    cogpack_compiler::compile(plan, &Facts::default()).expect("it keeps every rule")
}

#[test]
fn an_image_is_the_same_after_safe_fixes_of_the_order_of_copies() {
    let (mut moved, mut left_out) = (0, 0);
    for Case { name, text, .. } in cases::of("lints") {
        let files = project_of(&text);
        let [fixed, _] = mended(&text);
        if files.is_empty() || fixed == text {
            continue;
        }
        let world = Project { files };
        let before = interpret(&resolved(&text), &world).unwrap_or_else(|error| panic!("{name}: {error}"));
        let after = interpret(&resolved(&fixed), &world).unwrap_or_else(|error| panic!("{name}: {error}"));
        let names: Vec<&Vec<Name>> = before.filesystem.iter().map(|(path, _)| path).collect();
        assert!(names.len() > 10, "{name} installs nothing");
        assert_eq!(before, after, "{name}");
        moved += 1;
        // The judge sees it where a file is left out that is read.
        for small in small_copies(&fixed) {
            let without = fixed.replace(small, "");
            assert!(interpret(&resolved(&without), &world).is_err(), "{name} does not need {small}");
            left_out += 1;
        }
    }
    assert_eq!((moved, left_out), (2, 5), "cases of what is moved, and what is copied first");
}

/// The statements that copy single files, each with its lines.
fn small_copies(text: &str) -> Vec<&str> {
    let starts = text.match_indices("  copy").map(|(start, _)| start);
    let statements = starts.map(|start| {
        let end = start + text[start..].find(" into \"").unwrap_or(0);
        &text[start..end + text[end..].find('\n').map_or(0, |length| length + 1)]
    });
    statements
        .filter(|statement| statement.contains(" into \"") && statement.matches("copy").count() == 1)
        .collect()
}
