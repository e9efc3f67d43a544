//! Vertices and the layers that they make.

use super::{lower_with, lowered, without_merges};
use crate::{LlbImage, layers, origins};

fn told(image: &LlbImage) -> Option<Vec<String>> {
    let origins = origins(image);
    let layers = layers(image)?;
    let vertices = layers.base.into_iter().chain(layers.made);
    Some(vertices.map(|digest| origins[&digest].what.clone()).collect())
}

const PLAN: &str = "cpk 1
image @base = \"debian\"
  config empty
context @source = dir \".\"
stage %tool from image @base {
  run \"make\"
}
stage %app from image @base {
  run \"prepare\"
  copy \"a\" from @source to \"/a\"
  layer group {
    mkdir \"/b\"
    file \"/b/c\" = \"c\"
  }
  copy \"/tool\" from %tool to \"/tool\"
}
export from %app
";

#[test]
fn each_layer_is_told_by_what_makes_it_with_and_without_merges() {
    let merged = told(&lowered(PLAN)).expect("is a chain");
    let chained = lower_with(PLAN, |backend| backend.limits = without_merges()).expect("can be lowered");
    let chained = told(&chained).expect("is a chain");
    assert_eq!(merged, chained);
    assert_eq!(
        merged,
        [
            "docker.io/library/debian:latest",
            "run prepare",
            "copy a from @source to /a",
            "mkdir /b; file /b/c",
            "copy /tool from %tool to /tool"
        ]
    );
}

#[test]
fn branches_of_a_parallel_phase_are_told_one_after_the_other() {
    let plan = "cpk 1
image @base = \"debian\"
  config empty
phase first
phase parts parallel after first
phase last after parts
stage %first in first from image @base { run \"first\" }
stage %one in parts { run \"one\" }
stage %two in parts { run \"two\" }
stage %last in last { run \"last\" }
export from %last
";
    assert_eq!(
        told(&lowered(plan)).expect("are chains"),
        ["docker.io/library/debian:latest", "run first", "run one", "run two", "run last"]
    );
}

#[test]
fn an_image_from_nothing_has_only_its_own_layers() {
    let plan = "cpk 1\nstage %a from scratch {\n  mkdir \"/a\"\n  mkdir \"/b\"\n}\nexport from %a\n";
    assert_eq!(told(&lowered(plan)).expect("is a chain"), ["mkdir /a", "mkdir /b"]);
    let plan = "cpk 1\nimage @b = \"b\"\n  config empty\nstage %a from image @b\nexport from %a\n";
    assert_eq!(told(&lowered(plan)).expect("is a chain"), ["docker.io/library/b:latest"]);
}
