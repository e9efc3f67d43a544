//! What a plan means, worked out in two ways that share next to nothing: by the interpreter, on flat lists
//! of paths, and by the backend that makes layers, on trees that share their parts. Random plans must come
//! to the same filesystem and config, or fail, in both.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::io::{self, Read};

use cogpack_backends_contract::Backend;
use cogpack_backends_contract::content::{Content, ContentSource, ContextFile};
use cogpack_backends_contract::tree::{Attributes, Directory, Node as TreeNode, Tree};
use cogpack_backends_oci_direct::inputs::BaseImage;
use cogpack_backends_oci_direct::program::{Mounted as ProgramMount, Program};
use cogpack_backends_oci_direct::{Inputs, OciDirect, Runs};
use cogpack_ir::arbitrary::valid_plan;
use cogpack_ir::plan::{ContextKind, FileContent};
use cogpack_ir::resolve::{KnownConfigs, Resolved, resolve};
use cogpack_ir::syntax::{parse, print};
use cogpack_ir::verify::verify;
use cogpack_meaning::filesystem::{Node, Path};
use cogpack_meaning::program::{Mounted, Seen};
use cogpack_meaning::{Filesystem, Invented, World, interpret};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestRunner;

/// A source of files that has none: all are written in trees here.
struct Nothing;

impl ContentSource for Nothing {
    fn open<'s>(&'s self, file: &ContextFile) -> io::Result<Box<dyn Read + 's>> {
        Err(io::Error::other(format!("{file:?} is nowhere")))
    }
}

/// The plan of a text, where it breaks no rule.
fn resolved(text: &str) -> Option<Resolved> {
    let parsed = parse(text);
    assert!(parsed.findings.is_empty(), "{text}\n{:?}", parsed.findings);
    resolve(verify(parsed.plan).ok()?, &KnownConfigs::new()).ok()
}

/// A tree of the same entries.
fn tree(filesystem: &Filesystem) -> Tree<Content> {
    let mut tree = Tree::empty();
    for (path, node) in filesystem.iter() {
        let node = match node {
            Node::Directory(mode, ids) => {
                let attributes = Attributes { mode: *mode, ids: *ids };
                if path.is_empty() {
                    tree.directory_mut(path).expect("there is a root").attributes = attributes;
                    continue;
                }
                TreeNode::Directory(Directory::new(attributes).into())
            }
            Node::File(mode, ids, bytes) => TreeNode::File {
                attributes: Attributes { mode: *mode, ids: *ids },
                content: Content::Inline(FileContent(bytes.as_slice().into()).into()),
            },
            Node::Symlink(ids, target) => TreeNode::Symlink { ids: *ids, target: target.as_slice().into() },
        };
        tree.insert(path, node).expect("what is above comes first");
    }
    tree
}

/// The same entries as a flat list.
fn flat(tree: &Tree<Content>) -> Filesystem {
    let mut filesystem = Filesystem::default();
    let root = tree.root().attributes;
    filesystem.put(&[], Node::Directory(root.mode, root.ids));
    for (path, node) in tree.walk() {
        let node = match node {
            TreeNode::Directory(directory) => {
                Node::Directory(directory.attributes.mode, directory.attributes.ids)
            }
            TreeNode::File { attributes, content: Content::Inline(bytes) } => {
                Node::File(attributes.mode, attributes.ids, bytes.0.to_vec())
            }
            TreeNode::Symlink { ids, target } => Node::Symlink(ids, target.into()),
            TreeNode::File { .. } | TreeNode::Special { .. } => unreachable!("no world has such files"),
        };
        filesystem.put(&path, node);
    }
    filesystem
}

/// What the program that the backend wants run can see.
fn seen(program: &Program) -> Seen {
    let mut mounts = BTreeMap::new();
    for mount in &program.mounts {
        let mounted = match &mount.what {
            ProgramMount::Files { from, select, writable } => {
                let from = flat(&from.tree);
                let path: Path = select.clone();
                match from.part(&path) {
                    Some(part) => Mounted::Directory(part, *writable),
                    None => Mounted::File(from.get(&path).expect("it is there").clone(), *writable),
                }
            }
            ProgramMount::Cache { name, sharing } => Mounted::Cache(name.clone(), *sharing),
            ProgramMount::Secret { name, .. } => Mounted::Secret(name.clone()),
            ProgramMount::Agent { .. } => unreachable!("the strategy mounts no agents"),
            ProgramMount::Tmpfs { size } => Mounted::Memory(*size),
        };
        mounts.insert(mount.target.clone(), mounted);
    }
    Seen {
        arguments: program.arguments.clone(),
        environment: program.environment.iter().cloned().map(|(name, value)| (name, Some(value))).collect(),
        secrets: program.secrets.iter().map(|it| (it.variable.clone(), it.secret.clone())).collect(),
        directory: program.directory.clone(),
        user: program.user.clone(),
        network: program.network,
        root: flat(&program.root.tree),
        mounts,
        agents: Vec::new(),
    }
}

/// The filesystem that the backend makes of a plan in a world; nothing where it fails.
fn assembled(plan: &Resolved, world: &Invented) -> Option<Filesystem> {
    let backend = OciDirect {
        at_hand: plan.plan().images.keys().cloned().collect(),
        runs: Runs::Programs,
        ..OciDirect::default()
    };
    let recipe = backend.lower(plan).expect("it can do all that a plan says");
    let mut inputs = Inputs::default();
    for (name, context) in &plan.plan().contexts {
        if let kind @ ContextKind::Directory(_) = &context.kind {
            inputs.directories.insert(name.clone(), tree(&world.context(kind)));
        }
    }
    for (name, image) in &plan.plan().images {
        let tree = tree(&world.image(image));
        inputs.bases.insert(name.clone(), BaseImage { layers: Vec::new(), history: Vec::new(), tree });
    }
    let mut evaluation = recipe.evaluation(&inputs, &Nothing);
    loop {
        let programs = evaluation.advance();
        if programs.is_empty() {
            break;
        }
        for program in programs {
            evaluation.ran(program.stage, tree(&world.program(&seen(&program)).ok()?));
        }
    }
    Some(flat(&evaluation.finish().ok()?.tree))
}

/// Asks both about 1,500 plans of which at least so many can be built, each in a world of its own.
fn all_agree(plans: impl Strategy<Value = String>, least: usize) {
    const CASES: u32 = 1_500;
    let built = Cell::new(0);
    let config = ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() };
    let asked = TestRunner::new(config).run(&(plans, any::<u64>()), |(text, seed)| {
        let Some(plan) = resolved(&text) else { return Ok(()) };
        let world = Invented::of(&plan, seed);
        let meaning = interpret(&plan, &world);
        let made = assembled(&plan, &world);
        let expected = meaning.as_ref().map(|image| &image.filesystem);
        prop_assert_eq!(expected.ok(), made.as_ref(), "{}\n{:?}", text, expected.err());
        built.set(built.get() + usize::from(made.is_some()));
        Ok(())
    });
    asked.unwrap_or_else(|failure| panic!("{failure}"));
    assert!(built.get() >= least, "only {} of {CASES} plans can be built", built.get());
}

/// Ops on so few paths that they get in each other's way.
fn ops() -> impl Strategy<Value = String> {
    let place = || select(&["/a", "/a/b", "/a/b/c", "/l", "/l/b", "/new/x", "/tmp/x", "/"][..]);
    let source = select(&["a.txt", "src", ".", "link", "link/x", "dir/inner", "etc"][..]);
    let pattern = select(&["*", "*.txt", "s?c", "dir/*", "link/*", "[a-s]*"][..]);
    let input = select(&["@source", "image @base"][..]);
    let owner = select(&["", " owner 5:6", " owner app", " owner 5:app"][..]);
    let mode = select(&["", " mode 0700", " mode 4755"][..]);
    let flags = select(&["", " replace", " optional", " follow", " follow optional"][..]);
    let rules = select(
        &[
            "",
            " { exclude \"**/*.pyc\" }",
            " { include \"**/x.pyc\" }",
            " { exclude \"**\" include \"*\" }",
            " { include \"inner\" exclude \"**/x.pyc\" }",
        ][..],
    );
    let copies = (source, pattern, input, place(), (owner, mode.clone(), flags, rules), 0..3).prop_map(
        |(source, pattern, input, place, (owner, mode, flags, rules), form)| match form {
            0 => format!("copy {source:?} from {input} to {place:?}{flags}{owner}{mode}{rules}"),
            1 => format!("copy contents {source:?} from {input} to {place:?}{flags}{owner}{mode}{rules}"),
            _ => format!("copy {pattern:?} \"a.txt\" from {input} into {place:?}{flags}{owner}{mode}{rules}"),
        },
    );
    let own = (place(), mode, 0..8).prop_map(|(place, mode, kind)| match kind {
        0 => format!("file {place:?}{mode} = \"text\""),
        1 => format!("mkdir {place:?}{mode}"),
        2 => format!("mkdir {place:?} owner app"),
        3 => format!("symlink \"/a\" at {place:?}"),
        4 => format!("symlink \"b/../..\" at {place:?}"),
        5 => format!("remove {place:?} optional"),
        6 => format!("workdir {place:?}"),
        _ => format!("run \"x\" {{ mount @source at {place:?} writable }}"),
    });
    let op = prop_oneof![3 => copies, 2 => own];
    vec((op, any::<bool>()), 1..5).prop_map(|ops| {
        let op = |(place, (op, is_grouped)): (usize, (String, bool))| match is_grouped {
            true => format!("    layer l{place} {{ {op} }}\n"),
            false => format!("    {op}\n"),
        };
        ops.into_iter().enumerate().map(op).collect()
    })
}

const INPUTS: &str = "cpk 1\nimage @base = \"base\" digest \
    sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 config empty\n\
    context @source = dir \".\"\n";

#[test]
fn plans_are_the_same_where_nothing_can_tell_them_apart() {
    let plan = |stages: &str| format!("{INPUTS}{stages}\nexport from %app {{}}\n");
    let on_base = |ops: &str| plan(&format!("stage %app from image @base {{\n{ops}\n}}"));
    let run = "run \"make\"";
    let sources = "copy contents \"src\" from @source to \"/src\"";
    let same = [
        // Two stages do what one does, and names of inputs are names.
        (
            on_base("file \"/a\" = \"1\"\nrun \"make\""),
            plan(
                "stage %low from image @base { file \"/a\" = \"1\" }\nstage %app from %low { run \"make\" }",
            ),
        ),
        (on_base(sources), on_base(sources).replace("@source", "@renamed").replace("@base", "@other")),
        // What is put elsewhere can be put in any order.
        (
            on_base("file \"/a\" = \"1\"\nsymlink \"a\" at \"/b\""),
            on_base("symlink \"a\" at \"/b\"\nfile \"/a\" = \"1\""),
        ),
        (on_base("file \"/new\" = \"1\"\nremove \"/new\""), on_base("")),
        (
            on_base("layer both { file \"/a\" = \"1\" run \"make\" }"),
            on_base("file \"/a\" = \"1\"\nrun \"make\""),
        ),
    ];
    let different = [
        // A program sees what is there before it, how it is started, and what its network is.
        (on_base(&format!("{run}\n{sources}")), on_base(&format!("{sources}\n{run}"))),
        (on_base(run), on_base("run \"make\" { network none }")),
        (on_base(run), on_base("env A = \"1\"\nrun \"make\"\nunset A")),
        (on_base(run), on_base("run \"make\" { user \"app\" }")),
        (
            on_base(run),
            on_base("run \"make\" { mount cache c at \"/c\" }").replace("export", "cache c\nexport"),
        ),
        (on_base("run \"a\"\nrun \"b\""), on_base("run \"b\"\nrun \"a\"")),
        // Modes, owners and the order of variables show in the image.
        (on_base("mkdir \"/a\""), on_base("mkdir \"/a\" mode 0700")),
        (on_base(sources), on_base(&format!("{sources} owner 5:6"))),
        (on_base("env A = \"1\"\nenv B = \"1\""), on_base("env B = \"1\"\nenv A = \"1\"")),
    ];
    let means = |text: &str, of: &str| {
        let world = Invented::of(&resolved(of).expect("breaks no rule"), 1);
        interpret(&resolved(text).expect("breaks no rule"), &world).expect("can be built")
    };
    for (one, other) in &same {
        assert_eq!(means(one, one), means(other, one), "{one}{other}");
    }
    for (one, other) in &different {
        assert_ne!(means(one, one), means(other, one), "{one}{other}");
    }
}

#[test]
fn the_backend_makes_what_any_plan_means() {
    all_agree(valid_plan().prop_map(|plan| print(&plan)), 750);
}

#[test]
fn the_backend_does_what_ops_mean_that_are_in_each_others_way() {
    let from = select(&["scratch", "image @base", "@source"][..]);
    let plans = (from, ops(), ops()).prop_map(|(from, first, second)| {
        format!(
            "{INPUTS}stage %first from {from} {{\n{first}}}\n\
             stage %second from %first {{\n{second}    copy \"a\" from %first to \"/copied\" optional\n}}\n\
             export from %second {{}}\n"
        )
    });
    all_agree(plans, 200);
}

#[test]
fn the_backend_joins_what_stages_side_by_side_mean() {
    let plans = (ops(), ops()).prop_map(|(left, right)| {
        format!(
            "{INPUTS}phase start phase sides parallel after start\n\
             stage %start in start from image @base {{ mkdir \"/a\" file \"/a/x\" = \"\" }}\n\
             stage %left in sides {{\n{left}}}\nstage %right in sides {{\n{right}}}\n\
             export from phase sides {{}}\n"
        )
    });
    all_agree(plans, 100);
}
