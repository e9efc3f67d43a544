//! Packages that are built from sources: in an image with a compiler, and copied from there.

use cogpack_ir::plan::context::GitContext;
use cogpack_ir::plan::execution::EnvSetting;
use cogpack_ir::plan::file_ops::MakeSymlink;
use cogpack_ir::plan::mount::{Mount, MountKind, Sharing};
use cogpack_ir::plan::{
    BaseImage, CacheName, Context, ContextKind, Copy, CopyForm, EnvEdit, Execution, Input, Network, OpKind,
    Span, Spanned, StageName,
};

use super::certificates::trusted;
use super::source::project_files;
use super::{PythonFacts, VENV, env, file, input, literal, system_packages, variable};
use crate::composer::{Desk, StageParts};
use crate::stacks::block::{Block, Detected};
use crate::stacks::detect::{Evidence, Weight};
use crate::stacks::python::build_base::BuildBase;
use crate::stacks::python::lock::{is_of_a_framework, without_login};
use crate::stacks::python::sources::{Built, BuiltOf};

/// Builds a wheel of each package, apart from all others, and installs these wheels alone. What comes of
/// it is one layer above those of the locked wheels, and one of its own for frameworks.
pub(super) struct BuiltPackages;

const IMAGE: &str = "build-base";
/// Where sources of the project and of repositories are while they are built.
const SOURCES: &str = "/sources";
/// Where wheels are put.
const WHEELS: &str = "/wheels";
/// What is copied into the image's environment.
const BUILT: &str = "/built";
/// Where requirements are that pip downloads.
const REQUIREMENTS: &str = "/requirements.txt";
/// What builds download is kept here from build to build.
const DOWNLOADS: &str = "/downloads";

/// Takes symbols for debuggers out of libraries, and says of each in `RECORD` what it is afterwards. The id
/// of a build is taken out too: it is made of the symbols, which tell where a library was built, and that
/// is another directory each time.
const STRIP: &str = "import base64, csv, hashlib, pathlib, subprocess, sys
root = pathlib.Path(sys.argv[1])
files = [path for path in sorted(root.rglob('*')) if path.is_file() and not path.is_symlink()]
libraries = [path for path in files if path.read_bytes()[:4] == b'\\x7fELF']
for path in libraries:
    subprocess.run(['strip', '--strip-debug', '--remove-section=.note.gnu.build-id', str(path)], check=True)
for record in root.rglob('*.dist-info/RECORD'):
    rows = list(csv.reader(record.read_text().splitlines()))
    for row in rows:
        path = record.parent.parent / row[0]
        if path in libraries:
            digest = base64.urlsafe_b64encode(hashlib.sha256(path.read_bytes()).digest())
            row[1:] = ['sha256=' + digest.decode().rstrip('='), str(path.stat().st_size)]
    with record.open('w', newline='') as out:
        csv.writer(out, lineterminator='\\n').writerows(rows)
";

impl Block<PythonFacts> for BuiltPackages {
    fn name(&self) -> &'static str {
        "built-packages"
    }

    fn provides(&self) -> &'static [&'static str] {
        &["built-packages"]
    }

    fn requires(&self) -> &'static [&'static str] {
        &["python"]
    }

    fn after(&self) -> &'static [&'static str] {
        &["framework", "packages"]
    }

    fn detect(&self, facts: &PythonFacts) -> Detected {
        match facts.build_base {
            None => Detected::No("no package is built from sources"),
            Some(_) => {
                let evidence = |file| Evidence { weight: Weight::Declaration, file };
                Detected::Yes(facts.packages.lock.clone().map(evidence).into_iter().collect())
            }
        }
    }

    fn plan(&self, facts: &PythonFacts, desk: &mut Desk<'_>) {
        let Some(base) = &facts.build_base else { return };
        desk.at(facts.packages.lock.clone().map(|lock| (lock, 1)));
        let digest = base.digest.map(Spanned::nowhere);
        let reference = Spanned::nowhere(base.reference.clone());
        desk.image(IMAGE, BaseImage { reference, digest, config: base.config.clone(), span: Span::NOWHERE });
        let from = Some(Input::Image(input(IMAGE)));
        let ops = trusted(facts, base.has_certificates, desk);
        desk.stage("build.base", IMAGE, StageParts { from, ops, ..StageParts::default() });
        let mut ground = IMAGE;
        let mut words = system_packages::named(facts);
        let lacks_certificates = !base.has_certificates && !facts.certificates.is_empty();
        system_packages::add_certificates(facts, lacks_certificates, &mut words);
        if let Some(run) = system_packages::installed(facts, &words, desk) {
            let parts = StageParts { ops: vec![(run, None)], ..StageParts::default() };
            ground = "build-system-packages";
            desk.stage("build.system-deps", ground, parts);
        }
        // A framework takes long to build. It stands beside the others, so that none of them makes it anew.
        let (frameworks, others): (Vec<&Built>, Vec<&Built>) =
            facts.packages.sources.iter().partition(|built| is_of_a_framework(built.name.as_str()));
        let is_beside = !frameworks.is_empty() && !others.is_empty();
        let parts =
            [("framework", "build.framework-deps", frameworks), ("packages", "build.app-deps", others)];
        for (what, phase, sources) in parts {
            if sources.is_empty() {
                continue;
            }
            let from = is_beside.then(|| Input::Stage(StageName::new(ground).expect("the word is a name")));
            let ops = build(facts, base, &sources, desk).into_iter().map(|kind| (kind, None)).collect();
            let name = format!("build-{what}");
            desk.stage(phase, &name, StageParts { from, ops, ..StageParts::default() });
            let from = StageName::new(&name).expect("the word is a name");
            let ops = vec![(copy(Input::Stage(from), BUILT.trim_start_matches('/'), VENV), None)];
            let built = format!("built-{what}");
            desk.stage("export.runtime", &built, StageParts { ops, ..StageParts::default() });
        }
    }
}

/// What is done in the image to build in.
fn build(facts: &PythonFacts, base: &BuildBase, sources: &[&Built], desk: &mut Desk<'_>) -> Vec<OpKind> {
    let home = base.interpreter.rsplit_once('/').map_or("/", |(home, _)| home);
    // The environment is where it will be in the image, so that programs name its Python; pip is the
    // base's own.
    let settings =
        format!("home = {home}\ninclude-system-site-packages = true\nversion = {}\n", facts.python.value);
    let python = OpKind::Symlink(Box::new(MakeSymlink {
        target: literal(&base.interpreter),
        path: literal(&format!("{VENV}/bin/python")),
    }));
    let mut ops = vec![file(&format!("{VENV}/pyvenv.cfg"), &settings), python];
    for set in &facts.cog().environment {
        ops.push(env(set.value.name.clone(), EnvEdit::Set, &set.value.value));
    }
    let mut requirements = String::new();
    let mut trees = Vec::new();
    let mut versions = Vec::new();
    for built in sources {
        let line = |address: &str, hash: &str| {
            let below = built.subdirectory.as_ref().map(|below| format!("#subdirectory={below}"));
            format!("{} @ {address}{}{hash}\n", built.name, below.unwrap_or_default())
        };
        match &built.of {
            BuiltOf::Address { url, digest } => {
                requirements.push_str(&line(url, &format!(" --hash=sha256:{}", digest.hex())));
            }
            BuiltOf::File { path, digest, ending } => {
                project_files(desk);
                let target = format!("{SOURCES}/{}{ending}", built.name);
                ops.push(copy_file(path.as_str(), &target));
                requirements.push_str(&line(
                    &format!("file://{target}"),
                    &format!(" --hash=sha256:{}", digest.hex()),
                ));
            }
            BuiltOf::Repository { url, commit } => {
                let context = format!("sources-{}", built.name.as_str().replace('.', "-"));
                let kind = ContextKind::Git(GitContext {
                    url: Spanned::nowhere(url.clone()),
                    commit: Some(Spanned::nowhere(commit.clone())),
                    subdir: None,
                });
                desk.context(&context, Context { kind, span: Span::NOWHERE });
                ops.push(copy(Input::Context(input(&context)), ".", &tree(built)));
                trees.push(below(built));
                // There is no history to tell the version from, which the lock knows.
                if let Some(version) = &built.version {
                    let name = built.name.as_str().replace(['-', '.'], "_").to_uppercase();
                    versions.push(setting(
                        &format!("SETUPTOOLS_SCM_PRETEND_VERSION_FOR_{name}"),
                        &version.to_string(),
                    ));
                }
            }
            BuiltOf::Directory(path) => {
                project_files(desk);
                ops.push(copy(Input::Context(input("source")), path.as_str(), &tree(built)));
                trees.push(below(built));
            }
        }
    }
    let pip = format!("{VENV}/bin/python -m pip");
    let wheel = format!("{pip} wheel --use-pep517 --no-deps --wheel-dir {WHEELS}");
    // Of what is kept between builds only downloads count: a wheel that another image has built is not
    // one that this image would build.
    let mut script = format!("set -e\nrm -rf {DOWNLOADS}/wheels");
    if !requirements.is_empty() {
        ops.push(file(REQUIREMENTS, &requirements));
        script.push_str(&format!("\n{wheel} --require-hashes --requirement {REQUIREMENTS}"));
    }
    for tree in trees {
        script.push_str(&format!("\n{wheel} {tree}"));
    }
    desk.cache("pip");
    let cache = MountKind::Cache {
        name: Spanned::nowhere(CacheName::new("pip").expect("the word is a name")),
        target: literal(DOWNLOADS),
        sharing: Sharing::Locked,
    };
    let mut settings = vec![
        setting("PIP_CACHE_DIR", DOWNLOADS),
        setting("PIP_DISABLE_PIP_VERSION_CHECK", "1"),
        // The earliest time that archives of wheels can hold.
        setting("SOURCE_DATE_EPOCH", "315532800"),
    ];
    settings.extend(versions);
    settings.extend(indexes(facts));
    let mounts = vec![Mount { kind: cache, span: Span::NOWHERE }];
    let execution = Execution { mounts, env: settings, ..Execution::default() };
    ops.push(OpKind::Run { script: Spanned::nowhere(script), execution: Box::new(execution) });
    let names = sources.iter().map(|built| match &built.version {
        Some(version) => format!("{}=={version}", built.name),
        None => built.name.to_string(),
    });
    let mut words: Vec<String> = format!(
        "{pip} install --no-deps --no-index --find-links {WHEELS} --no-compile --ignore-installed --no-warn-script-location --prefix {BUILT}"
    )
    .split(' ')
    .map(str::to_owned)
    .collect();
    words.extend(names);
    ops.push(exec(words, vec![setting("PIP_ROOT_USER_ACTION", "ignore")]));
    if facts.strip.is_some() {
        let words = [format!("{VENV}/bin/python"), "-c".to_owned(), STRIP.to_owned(), BUILT.to_owned()];
        ops.push(exec(words.to_vec(), Vec::new()));
    }
    ops
}

/// The tree of a package while it is built.
fn tree(built: &Built) -> String {
    format!("{SOURCES}/{}", built.name)
}

/// What of it is built.
fn below(built: &Built) -> String {
    let below = built.subdirectory.as_ref().map(|below| format!("/{below}"));
    format!("{}{}", tree(built), below.unwrap_or_default())
}

/// The indexes that the project names, which have what its packages are built with too.
fn indexes(facts: &PythonFacts) -> Vec<EnvSetting> {
    let Some(requirements) = &facts.said.project.requirements else { return Vec::new() };
    let indexes = &requirements.indexes;
    let index = indexes.index.iter().map(|said| setting("PIP_INDEX_URL", &without_login(&said.finding)));
    let extra: Vec<String> = indexes.extra.iter().map(|said| without_login(&said.finding)).collect();
    let extra = (!extra.is_empty()).then(|| setting("PIP_EXTRA_INDEX_URL", &extra.join(" ")));
    index.chain(extra).collect()
}

fn setting(name: &str, value: &str) -> EnvSetting {
    EnvSetting { name: Spanned::nowhere(variable(name)), value: literal(value), span: Span::NOWHERE }
}

/// A program that needs no network.
fn exec(words: Vec<String>, env: Vec<EnvSetting>) -> OpKind {
    let execution = Execution { network: Network::None, env, ..Execution::default() };
    OpKind::Exec { argv: Spanned::nowhere(words), execution: Box::new(execution) }
}

/// `copy contents "directory" from … to "destination"`
fn copy(from: Input, directory: &str, destination: &str) -> OpKind {
    let form = CopyForm::Contents { directory: literal(directory), destination: literal(destination) };
    copied(from, form)
}

/// `copy "path" from @source to "destination"`
fn copy_file(path: &str, destination: &str) -> OpKind {
    let form = CopyForm::To { source: literal(path), destination: literal(destination) };
    copied(Input::Context(input("source")), form)
}

fn copied(from: Input, form: CopyForm) -> OpKind {
    OpKind::Copy(Box::new(Copy {
        form,
        from: Spanned::nowhere(from),
        replace: false,
        optional: false,
        follow: false,
        owner: None,
        mode: None,
        rules: Vec::new(),
    }))
}
