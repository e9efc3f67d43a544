//! Base images with build triggers (`ONBUILD`): a plan leaves them alone, and its author is told.

use std::path::Path;

use cogpack_content::Digest;
use cogpack_tests::terminal::{Answer, cogpackc};
use serde_json::{Value, json};

const PLAN: &str = "cpk 1\n\nimage @base = \"app-base\"\n\nstage %app from image @base {\n  \
                    file \"/a\" = \"b\\n\"\n}\n\nexport from %app\n";

/// A folder with a plan, and a layout `base` of an image that has triggers.
fn folder_with(plan: &str, triggers: &Value) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    write(&folder.path().join("plan.cpk"), plan.as_bytes());
    write_layout(&folder.path().join("base"), triggers);
    folder
}

/// Writes a layout with an image of no files that has these triggers.
pub(crate) fn write_layout(layout: &Path, triggers: &Value) {
    let blobs = layout.join("blobs/sha256");
    std::fs::create_dir_all(&blobs).expect("can be made");
    let put = |kind: &str, document: &Value| {
        let bytes = document.to_string().into_bytes();
        let digest = Digest::of(&bytes);
        write(&blobs.join(digest.hex()), &bytes);
        let kind = format!("application/vnd.oci.image.{kind}.v1+json");
        json!({ "mediaType": kind, "digest": digest.to_string(), "size": bytes.len() })
    };
    let config = put(
        "config",
        &json!({
            "os": "linux", "architecture": "amd64", "author": "somebody else",
            "config": { "Env": ["PATH=/bin"], "OnBuild": triggers },
            "rootfs": { "type": "layers", "diff_ids": [] },
        }),
    );
    let manifest = put("manifest", &json!({ "schemaVersion": 2, "config": config, "layers": [] }));
    let index = json!({ "schemaVersion": 2, "manifests": [manifest] });
    write(&layout.join("index.json"), index.to_string().as_bytes());
    write(&layout.join("oci-layout"), b"{\"imageLayoutVersion\":\"1.0.0\"}");
}

fn write(path: &Path, bytes: &[u8]) {
    std::fs::write(path, bytes).expect("can be written");
}

/// The findings of an answer that tell of triggers.
fn told(answer: &Answer) -> Vec<Value> {
    let reports = serde_json::Deserializer::from_str(&answer.stderr).into_iter::<Value>();
    let findings = reports.flat_map(|report| {
        let mut report = report.expect("is JSON");
        report["findings"].as_array_mut().map(std::mem::take).unwrap_or_default()
    });
    findings
        .filter(|finding| finding["code"].as_str().is_some_and(|code| code.ends_with("triggers")))
        .collect()
}

#[test]
fn triggers_of_a_base_are_left_alone_and_told() {
    let folder = folder_with(PLAN, &json!(["COPY . /src", "RUN make -C /src\n"]));
    let resolved = cogpackc(folder.path(), &["resolve", "plan.cpk", "--layout", "base=base"]);
    assert_eq!(resolved.code, 0, "{}", resolved.stderr);
    let (warning, _) = resolved.stderr.split_once("cpk::image::unpinned").expect("another warning follows");
    insta::assert_snapshot!(warning, @r#"
    cpk::image::triggers

      ⚠ `@base` has 2 build triggers (`COPY . /src`, `RUN make -C /src`), which a plan leaves alone
       ╭─[plan.cpk:3:7]
     2 │ 
     3 │ image @base = "app-base"
       ·       ──┬──
       ·         ╰── declared here
     4 │ 
       ╰────
      help: say in a stage what they would do, if it is wanted
    "#);
    assert!(resolved.text().contains("env PATH = \"/bin\"") && !resolved.text().contains("make"));

    let arguments = ["plan.cpk", "--layout", "base=base", "--format", "json"];
    for rest in [&["-o", "llb.txt"][..], &["-o", "llb"], &["-o", "oci", "-O", "image.tar"]] {
        let answer = cogpackc(folder.path(), &[&arguments[..], rest].concat());
        assert_eq!(answer.code, 0, "{}", answer.stderr);
        let told = told(&answer);
        assert_eq!(told.len(), 1, "{rest:?}: {}", answer.stderr);
        assert_eq!((&told[0]["severity"], &told[0]["labels"][0]["line"]), (&json!("warning"), &json!(3)));
    }
    for out in ["type=layout,dest=image", "type=docker,dest=image.docker.tar"] {
        let build = ["build", "--builder", "direct", "--progress", "quiet", "-t", "app", "-o", out];
        let answer = cogpackc(folder.path(), &[&build[..], &arguments].concat());
        assert_eq!((answer.code, told(&answer).len()), (0, 1), "{}", answer.stderr);
    }
    let mut configs = 0;
    for blob in std::fs::read_dir(folder.path().join("image/blobs/sha256")).expect("was built") {
        let bytes = std::fs::read(blob.expect("can be read").path()).expect("can be read");
        let Ok(document) = serde_json::from_slice::<Value>(&bytes) else { continue };
        configs += usize::from(document["config"]["Env"].is_array());
        assert!(document["config"]["OnBuild"].is_null() && document["author"].is_null(), "{document}");
    }
    assert_eq!(configs, 1);
}

#[test]
fn triggers_of_a_layout_that_the_plan_names_are_told_as_well() {
    let plan = PLAN.replace("image @base = \"app-base\"", "context @base = oci \"base\"");
    let plan = plan.replace("from image @base", "from @base");
    let folder = folder_with(&plan, &json!(["RUN a", "RUN b", "RUN c", "RUN d"]));
    let answer = cogpackc(folder.path(), &["plan.cpk", "-o", "oci", "-O", "image", "--format", "json"]);
    assert_eq!(answer.code, 0, "{}", answer.stderr);
    let told = told(&answer);
    assert_eq!(told.len(), 1, "{}", answer.stderr);
    assert_eq!(
        told[0]["message"],
        "`@base` has 4 build triggers (`RUN a`, `RUN b`, `RUN c`, …), which a plan leaves alone"
    );
}

#[test]
fn a_dockerfile_that_would_run_them_is_refused() {
    let folder = folder_with(PLAN, &json!(["RUN make"]));
    let arguments = ["plan.cpk", "--layout", "base=base", "-o", "dockerfile"];
    for dialect in ["buildkit", "buildah", "legacy"] {
        let answer = cogpackc(folder.path(), &[&arguments[..], &["--dialect", dialect]].concat());
        assert_eq!((answer.code, answer.text()), (1, ""), "{}", answer.stderr);
        assert!(answer.stderr.contains("cpk::unsupported::triggers"), "{}", answer.stderr);
    }
    write(&folder.path().join("plan.cpk"), PLAN.replace("from image @base", "from scratch").as_bytes());
    let unused = cogpackc(folder.path(), &["plan.cpk", "--layout", "base=base", "-o", "llb.txt"]);
    assert!(unused.code == 0 && !unused.stderr.contains("triggers"), "{}", unused.stderr);
}

#[test]
fn a_base_without_triggers_is_built_on_in_silence() {
    for none in [json!(null), json!([])] {
        let folder = folder_with(PLAN, &none);
        let arguments = ["plan.cpk", "--layout", "base=base", "-o"];
        for format in ["llb.txt", "dockerfile"] {
            let answer = cogpackc(folder.path(), &[&arguments[..], &[format]].concat());
            assert_eq!(answer.code, 0, "{}", answer.stderr);
            assert!(!answer.stderr.contains("trigger"), "{}", answer.stderr);
        }
    }
}
