//! Ejects as whoever finds one builds it: by the command of its README, word by word in a shell, where
//! that says it is to be run. They read the user's own directory, named contexts and image layouts
//! where these are, and give what the plan's LLB gives; a group that becomes several layers becomes as
//! many as was said.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use cogpack_tests::engines;
use cogpack_tests::image::differences;
use cogpack_tests::terminal::cogpackc;
use cogpack_tests::tools::{Given, Tool};
use serde_json::Value;

use super::ejects::{Unbuilt, World, mount_points, named, order_variables, plans, without_mount_points};

/// What a tool can read where it is, or be given.
#[derive(Debug, Clone, Copy)]
struct Reads {
    /// A directory of which the plan leaves something out.
    rules: bool,
    /// That by other letters than those of ASCII.
    letters: bool,
    /// An image layout.
    layout: bool,
    /// Secrets and ssh agents.
    secrets: bool,
}

/// The plan of what a tool can read. All that changes files after the base stands in one group.
fn plan(reads: Reads, registry: &str, layout: &str) -> String {
    let when = |condition: bool, text: &str| if condition { text.to_owned() } else { String::new() };
    let letters = when(reads.letters, "  exclude \"src/left \u{2028}\"\n  exclude \"src/\u{e9}\u{3000}\"\n");
    let rules = " {\n  exclude \"**/*.pyc\"\n  exclude \"src/left \"\n  exclude \"token\"\n";
    let rules = when(reads.rules, &format!("{rules}{letters}}}"));
    let layout_context =
        when(reads.layout, &format!("context @parts = oci \"parts\" {{ digest {layout} }}\n"));
    let layout_copy = when(reads.layout, "copy \"/etc/debian_version\" from @parts to \"/srv/version\"\n");
    let secret = when(reads.secrets, "secret token\n");
    let secret_run = when(
        reads.secrets,
        "run \"test -S \\\"$SSH_AUTH_SOCK\\\" && sha256sum < /run/token > /srv/seen\" {\n\
         mount secret token at \"/run/token\"\nmount ssh\n}\n",
    );
    format!(
        "cpk 1\nplatform linux/amd64\nimage @base = \"{registry}/base/debian:bookworm-slim\"\n  \
         env PATH = \"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\"\n{layout_context}{secret}\
         context @app = dir \".\"{rules}\ncontext @models = dir \"models\"\n\
         stage %tools from image @base {{\n  run \"mkdir /out && echo tool > /out/tool && chmod 0750 /out/tool\"\n}}\n\
         stage %conf from scratch {{\n\
         copy \"conf/*.ini\" \"conf/?.json\" from @app into \"/out/conf\" mode 0640\n\
         copy \"conf\" from @app to \"/out/other\" {{\n  include \"*.ini\"\n  include \"x.toml\"\n}}\n}}\n\
         stage %app from image @base {{\n  layer all {{\n\
         copy \"src\" from @app to \"/srv/src\"\ncopy \"a b\" from @app to \"/srv/a b\" owner 5:6\n\
         copy contents \".\" from @models to \"/srv/models\"\n{layout_copy}\
         copy contents \"/out\" from %conf to \"/srv/made\"\n\
         copy \"/out/tool\" from %tools to \"/srv/tool\"\nfile \"/srv/motd\" = \"hello $USER\\n\"\n\
         env NAME = \"$one 'two'\"\n\
         run \"cat /srv/src/x /srv/models/m > /srv/all\"\n{secret_run}\
         mkdir \"/srv/state\" mode 0700 owner 7:8\nworkdir \"/srv/state\"\n}}\n}}\n\
         export from %app {{\n  cmd [\"cat\", \"all\"]\n  label said = \"a \\\"b\\\"\"\n}}\n"
    )
}

/// Writes the plan's folder, the place that its README's commands are run in.
fn write(folder: &Path, plan: &str, layouts: &Path) {
    for (file, content) in [
        ("plan.cpk", plan),
        ("src/x", "x\n"),
        ("src/deep/y", "y\n"),
        ("src/deep/y.pyc", "left out\n"),
        ("src/left ", "left out\n"),
        ("src/left \u{2028}", "left out where that can be said\n"),
        ("src/\u{e9}\u{3000}", "left out where that can be said\n"),
        ("a b", "spaces\n"),
        ("models/m", "weights\n"),
        ("conf/a.ini", "a\n"),
        ("conf/.b.ini", "hidden\n"),
        ("conf/c.json", "{}\n"),
        ("conf/long.json", "[]\n"),
        ("conf/x.toml", "x = 1\n"),
        ("conf/below/z.ini", "z\n"),
    ] {
        let path = folder.join(file);
        std::fs::create_dir_all(path.parent().expect("it is below the folder")).expect("can be made");
        // What a builder has kept of another run must not serve this one.
        let content = content.replace("weights", &format!("weights of {}", std::process::id()));
        std::fs::write(path, content).expect("can be written");
    }
    std::os::unix::fs::symlink(layouts.join("debian"), folder.join("parts")).expect("can be made");
}

/// What the README of an eject says.
struct Readme {
    text: String,
    /// How it is built.
    command: String,
    /// Where that is run.
    place: PathBuf,
}

impl Readme {
    /// Reads that of an eject whose plan stands in `folder`.
    fn of(folder: &Path, eject: &Path) -> Self {
        let text = std::fs::read_to_string(eject.join("README.md")).expect("an eject has a README");
        let block = text.split_once("```sh\n").and_then(|(_, rest)| rest.split_once("\n```"));
        let command = block.expect("the README has a command").0.to_owned();
        let is_in_context = text.contains("in the directory that the Dockerfile copies from");
        let place = if is_in_context { folder.to_owned() } else { eject.to_owned() };
        Self { text, command, place }
    }
}

/// How many layers the notes of an eject say that the group has become.
fn told(stderr: &str) -> RangeInclusive<usize> {
    let (_, rest) = stderr.split_once("note: `layer all` of `%app` makes ").expect("it is told");
    let (count, _) = rest.split_once(" layers: ").expect("a count is told");
    let (fewest, most) = count.split_once(" to ").unwrap_or((count, count));
    let number = |text: &str| text.parse().expect("a count is a number");
    number(fewest)..=number(most)
}

fn the_command_of_the_readme_builds_what_llb_gives(tool: Option<Tool>, reads: Reads, words: &[&str]) {
    let (Some(tool), Some(newer), Some(world)) = (tool, engines::newer(), World::new()) else { return };
    let registry = engines::registry().expect("it is up where an engine is");
    let layouts = std::env::var_os("COGPACK_TEST_LAYOUTS").expect("the rig says where its layouts are");
    let index = std::fs::read(Path::new(&layouts).join("debian/index.json")).expect("the rig made it");
    let index: Value = serde_json::from_slice(&index).expect("is JSON");
    let digest = index["manifests"][0]["digest"].as_str().expect("is text");

    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let folder = folder.path();
    write(folder, &plan(reads, &registry, digest), Path::new(&layouts));
    let mut arguments = vec!["plan.cpk", "-o", "dockerfile", "-O", "deploy"];
    arguments.extend_from_slice(tool.dialect);
    let answer = cogpackc(folder, &arguments);
    assert_eq!(answer.code, 0, "{}", answer.stderr);
    let Readme { text: readme, command, place } = Readme::of(folder, &folder.join("deploy"));
    let command = &command;
    for words in words {
        assert!(command.contains(words), "{words} is not in {command}");
    }
    let dockerfile = std::fs::read_to_string(folder.join("deploy/Dockerfile")).expect("an eject has one");
    let is_said = |line: &str| line.contains(" conf/*.ini conf/x.toml /") && line.ends_with("/out/other/");
    assert!(dockerfile.lines().any(is_said), "{dockerfile}");
    // It names the file of a secret as one that lies where it is run.
    std::fs::copy(&world.given.secrets["token"], place.join("token")).expect("can be copied");
    let image = format!("localhost/ejected-commands/{}:{}", tool.name, std::process::id());
    let built = tool.build_by(command, &place, &image, &world.given);
    let layers = built.as_ref().map(|()| tool.layers(&image)).unwrap_or_default();
    let names = [image];
    let found = built.as_ref().map(|()| tool.images(&names)).unwrap_or_default();
    tool.remove(&names);
    built.unwrap_or_else(|said| panic!("{command}\n{said}\n{readme}"));

    let reference = format!("ejected-commands/llb-for-{}:{}", tool.name, std::process::id());
    let plan = folder.join("plan.cpk");
    std::fs::copy(&plan, folder.join("built.cpk")).expect("can be copied");
    let reader = Tool::newer_buildkit().expect("the newer engine is there");
    match world.build(&newer, folder, &reference) {
        Ok(()) => {}
        Err(Unbuilt::Refused(codes)) => panic!("{codes:?}"),
        Err(Unbuilt::Failed(said)) => panic!("{said}"),
    }
    let references = [reference];
    let wanted = reader.images(&references);
    reader.remove(&references);
    let wanted = named(&wanted, &references[0]);
    let mut built = without_mount_points(named(&found, &names[0]), wanted, &mount_points(&plan));
    order_variables(&mut built, wanted);
    let differences = differences(wanted, &built);
    assert!(differences.is_empty(), "{command}\ndiffers from what the plan's LLB gives:\n{differences}");
    assert!(!built.files.contains_key("srv/src/deep/y.pyc") || !reads.rules, "{command}");
    assert!(!built.files.contains_key("srv/src/left \u{2028}") || !reads.letters, "{command}");
    let told = told(&answer.stderr);
    assert!(told.end() - told.start() <= 1, "{}", answer.stderr);
    // The base of the rig has one.
    assert!(told.contains(&(layers - 1)), "{layers} layers: {command}\n{}", answer.stderr);
}

#[test]
fn the_readme_for_buildkit_of_the_newer_engine_says_how() {
    let reads = Reads { rules: true, letters: false, layout: true, secrets: true };
    let words = [
        "docker buildx build ",
        " --build-context=models=models ",
        " --build-context=parts=oci-layout://",
        " --secret=id=token,src=token ",
        " --ssh=default ",
        " --file=deploy/Dockerfile ",
    ];
    the_command_of_the_readme_builds_what_llb_gives(Tool::newer_buildkit(), reads, &words);
}

#[test]
fn the_readme_for_buildkit_of_the_older_engine_says_how() {
    let reads = Reads { rules: true, letters: false, layout: false, secrets: true };
    let words = ["DOCKER_BUILDKIT=1 docker build ", " --secret=id=token,src=token ", " --ssh=default "];
    the_command_of_the_readme_builds_what_llb_gives(Tool::older_buildkit(), reads, &words);
}

#[test]
fn the_readme_for_the_classic_builder_says_how() {
    let reads = Reads { rules: false, letters: false, layout: false, secrets: false };
    let words = ["DOCKER_BUILDKIT=0 docker build ", " --file=deploy/Dockerfile "];
    the_command_of_the_readme_builds_what_llb_gives(Tool::classic(), reads, &words);
}

#[test]
fn the_readme_for_buildah_says_how() {
    let reads = Reads { rules: true, letters: true, layout: false, secrets: true };
    let words = ["buildah build ", " --build-context=models=models ", " --ignorefile="];
    the_command_of_the_readme_builds_what_llb_gives(Tool::buildah(), reads, &words);
}

#[test]
fn the_readme_for_the_newer_buildah_says_how() {
    let reads = Reads { rules: true, letters: true, layout: false, secrets: true };
    let words = ["buildah build ", " --build-context=models=models ", " --ignorefile="];
    the_command_of_the_readme_builds_what_llb_gives(Tool::newer_buildah(), reads, &words);
}

/// A project, and where its eject goes.
struct Placed {
    name: String,
    folder: PathBuf,
    eject: PathBuf,
}

impl Placed {
    /// Builds it by the command of its README and as LLB, the eject lying where it does; `None` where
    /// it is refused.
    fn build(&self, tool: &Tool, world: &World) -> Option<(String, String)> {
        let newer = engines::newer().expect("the tool is there");
        let to = self.eject.to_string_lossy();
        let mut arguments = vec!["built.cpk", "-o", "dockerfile", "-O", &to];
        arguments.extend_from_slice(tool.dialect);
        let answer = cogpackc(&self.folder, &arguments);
        if answer.code == 1 && answer.stderr.contains("cpk::unsupported::") {
            return None;
        }
        assert_eq!(answer.code, 0, "{}: {}", self.name, answer.stderr);
        let readme = Readme::of(&self.folder, &self.eject);
        for (id, path) in &world.given.secrets {
            std::fs::copy(path, readme.place.join(id)).expect("can be copied");
        }
        let optional = readme
            .text
            .split_once("The build takes these too: `")
            .map(|(_, rest)| rest.split_once("`.\n").expect("the list ends").0.replace("` `", " "));
        let command = readme.command.replace(" build ", &format!(" build {} ", optional.unwrap_or_default()));
        let command = command.replace(" CONTEXT", &format!(" '{}'", self.folder.display()));
        // This machine runs no programs of other platforms.
        let command = command.replace("--platform=linux/amd64,linux/arm64 ", "--platform=linux/amd64 ");
        let tag = format!("{}-{}", self.name.replace(['/', ' '], "-"), std::process::id());
        let image = format!("localhost/ejects-in-place/{}:{tag}", tool.name);
        let built = tool.build_by(&command, &readme.place, &image, &world.given);
        built.unwrap_or_else(|said| panic!("{}: {command}\n{said}", self.name));
        let reference = format!("ejects-in-place/llb:{tag}");
        match world.build(&newer, &self.folder, &reference) {
            Ok(()) => Some((reference, image)),
            Err(Unbuilt::Refused(codes)) => panic!("{}: {codes:?}", self.name),
            Err(Unbuilt::Failed(said)) => panic!("{}: {said}", self.name),
        }
    }
}

/// Builds the ejects of all projects where these are; `refused` are those that the dialect does not say.
fn ejects_beside_their_projects_build_what_llb_gives(tool: Option<Tool>, refused: &[&str]) {
    let (Some(tool), Some(world)) = (tool, World::new()) else { return };
    let reader = Tool::newer_buildkit().expect("the newer engine is there");
    let mut placed = Vec::new();
    for (name, plan) in plans().into_iter().filter(|(name, _)| name.starts_with("projects/")) {
        let folder = world.copy(&name, &plan);
        placed.push(Placed { eject: folder.join("deploy"), folder, name: name.clone() });
        if name == "projects/apt-project" {
            // No way that leads there can be written into a command.
            let folder = world.copy("elsewhere/a project", &plan);
            let eject = folder.parent().expect("is below").join("eject");
            placed.push(Placed { name: "elsewhere".to_owned(), folder, eject });
        }
    }
    let built: Vec<_> = placed.iter().filter_map(|it| Some((it, it.build(&tool, &world)?))).collect();
    let is_built = |it: &&Placed| built.iter().any(|(placed, _)| placed.name == it.name);
    let others: Vec<&str> = placed.iter().filter(|it| !is_built(it)).map(|it| it.name.as_str()).collect();
    let (references, images): (Vec<String>, Vec<String>) =
        built.iter().map(|(_, names)| names.clone()).unzip();
    let (wanted, found) = (reader.images(&references), tool.images(&images));
    reader.remove(&references);
    tool.remove(&images);
    assert_eq!(others, refused, "{}", tool.name);
    for (placed, (reference, image)) in built {
        let wanted = named(&wanted, reference.as_str());
        let points = mount_points(&placed.folder.join("built.cpk"));
        let mut built = without_mount_points(named(&found, image.as_str()), wanted, &points);
        if tool.joins_layers() {
            order_variables(&mut built, wanted);
        }
        let differences = differences(wanted, &built);
        assert!(differences.is_empty(), "{} differs from what its LLB gives:\n{differences}", placed.name);
    }
}

#[test]
fn ejects_beside_their_projects_build_with_buildkit_of_the_newer_engine() {
    ejects_beside_their_projects_build_what_llb_gives(Tool::newer_buildkit(), &[]);
}

#[test]
fn ejects_beside_their_projects_build_with_the_classic_builder() {
    // Its secret would stay in a layer.
    ejects_beside_their_projects_build_what_llb_gives(Tool::classic(), &["projects/uv-project"]);
}

#[test]
fn ejects_beside_their_projects_build_with_buildah() {
    ejects_beside_their_projects_build_what_llb_gives(Tool::buildah(), &[]);
}

#[test]
fn the_readme_of_several_platforms_makes_one_image_of_all() {
    let Some(tool) = Tool::newer_buildkit() else { return };
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let folder = folder.path();
    let plan = "cpk 1\nplatform linux/amd64\nplatform linux/arm64\ncontext @app = dir \".\"\n\
                stage %app from scratch { copy \"app.py\" from @app to \"/app.py\" env PATH = \"/bin\" }\n\
                export from %app\n";
    for (file, content) in [("plan.cpk", plan), ("app.py", "print()\n")] {
        std::fs::write(folder.join(file), content).expect("can be written");
    }
    let answer = cogpackc(folder, &["plan.cpk", "-o", "dockerfile", "-O", "deploy"]);
    assert_eq!(answer.code, 0, "{}", answer.stderr);
    let readme = Readme::of(folder, &folder.join("deploy"));
    assert!(readme.text.contains("that `docker buildx create --use` makes"), "{}", readme.text);
    assert!(readme.text.contains("`--platform=linux/amd64`,\n`--platform=linux/arm64`;"), "{}", readme.text);
    let image = format!("localhost/ejects-platforms:{}", std::process::id());
    let built = tool.build_by(&readme.command, &readme.place, &image, &Given::default());
    let platforms = built.as_ref().map(|()| tool.platforms(&image));
    tool.remove(&[image]);
    let platforms = platforms.unwrap_or_else(|said| panic!("{}\n{said}", readme.command));
    assert_eq!(platforms.into_iter().collect::<Vec<_>>(), ["linux/amd64", "linux/arm64"]);
}
