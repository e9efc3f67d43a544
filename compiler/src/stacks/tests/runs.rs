//! How an image's program runs: by an init, as whom, and with which byte code.

use cogpack_frontends_source::MemoryProject;
use cogpack_ir::syntax;

use super::{LOCK, plan, told};
use crate::stacks::Request;

fn planned(cog_yaml: &str, settings: &str, request: &Request) -> Result<String, String> {
    let files = [
        ("cog.yaml", cog_yaml),
        ("pylock.cog.toml", LOCK),
        ("cogpack.toml", settings),
        ("scripts/before.sh", "mkdir /ready\n"),
        ("after.sh", "test -d /ready\n"),
        ("apt/then.list", "deb http://snapshot.example/debian/20260115T000000Z trixie main\n"),
        ("then.sources", ""),
    ];
    let planned = MemoryProject::new(files).unwrap().plan(|source| plan(source, request));
    let all = |found: crate::stacks::Findings| found.iter().map(told).collect::<Vec<_>>().join("\n");
    let planned = planned.map_err(all)?;
    let text = syntax::print(&planned.plan);
    assert!(cogpack_ir::verify::verify(planned.plan).is_ok(), "{text}");
    Ok(text)
}

const RUN: &str = "build:\n  python_version: \"3.11\"\nrun: \"predict.py:Predictor\"\n";

#[test]
fn a_program_runs_as_whom_it_is_asked_to() {
    let plain = Request { openapi_schema: Some("{}".to_owned()), ..Request::plain() };
    let text = planned(RUN, "", &plain).unwrap();
    assert!(!text.contains("\n  user ") && !text.contains("entrypoint"), "{text}");
    let text = planned(RUN, "user = \"1000:1000\"\n", &plain).unwrap();
    assert!(text.contains("\n  user \"1000:1000\"\n"), "{text}");
    // What whoever plans says goes before.
    let request = Request { user: Some("nobody".to_owned()), ..plain };
    let text = planned(RUN, "user = \"1000:1000\"\n", &request).unwrap();
    assert!(text.contains("\n  user \"nobody\"\n") && !text.contains("1000"), "{text}");
}

#[test]
fn an_init_comes_with_other_packages() {
    let plain = Request { openapi_schema: Some("{}".to_owned()), ..Request::plain() };
    let with = |packages: &str, run: &str| {
        let yaml = format!("build:\n  python_version: \"3.11\"\n  system_packages: [{packages}]\n{run}");
        planned(&yaml, "", &plain).unwrap()
    };
    let run = "run: \"predict.py:Predictor\"\n";
    let text = with("sox", run);
    assert!(text.contains("      sox \\\\\n      tini\n"), "{text}");
    assert!(text.contains("\n  entrypoint [\"/usr/bin/tini\", \"--\"]\n"), "{text}");
    // It is there once, in the version that is asked for.
    let text = with("tini=0.19.0-1", run);
    assert!(text.contains(" tini=0.19.0-1\n") && text.matches("tini").count() == 3, "{text}");
    // Whoever starts nothing keeps the base's own way.
    assert!(!with("sox", "").contains("tini"));
}

#[test]
fn byte_code_is_made_by_the_image_where_it_is_asked_for() {
    let plain = Request { openapi_schema: Some("{}".to_owned()), ..Request::plain() };
    assert!(!planned(RUN, "precompile = false\n", &plain).unwrap().contains("%byte-code"));
    let text = planned(RUN, "precompile = true\n", &plain).unwrap();
    let start = text.find("stage %byte-code").unwrap_or_else(|| panic!("{text}"));
    assert!(text.find("stage %packages").is_some_and(|packages| packages < start));
    insta::assert_snapshot!(text[start..].split("\n}\n").next().unwrap(), @r#"
    stage %byte-code in export.runtime {
      by byte-code at "cogpack.toml":1
      exec [
        "/venv/bin/python",
        "-c",
        "import compileall, py_compile, sys; compileall.compile_dir(sys.argv[1], quiet=2, invalidation_mode=py_compile.PycInvalidationMode.CHECKED_HASH)",
        "/venv/lib/python3.11/site-packages",
      ] {
        network none
      }
    "#);
    let request = Request { precompile: true, ..plain.clone() };
    assert!(planned(RUN, "", &request).unwrap().contains("%byte-code"));
    let refused = planned(RUN, "strip = true\n", &plain).unwrap_err();
    assert!(refused.starts_with("project::python::strip cogpack.toml: "), "{refused}");
}

#[test]
fn files_of_the_project_run_before_and_after_its_packages_are_installed() {
    let plain = Request { openapi_schema: Some("{}".to_owned()), ..Request::plain() };
    let settings =
        "pre-install = [\"scripts/before.sh\"]\npost-install = [\"after.sh\"]\nprecompile = true\n";
    let commands = RUN.replace("run:", "  run: [\"echo last\"]\nrun:");
    let text = planned(&commands, settings, &plain).unwrap();
    let stages = text.lines().filter_map(|line| line.strip_prefix("stage %")?.split(' ').next());
    assert_eq!(
        stages.collect::<Vec<_>>().join(" "),
        "base environment pre-install python framework packages post-install byte-code commands schema source model"
    );
    let start = text.find("stage %pre-install").unwrap_or_else(|| panic!("{text}"));
    insta::assert_snapshot!(text[start..].split("\n}\n").next().unwrap(), @r#"
    stage %pre-install in export.runtime {
      by pre-install at "cogpack.toml":1
      exec ["/bin/sh", "-e", "/mnt/scripts/before.sh"] {
        mount @source at /mnt/scripts/before.sh select "scripts/before.sh"
      }
    "#);
    let refused = planned(RUN, "post-install = [\"scripts\", \"after.sh\"]\n", &plain).unwrap_err();
    assert!(
        refused.starts_with("project::python::install-file cogpack.toml: there is no file `scripts`"),
        "{refused}"
    );
    // With what else is wrong with the settings.
    let both = planned(RUN, "strip = true\npre-install = [\"no.sh\"]\n", &plain).unwrap_err();
    assert!(both.contains("project::python::strip") && both.contains("no file `no.sh`"), "{both}");
}

#[test]
fn packages_of_the_distribution_may_be_those_of_a_snapshot() {
    let plain = Request { openapi_schema: Some("{}".to_owned()), ..Request::plain() };
    let with_packages = RUN.replace("run:", "  system_packages: [sox]\nrun:");
    let text = planned(&with_packages, "apt-sources = \"apt/then.list\"\n", &plain).unwrap();
    let start = text.find("stage %system-packages").unwrap_or_else(|| panic!("{text}"));
    insta::assert_snapshot!(text[start..].split("\n}\n").next().unwrap(), @r#"
    stage %system-packages in export.base {
      by system-packages at "cog.yaml":3
      run """
        set -e
        apt-get -o Dir::Etc::SourceList=/mnt/apt.list -o Dir::Etc::SourceParts=- update -qq
        DEBIAN_FRONTEND=noninteractive apt-get -o Dir::Etc::SourceList=/mnt/apt.list -o Dir::Etc::SourceParts=- install -qqy --no-install-recommends \\
          sox \\
          tini
        rm -rf /var/lib/apt/lists/*
        """ {
        mount @source at /mnt/apt.list select "apt/then.list"
      }
    "#);
    let text = planned(&with_packages, "apt-sources = \"then.sources\"\n", &plain).unwrap();
    assert_eq!(text.matches(" -o Dir::Etc::SourceList=/mnt/apt.sources ").count(), 2, "{text}");
    // No setting is left unheard.
    let told = [
        planned(RUN, "apt-sources = \"apt/then.list\"\n", &plain).unwrap_err(),
        planned(&with_packages, "apt-sources = \"apt/now.list\"\n", &plain).unwrap_err(),
        planned(&with_packages, "apt-sources = \"after.sh\"\n", &plain).unwrap_err(),
    ];
    insta::assert_snapshot!(told.join("\n"), @r"
    project::python::apt-sources cogpack.toml: apt is told where to install from, and it installs nothing here
      take the setting away; packages are those of `system_packages`, and a base of Debian packages has its own lock
    project::python::install-file cogpack.toml: there is no file `apt/now.list`
      name a file of the project by its path from the file on that names it, or take the name away
    project::pyproject::setting cogpack.toml: `apt-sources` cannot be `after.sh`
      apt reads a file by its name, which ends in `.list` or `.sources`
    ");
}
