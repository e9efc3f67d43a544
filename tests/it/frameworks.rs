//! Models that need torch, tensorflow or jax, on a CPU and on GPUs: what is locked for them, what they
//! stand on, and their plans. No GPU is needed for it, and no index: the locks are made up here, of
//! wheels that have the names of real ones.

use std::fmt::Write as _;

use cogpack_compiler::stacks::python::lock::LOCK;
use cogpack_compiler::stacks::python::lock_inputs::{Needs, inputs};
use cogpack_compiler::stacks::{Request, plan};
use cogpack_frontends_source::MemoryProject;
use cogpack_ir::{syntax, verify};
use cogpack_tests::snapshot::Snapshots;

/// A model: its name, the lines of `build`, its requirement, and the wheels of its lock.
type Model =
    (&'static str, &'static str, &'static str, &'static [(&'static str, &'static str, &'static str)]);

const MODELS: [Model; 10] = [
    ("torch-cpu", "", "torch==2.8.0", &[("torch", "2.8.0+cpu", "cp313-cp313-manylinux_2_28_x86_64")]),
    (
        "torch-cuda-12.6",
        "  python_version: \"3.13\"\n  gpu: true\n  cuda: \"12.6\"\n",
        "torch==2.8.0",
        &[
            ("nvidia-cuda-runtime-cu12", "12.6.77", "py3-none-manylinux2014_x86_64"),
            ("torch", "2.8.0+cu126", "cp313-cp313-manylinux_2_28_x86_64"),
        ],
    ),
    (
        "torch-cuda-12.8",
        "  python_version: \"3.13\"\n  gpu: true\n",
        "torch==2.8.0",
        &[
            ("nvidia-cuda-runtime-cu12", "12.8.90", "py3-none-manylinux2014_x86_64"),
            ("torch", "2.8.0", "cp313-cp313-manylinux_2_28_x86_64"),
        ],
    ),
    (
        "tensorflow-cpu",
        "",
        "tensorflow==2.18.0",
        &[("tensorflow", "2.18.0", "cp312-cp312-manylinux_2_17_x86_64")],
    ),
    (
        "tensorflow-cuda-11.8",
        "  python_version: \"3.11\"\n  gpu: true\n  cuda: \"11.8\"\n",
        "tensorflow==2.14.0",
        &[
            ("nvidia-cuda-runtime-cu11", "11.8.89", "py3-none-manylinux2014_x86_64"),
            ("tensorflow", "2.14.0", "cp311-cp311-manylinux_2_17_x86_64"),
        ],
    ),
    (
        "tensorflow-cuda-12.5",
        "  python_version: \"3.12\"\n  gpu: true\n",
        "tensorflow==2.18.0",
        &[
            ("nvidia-cuda-runtime-cu12", "12.5.82", "py3-none-manylinux2014_x86_64"),
            ("tensorflow", "2.18.0", "cp312-cp312-manylinux_2_17_x86_64"),
        ],
    ),
    (
        "tensorflow-of-the-base",
        "  python_version: \"3.10\"\n  gpu: true\n",
        "tensorflow==2.11.0",
        &[("tensorflow", "2.11.0", "cp310-cp310-manylinux_2_17_x86_64")],
    ),
    ("jax-cpu", "", "jax==0.8.0", &[("jax", "0.8.0", "py3-none-any")]),
    (
        "jax-cuda-12",
        "  python_version: \"3.13\"\n  gpu: true\n  cuda: \"12.8\"\n",
        "jax==0.8.0",
        &[
            ("jax", "0.8.0", "py3-none-any"),
            ("jax-cuda12-plugin", "0.8.0", "cp313-cp313-manylinux_2_27_x86_64"),
        ],
    ),
    (
        "jax-cuda-13",
        "  python_version: \"3.13\"\n  gpu: true\n",
        "jax==0.8.0",
        &[
            ("jax", "0.8.0", "py3-none-any"),
            ("jax-cuda13-plugin", "0.8.0", "cp313-cp313-manylinux_2_27_x86_64"),
        ],
    ),
];

/// A lock of these wheels and of cog's own.
fn lock_of(wheels: &[(&str, &str, &str)]) -> String {
    let mut lock = "lock-version = \"1.0\"\ncreated-by = \"a test\"\n".to_owned();
    let all = [("cog", "0.23.1", "py3-none-any")].into_iter().chain(wheels.iter().copied());
    for (number, (name, version, tags)) in all.enumerate() {
        let file = format!("{}-{version}-{tags}.whl", name.replace('-', "_"));
        let url = format!("https://files.example/{}", file.replace('+', "%2B"));
        let hash = format!("{number:064x}");
        writeln!(
            lock,
            "\n[[packages]]\nname = \"{name}\"\nversion = \"{version}\"\nwheels = [{{ name = \"{file}\", url = \
             \"{url}\", hashes = {{ sha256 = \"{hash}\" }} }}]"
        )
        .expect("a String takes all");
    }
    lock
}

#[test]
fn frameworks_are_planned_for_cpus_and_gpus_as_is_kept() {
    let mut snapshots = Snapshots::default();
    // What the model takes is the same for all of them, and long.
    let request = Request { openapi_schema: Some("{}".to_owned()), ..Request::plain() };
    for (name, build, requirement, wheels) in MODELS {
        let lock = lock_of(wheels);
        let build = if build.is_empty() { String::new() } else { format!("build:\n{build}") };
        let yaml = format!("{build}run: \"predict.py:run\"\n");
        let files = [
            ("cog.yaml", yaml.as_str()),
            ("requirements.txt", requirement),
            ("predict.py", "def run(name: str) -> str: ...\n"),
            (LOCK, lock.as_str()),
        ];
        let project = MemoryProject::new(files).expect("these are files");
        let mut answer = format!("# {requirement}\n{yaml}\n# what is locked\n");
        let needs = project.plan(|source| inputs(source, &request)).expect("nothing is wrong");
        let Needs::Locked(needs) = needs else { panic!("{name}: nothing is locked") };
        let builds = needs.torch.as_deref().unwrap_or("those of the package index");
        writeln!(answer, "Python {}, builds of torch: {builds}", needs.python).expect("a String takes all");
        writeln!(answer, "more requirements: {}\n", needs.lines.join(", ")).expect("a String takes all");
        let planned = project.plan(|source| plan(source, &request)).expect("nothing is wrong");
        writeln!(answer, "# why\n{}\n# the plan", planned.why.text()).expect("a String takes all");
        answer += &syntax::print(&planned.plan);
        verify::verify(planned.plan).unwrap_or_else(|findings| panic!("{name}: {findings:?}"));
        snapshots.check(&format!("frameworks/{name}.txt"), &answer);
    }
    snapshots.finish("frameworks");
}
