//! Wishes that have no effect, or that nothing can keep: each is told where it is written.

use cogpack_catalogue::Catalogue;
use cogpack_frontends_source::MemoryProject;
use miette::Diagnostic;

use super::{LOCK, plan, told};
use crate::stacks::{BaseWish, Findings, Request};

/// What is told of a model with this below `build` and this behind it, each with the text that it points at.
fn found(build: &str, more: &str, request: &Request) -> String {
    let yaml = format!("build:\n  python_version: \"3.11\"\n{build}run: \"predict.py:run\"\n{more}");
    let files = [
        ("cog.yaml", yaml.as_str()),
        ("predict.py", "def run(name: str) -> str: ...\n"),
        ("pylock.cog.toml", LOCK),
    ];
    let planned = MemoryProject::new(files).unwrap().plan(|source| plan(source, request));
    let findings: Findings = planned.map_or_else(|findings| findings, |planned| planned.warnings);
    let at = |found: &dyn Diagnostic| {
        let mut labels = found.labels()?;
        let label = labels.next()?;
        yaml.get(label.offset()..label.offset() + label.len()).map(str::to_owned)
    };
    let told = findings.iter().map(|found| {
        let at = at(&found.finding).unwrap_or_default();
        format!("{at} | {}\n", told(found))
    });
    told.collect()
}

#[test]
fn cuda_without_a_gpu_is_told() {
    let plain = Request::plain();
    assert_eq!(found("", "", &plain), "");
    insta::assert_snapshot!(found("  gpu: false\n  cuda: \"12.4\"\n", "", &plain), @r#"
    "12.4" | project::fit::without-gpu cog.yaml: `build.cuda` has no effect: `build.gpu` is false
      write `gpu: true` beside it, where the model is to use a GPU; or take it away
    "#);
    insta::assert_snapshot!(found("  cudnn: \"8\"\n", "", &plain), @r#"
    "8" | project::fit::without-gpu cog.yaml: `build.cudnn` has no effect: nothing says `build.gpu: true`
      write `gpu: true` beside it, where the model is to use a GPU; or take it away
    "#);
}

#[test]
fn a_base_without_cuda_is_no_way_out_of_a_wish_for_it() {
    let debian = Request { base: Some(BaseWish::Debian), ..Request::plain() };
    let of_debs = found("  gpu: true\n  cuda: \"12.4\"\n", "", &debian);
    assert!(
        of_debs.starts_with("\"12.4\" | project::base::debian-cuda cog.yaml: CUDA is wanted"),
        "{of_debs}"
    );
    let none = Request { catalogue: Catalogue::default(), ..Request::plain() };
    let without = found("  gpu: true\n  cuda: \"12.4\"\n", "", &none);
    assert!(without.starts_with("\"12.4\" | project::catalogue::none cog.yaml: "), "{without}");
    assert!(!without.contains("--base debian"), "{without}");
    let of_python = found("", "", &none);
    assert!(of_python.starts_with("\"3.11\" | project::catalogue::none cog.yaml: "), "{of_python}");
    assert!(of_python.contains("--base debian"), "{of_python}");
}

#[test]
fn what_is_named_and_not_there_is_told_where_it_is_named() {
    let plain = Request::plain();
    let no_file = found("", "train: \"teach.py:train\"\n", &plain);
    assert!(no_file.starts_with("\"teach.py:train\" | project::schema::no-file cog.yaml: "), "{no_file}");
    let no_target = found("", "train: \"predict.py:train\"\n", &plain);
    let start = "\"predict.py:train\" | project::schema::no-target cog.yaml: ";
    assert!(no_target.starts_with(start), "{no_target}");
    let weights = |target: &str| {
        let more = format!(
            "model: registry.example/a/b\nweights:\n  - {{ name: w, target: {target}, source: {{ uri: hf://a/b }} }}\n"
        );
        found("", &more, &plain)
    };
    assert_eq!(weights("/src/weights"), "");
    assert_eq!(weights("/predict.py"), "");
    for target in ["/src/predict.py", "/src/predict.py/more"] {
        let said = weights(target);
        let start = format!("{target} | project::python::weight-target cog.yaml: ");
        assert!(said.starts_with(&start), "{said}");
    }
}

#[test]
fn what_is_wrong_in_a_lock_is_told_where_it_stands() {
    let files = [
        ("cog.yaml", "build:\n  python_version: \"3.12\"\nrun: \"predict.py:run\"\n"),
        ("predict.py", "def run(name: str) -> str: ...\n"),
        ("pylock.cog.toml", LOCK),
    ];
    let planned = MemoryProject::new(files).unwrap().plan(|source| plan(source, &Request::plain()));
    let findings = planned.unwrap_err();
    let label = findings[0].finding.labels().unwrap().next().unwrap();
    assert_eq!(&LOCK[label.offset()..label.offset() + label.len()], "\"torch\"");
    assert!(told(&findings[0]).starts_with("project::lock::problem pylock.cog.toml: "));
}
