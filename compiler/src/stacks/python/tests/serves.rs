//! What cog's server can serve of a model, how it is started for it, and what the image says of it.

use super::*;

const ASYNC: &str = "async def run(x: str) -> str:\n    return x\n";

/// A model's files, with a lock that has this version of cog.
fn model(yaml: &str, code: &str, cog: &str) -> Vec<(String, String)> {
    let lock = format!(
        "{PYLOCK}\n[[packages]]\nname = \"cog\"\nversion = \"{cog}\"\nwheels = [{{ url = \
         \"https://files.example/cog-{cog}-py3-none-any.whl\", hashes = {{ sha256 = \
         \"f7e0abab1028d83789f87d86dc30f82c3335085dc8abbe62bbc3dcb073976ed5\" }} }}]\n"
    );
    let files = [("cog.yaml", yaml), ("m.py", code), ("pylock.toml", &lock)];
    files.map(|(name, text)| (name.to_owned(), text.to_owned())).to_vec()
}

fn borrowed(files: &[(String, String)]) -> Vec<(&str, &str)> {
    files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect()
}

fn of_313(more: &str) -> String {
    format!("build:\n  python_version: \"3.13\"\n{more}")
}

#[test]
fn what_only_the_container_would_refuse_is_told_before_it_is_built() {
    let concurrent = of_313("run: m.py:run\nconcurrency:\n  max: 4\n");
    let without_python = concurrent.replace("build:\n  python_version: \"3.13\"\n", "");
    let run = of_313("run: m.py:R\n");
    let asked = run.replace("\nrun", "\n  sdk_version: \"0.19.3\"\nrun");
    let class = "class R:\n    def run(self, x: str) -> str: ...\n";
    let sync = model(&concurrent, &ASYNC.replace("async ", ""), "0.23.1");
    let mut old_python = model(&without_python, ASYNC, "0.23.1");
    old_python.push((".python-version".to_owned(), "3.10\n".to_owned()));
    let above = format!("import cog\n\n\n@cog.concurrent(max=4)\n{ASYNC}");
    let old_python_above = model(&of_313("run: m.py:run\n").replace("3.13", "3.10"), &above, "0.23.1");
    let old_cog = model(&run, class, "0.19.3");
    let old_cog_asked = model(&asked, class, "0.19.3");
    let oldest_cog = model(&run, &class.replace("run", "predict"), "0.16.2");
    let told: Vec<String> = [sync, old_python, old_python_above, old_cog, old_cog_asked, oldest_cog]
        .iter()
        .map(|files| refused(&borrowed(files)))
        .collect();
    insta::assert_snapshot!(told.join("\n"), @r#"
    project::cog-yaml::deprecated-concurrency cog.yaml: `concurrency` is now said in Python
      write `@cog.concurrent(max=4)` above the method that predicts, and take this key away
    project::python::not-async cog.yaml: 4 predictions are to be served at once, and `run` is not `async`
      write `async def run` in `m.py`, or `max: 1`: cog's server does not start such a model
    project::cog-yaml::deprecated-concurrency cog.yaml: `concurrency` is now said in Python
      write `@cog.concurrent(max=4)` above the method that predicts, and take this key away
    project::python::concurrency cog.yaml: 4 predictions at once need Python 3.11 or newer, and the Python is 3.10, because the file `.python-version` says so
      choose 3.11 or a newer one there, or serve one prediction at a time
    project::python::concurrency m.py: 4 predictions at once need Python 3.11 or newer, and the Python is 3.10, because `build.python_version` says so
      choose 3.11 or a newer one there, or serve one prediction at a time
    project::python::old-cog pylock.toml: cog 0.19.3 asks a class for its method `predict`, and `R` has `run`
      ask for `cog>=0.20` where the lock's requirements stand, and make it anew, or call the method `predict`, which every cog knows
    project::python::old-cog cog.yaml: cog 0.19.3 asks a class for its method `predict`, and `R` has `run`
      write `sdk_version: "0.20.0"` or a newer one, or call the method `predict`, which every cog knows
    project::python::cog-too-old pylock.toml: the lock has cog 0.16.2, which cannot serve what is built here
      ask for 0.17.0 or a newer one where the lock's requirements stand, and make it anew
    "#);
    // A function has the name that it is asked for by, and `predict` is what every cog knows.
    let function = model(&of_313("run: m.py:run\n"), &ASYNC.replace("async ", ""), "0.19.3");
    let predict = model(&run, &class.replace("run", "predict"), "0.19.3");
    for files in [function, predict] {
        text(&borrowed(&files));
    }
}

#[test]
fn a_server_is_told_how_many_it_serves_and_whether_it_trains() {
    let lines = |yaml: &str, code: &str| {
        let (plan, _) = text(&borrowed(&model(yaml, code, "0.23.1")));
        let told = ["cmd ", "COG_MAX", "_STUB"];
        let lines = plan.lines().filter(|line| told.iter().any(|part| line.contains(part)));
        lines.map(str::trim).collect::<Vec<_>>().join("\n")
    };
    let above = format!("import cog\n\n\n@cog.concurrent(max=4)\n{ASYNC}");
    let trained = ASYNC.replace("async def run", "def train");
    let both = of_313("run: m.py:run\nconcurrency: { max: 2 }\n");
    let told = [
        lines(&of_313("run: m.py:run\n"), &above),
        // What stands above the method goes before the older form.
        lines(&both, &above),
        lines(&both, ASYNC),
        lines(&of_313("train: m.py:train\n"), &trained),
        lines(&of_313("run: m.py:run\ntrain: m.py:train\n"), &format!("{ASYNC}\n\n{trained}")),
    ];
    insta::assert_snapshot!(told.join("\n\n"), @r#"
    env COG_PREDICT_TYPE_STUB = "m.py:run"
    env COG_MAX_CONCURRENCY = "4"
    cmd ["python", "-m", "cog.server.http"]

    env COG_PREDICT_TYPE_STUB = "m.py:run"
    env COG_MAX_CONCURRENCY = "4"
    cmd ["python", "-m", "cog.server.http"]

    env COG_PREDICT_TYPE_STUB = "m.py:run"
    env COG_MAX_CONCURRENCY = "2"
    cmd ["python", "-m", "cog.server.http"]

    env COG_TRAIN_TYPE_STUB = "m.py:train"
    cmd ["python", "-m", "cog.server.http", "--x-mode", "train"]

    env COG_PREDICT_TYPE_STUB = "m.py:run"
    env COG_TRAIN_TYPE_STUB = "m.py:train"
    cmd ["python", "-m", "cog.server.http"]
    "#);
}

#[test]
fn the_image_says_what_it_was_made_of() {
    let yaml = "image: r8.im/me/model:1\nbuild:\n  python_version: \"3.13\"\n  cuda: \"13.0\"\n  gpu: true\n  \
                system_packages: [sox=14.4.2, ffmpeg]\n  run:\n    - make\n    - command: make login\n      mounts: \
                [{ type: secret, id: token, target: /run/token }]\nrun: m.py:run\nenvironment: [A=b c]\n";
    let of = |yaml: &str, code: &str| {
        let project = model(yaml, code, "0.23.1");
        let planned = planned(&borrowed(&project)).unwrap_or_else(|findings| panic!("{}", all(&findings)));
        let labels = planned.plan.export.map(|export| export.labels.added).unwrap_or_default();
        let of_cog = labels.into_iter().filter(|(key, _)| !key.value.ends_with("openapi_schema"));
        of_cog.map(|(key, text)| format!("{} = {text}\n", key.value)).collect::<String>()
    };
    let weights = of_313(
        "run: m.py:run\nmodel: r8.im/me/model\nweights:\n  - { name: a, target: /w/a, source: { uri: \
         hf://org/repo@v1, include: [\"*.bin\"] } }\n  - { name: b, target: /w/b, source: [{ uri: \
         file://./parts }] }\n",
    );
    let above = format!("import cog\n\n\n@cog.concurrent(max=4)\n{ASYNC}");
    insta::assert_snapshot!(of(yaml, ASYNC) + "\n" + &of(&weights, &above), @r#"
    run.cog.config = {"build":{"cuda":"13.0","cudnn":"9","gpu":true,"python_version":"3.13","run":["make",{"command":"make login","mounts":[{"id":"token","target":"/run/token","type":"secret"}]}],"sdk_version":"0.23.1","system_packages":["sox=14.4.2","ffmpeg"]},"environment":["A=b c"],"image":"r8.im/me/model:1","predict":"m.py:run"}
    run.cog.has_init = true
    run.cog.pip_freeze = cog==0.23.1
    six==1.17.0
    run.cog.version = 0.23.1

    run.cog.config = {"build":{"gpu":false,"python_version":"3.13","sdk_version":"0.23.1"},"concurrency":{"max":4},"model":"r8.im/me/model","predict":"m.py:run","weights":[{"name":"a","source":[{"include":["*.bin"],"uri":"hf://org/repo@v1"}],"target":"/w/a"},{"name":"b","source":[{"uri":"file://./parts"}],"target":"/w/b"}]}
    run.cog.pip_freeze = cog==0.23.1
    six==1.17.0
    run.cog.version = 0.23.1
    "#);
}
