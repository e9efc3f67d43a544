//! What is chosen, and what is said of the others.

use std::collections::BTreeSet;

use insta::assert_snapshot;

use super::shown::shown;
use crate::{Catalogue, Choice, Cudnn, Role, Wanted, WantedOs, choose};

fn wanted(role: Role) -> Wanted {
    Wanted {
        role,
        platforms: ["linux/amd64"].iter().filter_map(|text| text.parse().ok()).collect(),
        python: None,
        prefix: None,
        cuda: None,
        cudnn: Cudnn::Unused,
        os: None,
        packages: BTreeSet::new(),
    }
}

fn needed(cudnn: &str) -> Cudnn {
    Cudnn::Needed(cudnn.parse().expect("these are versions"))
}

fn python(specifiers: &str) -> Wanted {
    Wanted { python: specifiers.parse().ok(), ..wanted(Role::Runtime) }
}

fn chosen(wanted: &Wanted) -> String {
    let choice = choose(&Catalogue::shipped(), wanted);
    choice.chosen.map(|entry| entry.reference.to_string()).unwrap_or_default()
}

fn why(choice: &Choice, many: usize) -> String {
    let line = |(entry, reasons): &(crate::Entry, Vec<crate::RuledOut>)| {
        let reasons: Vec<String> = reasons.iter().map(ToString::to_string).collect();
        let reasons = if reasons.is_empty() { "fits".to_owned() } else { reasons.join("; ") };
        format!("{}: {reasons}\n", entry.reference)
    };
    choice.considered.iter().take(many).map(line).collect()
}

#[test]
fn the_smallest_that_fits_in_its_newest_version() {
    assert_eq!(chosen(&python("==3.12.*")), "docker.io/library/python:3.12.12-slim-trixie");
    assert_eq!(chosen(&python(">=3.10,<3.12")), "docker.io/library/python:3.11.14-slim-trixie");
    assert_eq!(chosen(&wanted(Role::Runtime)), "docker.io/library/debian:13.3-slim");
    assert_eq!(chosen(&python("==3.12.4")), "");
}

#[test]
fn a_compiler_is_asked_for_by_its_name() {
    let packages = BTreeSet::from(["gcc".to_owned()]);
    let wanted = Wanted { role: Role::Build, packages, ..python("==3.13.*") };
    assert_eq!(chosen(&wanted), "docker.io/library/python:3.13.9-trixie");
}

#[test]
fn cuda_comes_as_asked_and_not_otherwise() {
    let cuda = Wanted { cuda: "==12.8.*".parse().ok(), ..wanted(Role::Runtime) };
    assert_eq!(chosen(&cuda), "docker.io/nvidia/cuda:12.8.1-base-ubuntu24.04");
    let cudnn = Wanted { cudnn: needed(">=9"), ..cuda.clone() };
    assert_eq!(chosen(&cudnn), "docker.io/nvidia/cuda:12.8.1-cudnn-runtime-ubuntu24.04");
    let jammy = WantedOs { id: "ubuntu".to_owned(), version: Some("jammy".to_owned()) };
    let devel =
        Wanted { packages: BTreeSet::from(["cuda-minimal-build-12-8".to_owned()]), os: Some(jammy), ..cuda };
    assert_eq!(chosen(&devel), "docker.io/nvidia/cuda:12.8.1-devel-ubuntu22.04");
    let bookworm = WantedOs { id: "debian".to_owned(), version: Some("12".to_owned()) };
    let bookworm = Wanted { os: Some(bookworm), ..python("==3.11.*") };
    assert_eq!(chosen(&bookworm), "docker.io/library/python:3.11.14-slim-bookworm");
}

#[test]
fn a_welcome_cudnn_rules_nothing_out_and_goes_behind_what_a_user_lists() {
    let cuda = |cuda: &str, cudnn| Wanted { cuda: cuda.parse().ok(), cudnn, ..wanted(Role::Runtime) };
    let welcome = cuda("==12.8.*", Cudnn::Welcome);
    assert_eq!(chosen(&welcome), "docker.io/nvidia/cuda:12.8.1-cudnn-runtime-ubuntu24.04");
    assert_eq!(chosen(&cuda("", Cudnn::Welcome)), "docker.io/nvidia/cuda:13.0.1-cudnn-runtime-ubuntu24.04");
    // For building it is nothing that anybody asks for.
    let for_building = Wanted { role: Role::Build, ..cuda("==12.8.*", Cudnn::Unused) };
    assert_eq!(chosen(&for_building), "docker.io/nvidia/cuda:12.8.1-base-ubuntu24.04");
    let own = |name: &str, cudnn: &str| {
        format!(
            "[[image]]\nreference = \"registry.example/{name}\"\nplatforms = [\"linux/amd64\"]\nroles = [\"runtime\"]\n\
             extent = \"runtime\"\nos = {{ id = \"ubuntu\", version = \"24.04\" }}\ncuda = \"12.8.0\"\n{cudnn}\n"
        )
    };
    let of_both = |own: &str| {
        let own = Catalogue::read("own.toml", &format!("catalogue = 1\n{own}")).expect("it is a catalogue");
        let choice = choose(&Catalogue::shipped().with(own), &welcome);
        choice.entry(&welcome).expect("one fits").reference.to_string()
    };
    let without = own("without:1", "");
    assert_eq!(of_both(&without), "registry.example/without:1");
    assert_eq!(of_both(&(without + &own("with:1", "cudnn = \"9\""))), "registry.example/with:1");
    let unknown = cuda("==15.1.*", Cudnn::Welcome);
    let said = choose(&Catalogue::shipped(), &unknown).entry(&unknown).expect_err("none fits").to_string();
    assert_eq!(said, "no base image is known for running, on linux/amd64, with CUDA ==15.1.*");
}

#[test]
fn each_image_is_told_of_with_all_that_rules_it_out() {
    let wanted = Wanted { cuda: "==12.4.*".parse().ok(), ..python("==3.12.*") };
    let choice = choose(&Catalogue::shipped(), &wanted);
    assert_eq!(choice.considered.len(), Catalogue::shipped().images().len());
    assert_snapshot!(why(&choice, 4), @"
    docker.io/nvidia/cuda:12.4.1-base-ubuntu22.04: it has no Python, and ==3.12.* is wanted
    docker.io/library/python:3.12.12-slim-trixie: it has no CUDA, and ==12.4.* is wanted
    docker.io/library/python:3.12.12-slim-bookworm: it has no CUDA, and ==12.4.* is wanted
    docker.io/nvidia/cuda:12.4.1-runtime-ubuntu22.04: it has no Python, and ==3.12.* is wanted
    ");
    let os = Some(WantedOs { id: "alpine".to_owned(), version: None });
    let packages = BTreeSet::from(["ffmpeg".to_owned()]);
    let platforms = ["linux/amd64", "linux/riscv64"].iter().filter_map(|text| text.parse().ok()).collect();
    let cudnn = needed(">=9");
    let odd = Wanted { os, packages, platforms, cudnn, ..wanted };
    let choice = choose(&Catalogue::shipped(), &odd);
    assert_snapshot!(why(&choice, 1), @"docker.io/nvidia/cuda:12.4.1-cudnn-runtime-ubuntu22.04: it is not there for `linux/riscv64`; it has no Python, and ==3.12.* is wanted; it is ubuntu 22.04, and alpine is wanted; it is not known to have `ffmpeg`");
    assert_snapshot!(choice.entry(&odd).map_err(|error| shown(&error, "")).expect_err("none fits"), @"
    project::catalogue::none: no base image is known for running, of alpine, on linux/amd64 and linux/riscv64, with Python ==3.12.*, CUDA ==12.4.*, cuDNN >=9, `ffmpeg`
      help: docker.io/nvidia/cuda:12.4.1-base-ubuntu22.04: it is not there for `linux/riscv64`; it has no Python, and ==3.12.* is wanted; it has no cuDNN, and >=9 is wanted; it is ubuntu 22.04, and alpine is wanted; it is not known to have `ffmpeg`
    docker.io/nvidia/cuda:12.4.1-cudnn-runtime-ubuntu22.04, docker.io/nvidia/cuda:12.4.1-cudnn-devel-ubuntu22.04: it is not there for `linux/riscv64`; it has no Python, and ==3.12.* is wanted; it is ubuntu 22.04, and alpine is wanted; it is not known to have `ffmpeg`
    give one with `--catalogue FILE`, whose entry `cogpackc catalogue add IMAGE` writes
    ");
}

const MINE: &str = r#"catalogue = 1

[[image]]
reference = "registry.example/python:3.12"
platforms = ["linux/amd64"]
roles = ["runtime"]
extent = "development"
os = { id = "debian", version = "12" }
python = { version = "3.12.4", interpreter = "/usr/bin/python3", prefix = "/usr" }

[[image]]
reference = "python:3.12.12-slim-trixie"
digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
platforms = ["linux/amd64"]
roles = ["build"]
extent = "runtime"
os = { id = "debian", version = "13" }
python = { version = "3.12.12", interpreter = "/usr/local/bin/python3", prefix = "/usr/local" }
"#;

#[test]
fn a_users_images_go_first_and_stand_for_shipped_ones() {
    let mine = Catalogue::read("mine.toml", MINE).expect("it is a catalogue");
    let both = Catalogue::shipped().with(mine);
    assert_eq!(both.images().len(), Catalogue::shipped().images().len() + 1);
    let choice = choose(&both, &python("==3.12.*"));
    assert_snapshot!(why(&choice, 3), @"
    registry.example/python:3.12: fits
    docker.io/library/python:3.12.12-slim-bookworm: fits
    docker.io/library/python:3.12.12-trixie: fits
    ");
    let for_building = Wanted { role: Role::Build, ..python("==3.12.*") };
    let choice = choose(&both, &for_building);
    let chosen = choice.chosen.as_ref().expect("one fits");
    assert!(chosen.digest.is_some(), "mine says the digest");
    assert_eq!(both.find(&chosen.reference).map(|listed| listed.origin.line), Some(11));
    // What is the same but for CUDA is not taken for somebody's own image with one.
    let cuda = MINE.replace("os = {", "cuda = \"12.8\"\nos = {");
    let mine = Catalogue::read("mine.toml", &cuda).expect("it is a catalogue");
    let choice = choose(&Catalogue::shipped().with(mine), &python("==3.12.*"));
    let chosen = choice.chosen.map(|entry| entry.reference.to_string());
    assert_eq!(chosen.as_deref(), Some("docker.io/library/python:3.12.12-slim-bookworm"));
}

#[test]
fn the_order_of_a_catalogue_does_not_matter() {
    let shipped = Catalogue::shipped();
    let backwards: Catalogue = shipped.images().iter().rev().map(|listed| listed.entry.clone()).collect();
    for wanted in [python(">=3.10"), wanted(Role::Build)] {
        assert_eq!(choose(&shipped, &wanted).considered, choose(&backwards, &wanted).considered);
    }
}
