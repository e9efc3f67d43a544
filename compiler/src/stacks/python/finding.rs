//! What is wrong with a Python project as a whole.

use cogpack_content::PemProblem;
use cogpack_packages_wheels::lock::LockProblem;
use miette::{Diagnostic, SourceSpan};

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Diagnostic)]
pub enum PythonFinding {
    /// Nothing says what the image starts.
    #[error("nothing says what the image starts")]
    #[diagnostic(code("project::python::no-command"), help("{way_out}"))]
    NoCommand {
        /// What to write, and where.
        way_out: String,
    },
    /// Several programs, and none has the project's name.
    #[error("the project has several programs, and nothing says which one the image starts: {names}")]
    #[diagnostic(
        code("project::python::several-programs"),
        help("say which: `command = [\"{first}\"]` below `[tool.cogpack]`")
    )]
    SeveralPrograms {
        /// All of them.
        names: String,
        /// One of them.
        first: String,
        /// Where they are named.
        #[label("one of them")]
        place: SourceSpan,
    },
    /// A program that is none.
    #[error("the program `{name}` cannot be made: {problem}")]
    #[diagnostic(
        code("project::python::program"),
        help(
            "write it as `{name} = \"MODULE:FUNCTION\"`, with a module that is in the project's directory or in \
             `src`; or take it away"
        )
    )]
    Program {
        /// Its name.
        name: String,
        /// What is wrong.
        problem: String,
        /// Where.
        #[label("this program")]
        place: SourceSpan,
    },
    /// A setting in place of a `cog.yaml` that is there.
    #[error("`target` is for projects without a `cog.yaml`, and this one has one")]
    #[diagnostic(
        code("project::python::target-twice"),
        help("write it as `run` into `cog.yaml`, and take it away here")
    )]
    TargetBesideCogYaml {
        /// Where.
        #[label("said here too")]
        place: SourceSpan,
    },
    /// Two Pythons.
    #[error("the Python is {python} here, and {other} in line {line} of `cog.yaml`")]
    #[diagnostic(code("project::python::python-twice"), help("keep one of them"))]
    PythonTwice {
        /// The one of the settings.
        python: String,
        /// The one of `cog.yaml`.
        other: String,
        /// Where that is.
        line: usize,
        /// Where this is.
        #[label("another Python")]
        place: SourceSpan,
    },
    /// A patch version that nothing known has.
    #[error("Python {python} is asked for, and {instead}")]
    #[diagnostic(
        code("project::python::other-patch"),
        severity(Warning),
        help(
            "write `{minor}`, if any patch of it will do; or give an image that has {python} with `--catalogue FILE`, \
             whose entry `cogpackc catalogue add IMAGE` writes"
        )
    )]
    OtherPatch {
        /// The one that is asked for.
        python: String,
        /// Its minor version.
        minor: String,
        /// What the image has.
        instead: String,
        /// Where it is asked for.
        #[label("not to be had")]
        place: SourceSpan,
    },
    /// A base without public authorities, and nothing can or may install them.
    #[error("`{image}` {known}, and nothing brings any")]
    #[diagnostic(code("project::python::no-authorities"), severity(Warning), help("{way_out}"))]
    NoAuthorities {
        /// The base.
        image: String,
        /// What is known of it.
        known: &'static str,
        /// What brings them.
        way_out: &'static str,
    },
    /// A GPU of which nothing says by which CUDA it is used.
    #[error("nothing says which CUDA the GPU is used by, and the base has {cuda}")]
    #[diagnostic(
        code("project::python::any-cuda"),
        severity(Warning),
        help(
            "write the one that the packages are made for below this line, as in `cuda: \"12.4\"`: they find the \
             libraries of no other"
        )
    )]
    AnyCuda {
        /// The CUDA of the base.
        cuda: String,
        /// Where the GPU is asked for.
        #[label("a GPU, by any CUDA")]
        place: SourceSpan,
    },
    /// A Python that the project refuses.
    #[error("the Python is {python} by {by}, and the project asks for {wanted}")]
    #[diagnostic(
        code("project::python::not-allowed"),
        help("choose one that `requires-python` allows, or allow this one")
    )]
    PythonNotAllowed {
        /// The Python.
        python: String,
        /// Who says so.
        by: String,
        /// What is asked for.
        wanted: String,
        /// Where.
        #[label("does not allow it")]
        place: SourceSpan,
    },
    /// No Python that wheels are chosen for.
    #[error("no Python from 3.9 to 3.14 is one that `{wanted}` allows")]
    #[diagnostic(
        code("project::python::none"),
        help("allow one of them, as in `requires-python = \">=3.11\"`")
    )]
    NoPython {
        /// What is asked for.
        wanted: String,
        /// Where.
        #[label("allows none of them")]
        place: SourceSpan,
    },
    /// An extra or a group that is not there.
    #[error("`pyproject.toml` has no {kind} `{name}`")]
    #[diagnostic(code("project::python::unknown-extra"), help("{way_out}"))]
    UnknownExtra {
        /// What it would be.
        kind: &'static str,
        /// Its name.
        name: String,
        /// What was meant.
        way_out: String,
        /// Where it is asked for.
        #[label("not there")]
        place: SourceSpan,
    },
    /// Several predictions at once, one after the other.
    #[error("{max} predictions are to be served at once, and `{handler}` is not `async`")]
    #[diagnostic(
        code("project::python::not-async"),
        help(
            "write `async def {handler}` in `{file}`, or `max: 1`: cog's server does not start such a model"
        )
    )]
    NotAsync {
        /// How many.
        max: u32,
        /// The method or function.
        handler: String,
        /// Where it is.
        file: String,
        /// The number.
        #[label("more than one at once")]
        place: SourceSpan,
    },
    /// Several predictions at once, on an old Python.
    #[error(
        "{max} predictions at once need Python 3.11 or newer, and the Python is {python}, because {because}"
    )]
    #[diagnostic(
        code("project::python::concurrency"),
        help("choose 3.11 or a newer one there, or serve one prediction at a time")
    )]
    ConcurrencyPython {
        /// How many.
        max: u32,
        /// The Python.
        python: String,
        /// Who says so.
        because: String,
        /// What asks for so many.
        #[label("more than one at once")]
        place: SourceSpan,
    },
    /// A version of cog that does not know the method `run`.
    #[error("cog {version} asks a class for its method `predict`, and `{class}` has `{method}`")]
    #[diagnostic(
        code("project::python::old-cog"),
        help("{way_out}, or call the method `predict`, which every cog knows")
    )]
    OldCog {
        /// Its version.
        version: String,
        /// The class.
        class: String,
        /// Its method.
        method: String,
        /// How a newer one comes into it.
        way_out: &'static str,
        /// Where the version is asked for.
        #[label("too old for that")]
        place: Option<SourceSpan>,
    },
    /// A version of cog that nothing can be built for.
    #[error("the lock has cog {version}, which cannot serve what is built here")]
    #[diagnostic(
        code("project::python::cog-too-old"),
        help("ask for 0.17.0 or a newer one where the lock's requirements stand, and make it anew")
    )]
    CogTooOld {
        /// Its version.
        version: String,
    },
    /// A lock without cog.
    #[error("a model has cog's server in its image, and `{lock}` does not hold `cog`")]
    #[diagnostic(code("project::lock::no-cog"), help("{way_out}"))]
    NoCog {
        /// The lock file.
        lock: String,
        /// How it comes into it.
        way_out: &'static str,
    },
    /// A lock without a program that installs packages, which is called.
    #[error("`{program}` is to install into the environment here, which has none: `{lock}` does not hold it")]
    #[diagnostic(
        code("project::lock::no-installer"),
        help(
            "list what it installs among the project's dependencies and lock them anew, or add `{program}` to them, by \
             uv for instance with `uv add {program}`; where the base's own is meant, call it by its path"
        )
    )]
    NoInstaller {
        /// The lock file.
        lock: String,
        /// The program, which is the package's name too.
        program: String,
        /// Where it is called, or where the file is named that calls it.
        #[label("called by this")]
        place: SourceSpan,
    },
    /// A requirement that nothing can be built of.
    #[error("`{requirement}` is {what}")]
    #[diagnostic(code("project::python::sources"), help("{way_out}"))]
    Sources {
        /// The requirement.
        requirement: String,
        /// What it is.
        what: &'static str,
        /// What can be done.
        way_out: String,
        /// Where it is asked for.
        #[label("cannot be built")]
        place: SourceSpan,
    },
    /// A wheel of the project that is not as it was.
    #[error("the lock names the wheel `{path}` of the project, and {problem}")]
    #[diagnostic(
        code("project::lock::local-wheel"),
        help("put the wheel that is meant into the project, and lock the project anew")
    )]
    LocalWheel {
        /// Its path, as the lock says it.
        path: String,
        /// What is wrong.
        problem: String,
    },
    /// Sources that cannot be built.
    #[error("the lock names sources of `{name}` that cannot be built: {problem}")]
    #[diagnostic(
        code("project::lock::sources"),
        help(
            "lock the project anew; or put a wheel of the package into the project, and write its path in place \
             of the requirement, `./wheels/FILE.whl`"
        )
    )]
    LockedSources {
        /// The package.
        name: String,
        /// Why.
        problem: String,
    },
    /// Nothing to build in.
    #[error("{packages} must be built from sources, and no image is known {wanted}")]
    #[diagnostic(
        code("project::base::nothing-to-build-in"),
        help(
            "{nearest}give one with `--catalogue FILE`, whose entry `cogpackc catalogue add IMAGE` writes: it has \
             what the base has, and a compiler; or put a wheel of the package into the project, `pip wheel \
             --no-deps -w wheels NAME`, and write `./wheels/FILE.whl` in its place"
        )
    )]
    NoBuildBase {
        /// The packages.
        packages: String,
        /// What the image has to have.
        wanted: String,
        /// What rules out the nearest ones.
        nearest: String,
    },
    /// What was named cannot be built in.
    #[error("{packages} cannot be built in `{named}` for the base: {against}")]
    #[diagnostic(
        code("project::base::build-base"),
        help("name another image, or none: then the one that fits best is taken")
    )]
    BuildBase {
        /// The packages.
        packages: String,
        /// The image.
        named: String,
        /// What rules it out.
        against: String,
    },
    /// A wheel with another hash.
    #[error("{file} was locked, and its hash is none of those that are allowed here")]
    #[diagnostic(
        code("project::lock::other-hash"),
        help("add the hash of this file, or ask for the version that the hashes are of; then lock anew")
    )]
    OtherHash {
        /// What was locked.
        file: String,
        /// Where the hashes are.
        #[label("other hashes")]
        place: SourceSpan,
    },
    /// There is no lock.
    #[error("the packages of the project are not locked: there is no `{}`", .config.lock())]
    #[diagnostic(
        code("project::lock::missing"),
        help("`cogpackc lock DIR{}` makes it: which packages in which versions, each with its hash", config.option())
    )]
    NoLock {
        /// What it is for.
        config: crate::stacks::ConfigFile,
    },
    /// The lock is of other wishes.
    #[error("the lock is out of date: {why}")]
    #[diagnostic(
        code("project::lock::stale"),
        help(
            "`cogpackc lock DIR{option}` makes it anew; packages that nobody asked to change keep their versions"
        )
    )]
    Stale {
        /// What it lacks, or was made of.
        why: String,
        /// What names the file that it is for.
        option: String,
        /// Where the lock says what it was made of.
        #[label("of other inputs")]
        place: SourceSpan,
    },
    /// A file that the settings name.
    #[error("there is no file `{file}`")]
    #[diagnostic(code("project::python::no-file"), help("write it, or take away what names it"))]
    NoFile {
        /// Its path.
        file: String,
        /// Where it is named.
        #[label("named here")]
        place: SourceSpan,
    },
    /// The lock gives no set of wheels.
    #[error("the lock cannot be installed: {problem}")]
    #[diagnostic(
        code("project::lock::problem"),
        help(
            "`cogpackc lock DIR` makes the lock anew; what fits nowhere needs another version, or a wheel of its \
             own: `pip wheel --no-deps -w wheels NAME` makes one, and `./wheels/FILE.whl` in `requirements.txt` takes it"
        )
    )]
    Lock {
        /// What is wrong.
        problem: LockProblem,
        /// Where, as far as it is about something that stands in the lock.
        #[label("this")]
        place: Option<SourceSpan>,
    },
    /// A base that is not in the catalogue.
    #[error("nothing is known of what is in the image `{named}`")]
    #[diagnostic(
        code("project::base::unknown"),
        help("`cogpackc catalogue add {named}` looks into it and writes an entry for `--catalogue`")
    )]
    UnknownBase {
        /// The image.
        named: String,
    },
    /// A base without Python.
    #[error("the image `{base}` has no Python, and no archive of Python {python} can be unpacked there")]
    #[diagnostic(
        code("project::base::no-python"),
        help(
            "name another image, let the catalogue decide, or make the base of Debian packages, with `--base debian`; \
             archives are those of a catalogue's `[[python]]`, for the GNU C library, and are unpacked by `tar`"
        )
    )]
    BaseWithoutPython {
        /// The image.
        base: String,
        /// The Python that is wanted.
        python: String,
    },
    /// What is to be there while packages are installed, and is no file of the project.
    #[error("there is no file `{path}`")]
    #[diagnostic(
        code("project::python::install-file"),
        help("name a file of the project by its path from the file on that names it, or take the name away")
    )]
    NoInstallFile {
        /// The path, from the project on.
        path: String,
        /// Where it is named.
        #[label("no such file")]
        place: SourceSpan,
    },
    /// A file that holds no certificates.
    #[error("`{path}` cannot be trusted as certificates of authorities: {problem}")]
    #[diagnostic(
        code("project::python::certificate"),
        help(
            "name a file of certificates as PEM; `openssl x509 -inform der -in FILE -out OTHER.pem` makes one of the \
             other form"
        )
    )]
    Certificate {
        /// Its path, from the project on.
        path: String,
        /// What is wrong with it.
        problem: String,
        /// Where it is named.
        #[label("named here")]
        place: SourceSpan,
    },
    /// A key among certificates.
    #[error("`{path}` cannot be trusted as certificates of authorities: {problem}")]
    #[diagnostic(
        code("project::python::private-key"),
        help(
            "name a file of the certificate alone, as `openssl x509 -in FILE -out OTHER.pem` writes it; and keep the \
             key out of the project, or name it in `.dockerignore`: its files are copied into the image"
        )
    )]
    PrivateKey {
        /// Its path, from the project on.
        path: String,
        /// Where the key is.
        problem: PemProblem,
        /// Where it is named.
        #[label("named here")]
        place: SourceSpan,
    },
    /// Sources of packages that nobody installs.
    #[error("apt is told where to install from, and it installs nothing here")]
    #[diagnostic(
        code("project::python::apt-sources"),
        help(
            "take the setting away; packages are those of `system_packages`, and a base of Debian packages has its own \
             lock"
        )
    )]
    AptSources {
        /// The setting.
        #[label("asked for here")]
        place: SourceSpan,
    },
    /// Libraries that nobody here has made.
    #[error(
        "symbols are taken out of what is built here, and all packages are wheels, installed as they are"
    )]
    #[diagnostic(
        code("project::python::strip"),
        help(
            "take the setting away; or strip libraries of wheels by a command of `build.run`, with `binutils` in \
             `system_packages`"
        )
    )]
    Strip {
        /// The setting.
        #[label("asked for here")]
        place: SourceSpan,
    },
    /// Weights in place of a file.
    #[error("the weights are to be in `{target}`, and `{file}` is a file of the project")]
    #[diagnostic(
        code("project::python::weight-target"),
        help("name a directory that has no file of the project in its way, as in `target: /src/weights`")
    )]
    WeightTarget {
        /// The directory in the image.
        target: String,
        /// The file, from the project on.
        file: String,
        /// Where the directory is named.
        #[label("no directory in the image")]
        place: SourceSpan,
    },
}
