//! Models that use a GPU by other packages than the frameworks of the table: what the base brings them.

use cogpack_catalogue::Catalogue;
use cogpack_frontends_source::MemoryProject;
use cogpack_ir::syntax;

use super::told;
use crate::stacks::{BaseWish, Request, plan};

/// The name and the version of a wheel.
fn named(file: &str) -> (String, &str) {
    let mut parts = file.split('-');
    (parts.next().unwrap().replace('_', "-"), parts.next().unwrap())
}

/// A wheel of a lock.
fn locked(file: &str) -> String {
    let (name, version) = named(file);
    let digest = "a7e0abab1028d83789f87d86dc30f82c3335085dc8abbe62bbc3dcb073976ed5";
    format!(
        "[[packages]]\nname = \"{name}\"\nversion = \"{version}\"\n\
         wheels = [{{ url = \"https://files.example/{file}\", hashes = {{ sha256 = \"{digest}\" }} }}]\n"
    )
}

const COG: &str = "cog-0.23.1-py3-none-any.whl";
const ONNX: &str = "onnxruntime_gpu-1.20.1-py3-none-any.whl";
const CUDNN: &str = "nvidia_cudnn_cu12-9.1.0.70-py3-none-manylinux2014_x86_64.whl";

/// A model with this below `build` and these wheels, the second of which it requires: its base, and what is
/// told of CUDA; or what speaks against it.
fn planned(build: &str, wheels: &[&str], request: Request) -> String {
    let yaml = format!("build:\n  python_version: \"3.10\"\n{build}run: \"predict.py:run\"\n");
    let lock = wheels.iter().map(|file| locked(file)).collect::<String>();
    let lock = format!("lock-version = \"1.0\"\ncreated-by = \"a test\"\n\n{lock}");
    let (name, version) = named(wheels[1]);
    let required = format!("{name}=={version}\n");
    let files = [
        ("cog.yaml", yaml.as_str()),
        ("requirements.txt", required.as_str()),
        ("predict.py", "def run(name: str) -> str: ...\n"),
        ("pylock.cog.toml", lock.as_str()),
    ];
    let planned = MemoryProject::new(files).unwrap().plan(|source| plan(source, &request));
    let planned = match planned {
        Ok(planned) => planned,
        Err(found) => return found.findings.iter().map(told).collect::<Vec<_>>().join("\n"),
    };
    let warnings = planned.warnings.iter().map(told).collect::<Vec<_>>().join("\n");
    let (text, why) = (syntax::print(&planned.plan), planned.why.text());
    let base = text.lines().find(|line| line.starts_with("image @base ")).expect("it stands on an image");
    let cuda = why.lines().skip_while(|line| !line.starts_with("CUDA of the base:")).take(2);
    let config = text.lines().find(|line| line.contains("label run.cog.config")).expect("it is told");
    let of_label = config.split_once("{\\\"build\\\":").and_then(|(_, rest)| rest.split_once("\\\"python"));
    let of_label = of_label.expect("it says what is below `build`").0.replace('\\', "");
    let lines = std::iter::once(base).chain(cuda).chain([of_label.as_str()]).chain(warnings.lines());
    lines.map(|line| format!("{line}\n")).collect()
}

fn plain() -> Request {
    Request { openapi_schema: Some("{}".to_owned()), ..Request::plain() }
}

#[test]
fn packages_that_bring_no_cuda_get_a_base_with_cudnn() {
    let of = |build: &str| planned(build, &[COG, ONNX], plain());
    let all = [
        of("  gpu: true\n"),
        of("  gpu: true\n  cuda: \"12.4\"\n"),
        of("  gpu: true\n  cuda: \"11.8\"\n"),
        of("  cuda: \"12.1\"\n"),
        of("  gpu: true\n  cudnn: \"8\"\n"),
    ];
    insta::assert_snapshot!(all.concat(), @r#"
    image @base = "docker.io/nvidia/cuda:12.8.1-cudnn-runtime-ubuntu22.04"
    CUDA of the base: any, with any cuDNN
      a GPU is wanted, and no package brings CUDA's libraries
    {"cuda":"12.8.1","cudnn":"9.8.0.87","gpu":true,
    project::python::any-cuda cog.yaml: nothing says which CUDA the GPU is used by, and the base has 12.8.1
      write the one that the packages are made for below this line, as in `cuda: "12.4"`: they find the libraries of no other
    image @base = "docker.io/nvidia/cuda:12.4.1-cudnn-runtime-ubuntu22.04"
    CUDA of the base: ==12.4.*, with any cuDNN
      a GPU is wanted, and no package brings CUDA's libraries
    {"cuda":"12.4","cudnn":"9.1.0.70","gpu":true,
    image @base = "docker.io/nvidia/cuda:11.8.0-cudnn8-runtime-ubuntu22.04"
    CUDA of the base: ==11.8.*, with any cuDNN
      a GPU is wanted, and no package brings CUDA's libraries
    {"cuda":"11.8","cudnn":"8.9.6.50","gpu":true,
    image @base = "docker.io/nvidia/cuda:12.1.1-cudnn8-runtime-ubuntu22.04"
    CUDA of the base: ==12.1.*, with any cuDNN
      a GPU is wanted, and no package brings CUDA's libraries
    {"cuda":"12.1","cudnn":"8.9.0.131","gpu":true,
    image @base = "docker.io/nvidia/cuda:12.1.1-cudnn8-runtime-ubuntu22.04"
    CUDA of the base: any, with cuDNN ==8.*
      a GPU is wanted, and no package brings CUDA's libraries
    {"cuda":"12.1.1","cudnn":"8","gpu":true,
    project::python::any-cuda cog.yaml: nothing says which CUDA the GPU is used by, and the base has 12.1.1
      write the one that the packages are made for below this line, as in `cuda: "12.4"`: they find the libraries of no other
    "#);
}

#[test]
fn a_cudnn_that_the_packages_bring_is_not_brought_twice() {
    let of = |build: &str, file: &str, platforms: &[&str]| {
        let platforms = platforms.iter().map(|platform| platform.parse().unwrap()).collect();
        planned(build, &[COG, ONNX, file], Request { platforms, ..plain() })
    };
    let (gpu, both) = ("  gpu: true\n  cuda: \"12.4\"\n", ["linux/amd64", "linux/arm64"]);
    let for_both = CUDNN.replace("x86_64", "x86_64.manylinux2014_aarch64");
    let all = [
        of(gpu, CUDNN, &both[..1]),
        of(gpu, &for_both, &both),
        // One that is asked for is there.
        of("  gpu: true\n  cuda: \"12.4\"\n  cudnn: \"9\"\n", CUDNN, &both[..1]),
        // Headers alone are none.
        of(gpu, "nvidia_cudnn_frontend-1.9.0-py3-none-any.whl", &both[..1]),
    ];
    insta::assert_snapshot!(all.concat(), @r#"
    image @base = "docker.io/nvidia/cuda:12.4.1-base-ubuntu22.04"
    CUDA of the base: ==12.4.*, without cuDNN
      a GPU is wanted, and cuDNN comes with the packages
    {"cuda":"12.4","gpu":true,
    image @base = "docker.io/nvidia/cuda:12.4.1-base-ubuntu22.04"
    CUDA of the base: ==12.4.*, without cuDNN
      a GPU is wanted, and cuDNN comes with the packages
    {"cuda":"12.4","gpu":true,
    image @base = "docker.io/nvidia/cuda:12.4.1-cudnn-runtime-ubuntu22.04"
    CUDA of the base: ==12.4.*, with cuDNN ==9.*
      a GPU is wanted, and no package brings CUDA's libraries
    {"cuda":"12.4","cudnn":"9","gpu":true,
    image @base = "docker.io/nvidia/cuda:12.4.1-cudnn-runtime-ubuntu22.04"
    CUDA of the base: ==12.4.*, with any cuDNN
      a GPU is wanted, and no package brings CUDA's libraries
    {"cuda":"12.4","cudnn":"9.1.0.70","gpu":true,
    "#);
}

#[test]
fn a_framework_of_the_base_has_the_cudnn_that_is_said_too() {
    let tensorflow = "tensorflow-2.11.0-cp310-cp310-manylinux2014_x86_64.whl";
    let of =
        |cudnn: &str| planned(&format!("  gpu: true\n  cudnn: \"{cudnn}\"\n"), &[COG, tensorflow], plain());
    insta::assert_snapshot!(of("8.9"), @r#"
    image @base = "docker.io/nvidia/cuda:11.8.0-cudnn8-runtime-ubuntu22.04"
    CUDA of the base: >=11.2, <12, with cuDNN >=8.1, ==8.9.*, <9
      a GPU is wanted, and no package brings CUDA's libraries
    {"cuda":"11.8.0","cudnn":"8.9","gpu":true,
    "#);
    let refused = of("8.2");
    assert!(refused.starts_with("project::catalogue::none ") && refused.contains("==8.2.*"), "{refused}");
}

/// Images of one's own with a CUDA, one that has this with it.
fn own(more: &str) -> Catalogue {
    let text = format!(
        "catalogue = 1\n[[image]]\nreference = \"registry.example/own:1\"\nplatforms = [\"linux/amd64\"]\n\
         roles = [\"runtime\"]\nextent = \"runtime\"\nos = {{ id = \"ubuntu\", version = \"22.04\" }}\n\
         cuda = \"12.4.1\"\n{more}\n[image.packages]\nca-certificates = \"\"\n"
    );
    Catalogue::read("own.toml", &text).unwrap()
}

#[test]
fn an_image_of_ones_own_goes_before_one_with_cudnn() {
    let of = |build: &str, catalogue: Catalogue, base: Option<&str>| {
        let base = base.map(|named| BaseWish::Image(named.parse().unwrap()));
        planned(build, &[COG, ONNX], Request { catalogue, base, ..plain() })
    };
    let (gpu, with_cudnn) =
        ("  gpu: true\n  cuda: \"12.4\"\n", "  gpu: true\n  cuda: \"12.4\"\n  cudnn: \"9\"\n");
    let python = "python = { version = \"3.10.12\", interpreter = \"/usr/bin/python3\", prefix = \"/usr\" }";
    let all = [
        // Before the shipped ones, alone, and by its name.
        of(gpu, Catalogue::shipped().with(own("")), None),
        of(gpu, own(""), None),
        of(gpu, own(python), Some("registry.example/own:1")),
        // Who wants a cuDNN says so.
        of(with_cudnn, Catalogue::shipped().with(own("")), None),
        of(gpu, Catalogue::shipped().with(own("cudnn = \"9.1.0\"")), None),
    ];
    insta::assert_snapshot!(all.concat(), @r#"
    image @base = "registry.example/own:1"
    CUDA of the base: ==12.4.*, without cuDNN
      a GPU is wanted, and no package brings CUDA's libraries; this base has no cuDNN: where a program opens one, `build.cudnn` asks for a base that has it
    {"cuda":"12.4","gpu":true,
    image @base = "registry.example/own:1"
    CUDA of the base: ==12.4.*, without cuDNN
      a GPU is wanted, and no package brings CUDA's libraries; this base has no cuDNN: where a program opens one, `build.cudnn` asks for a base that has it
    {"cuda":"12.4","gpu":true,
    image @base = "registry.example/own:1"
    CUDA of the base: ==12.4.*, without cuDNN
      a GPU is wanted, and no package brings CUDA's libraries; this base has no cuDNN: where a program opens one, `build.cudnn` asks for a base that has it
    {"cuda":"12.4","gpu":true,
    image @base = "docker.io/nvidia/cuda:12.4.1-cudnn-runtime-ubuntu22.04"
    CUDA of the base: ==12.4.*, with cuDNN ==9.*
      a GPU is wanted, and no package brings CUDA's libraries
    {"cuda":"12.4","cudnn":"9","gpu":true,
    image @base = "registry.example/own:1"
    CUDA of the base: ==12.4.*, with any cuDNN
      a GPU is wanted, and no package brings CUDA's libraries
    {"cuda":"12.4","cudnn":"9.1.0","gpu":true,
    "#);
    // Nobody is told of a wish that nobody has.
    let refused = of("  gpu: true\n  cuda: \"15.1\"\n", Catalogue::shipped(), None);
    assert!(
        refused.starts_with("project::catalogue::none ") && !refused.contains("and one is wanted"),
        "{refused}"
    );
    let named = |catalogue: Catalogue| of(with_cudnn, catalogue, Some("registry.example/own:1"));
    let refused = [named(own(python)), named(Catalogue::shipped().with(own(python)))];
    insta::assert_snapshot!(refused.join("\n"), @r#"
    project::fit::conflict cog.yaml: no base image fits all that is asked for: cog.yaml:5 wants `build.cudnn: "9"`; no base image that is known is left by that
      this helps: no `cudnn` (cog.yaml:5)
    project::fit::conflict cog.yaml: no base image fits all that is asked for: whoever plans wants the base `registry.example/own:1`; cog.yaml:5 wants `build.cudnn: "9"`; no base image that is known is left by that
      any of these helps: another base; no `cudnn` (cog.yaml:5)
    "#);
}
