//! The config of the exported image: what its base says, what the plan's ops leave, and what
//! `export` makes of it.

use std::collections::BTreeSet;

use cogpack_ir::plan::export::without_places;
use cogpack_ir::plan::{Healthcheck, ImageConfig, Listing, Setting, Span, Spanned, volume};
use cogpack_ir::resolve::{EnvValue, Resolved, State};

use crate::Unsupported;

/// The config of the image that `plan` exports. Refused, for `backend`, where a variable leans
/// on a base whose config is not known: then nobody but a builder that reads the base can say it.
/// Lists that are empty count as not set.
pub fn image_config(plan: &Resolved, backend: &'static str) -> Result<ImageConfig, Vec<Unsupported>> {
    let export = plan.export();
    let state: &State = plan.state_of(&export.from.value);
    let mut env = Vec::with_capacity(state.env.len());
    let mut open = Vec::new();
    for (name, value) in state.env.iter() {
        match value {
            EnvValue::Known(value) => env.push((name.clone(), value.to_string())),
            EnvValue::Open => open.push(open_variable(backend, name.as_str(), export.from.span)),
        }
    }
    if open.is_empty() { Ok(ImageConfig { env, ..settings(plan) }) } else { Err(open) }
}

/// The same without the environment, which needs no base to be known.
pub fn settings(plan: &Resolved) -> ImageConfig {
    let export = plan.export();
    let state: &State = plan.state_of(&export.from.value);
    let inherited = &state.inherited;
    ImageConfig {
        env: Vec::new(),
        workdir: set_text(&export.workdir, state.workdir.as_deref()),
        user: set_text(&export.user, state.user.as_deref()),
        entrypoint: set_list(&export.entrypoint, inherited.entrypoint.as_ref()),
        cmd: set_list(&export.cmd, inherited.cmd.as_ref()),
        shell: shell(state),
        ports: united(&export.ports, &inherited.ports),
        volumes: {
            // A base may write the path of one in another way.
            let mut volumes = united(&export.volumes, &inherited.volumes);
            let is_of_base = |path: &String| {
                let form = volume::one_form(path);
                inherited.volumes.iter().any(|of_base| volume::one_form(of_base) == form)
            };
            if export.volumes.cleared.is_none() {
                volumes.retain(|path| inherited.volumes.contains(path) || !is_of_base(path));
            }
            volumes
        },
        labels: {
            let mut labels =
                if export.labels.cleared.is_some() { Default::default() } else { inherited.labels.clone() };
            labels.extend(without_places(&export.labels.added));
            labels
        },
        stop_signal: set_text(&export.stop_signal, inherited.stop_signal.as_deref()),
        healthcheck: match &export.healthcheck {
            Setting::Inherit => inherited.healthcheck.clone(),
            Setting::Clear(_) => None::<Healthcheck>,
            Setting::Set(check) => Some(check.value.clone()),
        },
    }
}

/// The refusal of a variable, or of a text, whose value is not known.
pub fn open_variable(backend: &'static str, name_or_text: &str, span: Span) -> Unsupported {
    Unsupported {
        backend,
        code: "cpk::unsupported::open-variable",
        what: format!("`{name_or_text}` leans on a variable of a base image whose config is not known"),
        span,
        help: "write the base's `env` under its `image` line, or write the value without `${…}`".to_owned(),
    }
}

/// What the config records as the shell of later builds: the base's own word where the plan
/// leaves it in force, so that an image that says nothing goes on saying nothing.
fn shell(state: &State) -> Option<Vec<String>> {
    let of_base = state.inherited.shell.as_deref();
    let unchanged = match of_base {
        Some(shell) => shell == &*state.shell,
        None => State::DEFAULT_SHELL.iter().eq(state.shell.iter()),
    };
    if unchanged { of_base.map(<[String]>::to_vec) } else { Some(state.shell.to_vec()) }
}

fn set_text(setting: &Setting<String>, otherwise: Option<&str>) -> Option<String> {
    match setting {
        Setting::Inherit => otherwise.map(str::to_owned),
        Setting::Clear(_) => None,
        Setting::Set(text) => Some(text.value.clone()),
    }
}

fn set_list(setting: &Setting<Vec<String>>, otherwise: Option<&Vec<String>>) -> Option<Vec<String>> {
    let list = match setting {
        Setting::Inherit => otherwise,
        Setting::Clear(_) => None,
        Setting::Set(list) => Some(&list.value),
    };
    list.filter(|list| !list.is_empty()).cloned()
}

fn united<T: Ord + Clone>(listing: &Listing<BTreeSet<Spanned<T>>>, inherited: &BTreeSet<T>) -> BTreeSet<T> {
    let kept = if listing.cleared.is_some() { None } else { Some(inherited) };
    let added = listing.added.iter().map(|entry| &entry.value);
    kept.into_iter().flatten().chain(added).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config_json::to_json;
    use crate::sketch::resolved;

    /// The `config` object of the exported image.
    fn exported(image: &str, ops: &str, export: &str) -> String {
        let plan = resolved(&format!(
            "cpk 1\nimage @base = \"debian\" {image}\n\
             stage %app from image @base {{ {ops} }} export from %app {{ {export} }}"
        ));
        match image_config(&plan, "test") {
            Ok(config) => {
                let platform = "linux/amd64".parse().expect("is a platform");
                let json = String::from_utf8(to_json(&config, &platform, None)).expect("JSON is UTF-8");
                let start = json.find("\"config\":").expect("there is a config") + "\"config\":".len();
                json[start..json.len() - 1].to_owned()
            }
            Err(gaps) => gaps.into_iter().map(|gap| gap.what).collect::<Vec<_>>().join("; "),
        }
    }

    #[test]
    fn the_export_overrides_what_ops_and_base_say() {
        for (image, ops, export, expected) in [
            ("config empty", "", "", "{}"),
            (
                r#"env A = "1" env B = "2""#,
                r#"env C = "3" env A = "${A}0" unset B"#,
                "",
                r#"{"Env":["A=10","C=3"]}"#,
            ),
            (r#"user "a" workdir "/a""#, "", "", r#"{"User":"a","WorkingDir":"/a"}"#),
            (r#"user "a""#, r#"user "b""#, "", r#"{"User":"b"}"#),
            (r#"user "a""#, r#"user "b""#, r#"user "c""#, r#"{"User":"c"}"#),
            (r#"user "a""#, r#"user "b""#, "clear user", "{}"),
            (r#"cmd ["a"]"#, "", r#"entrypoint ["b"]"#, r#"{"Entrypoint":["b"],"Cmd":["a"]}"#),
            (r#"cmd ["a"]"#, "", "clear cmd", "{}"),
            ("expose 1/tcp", "", "expose 2/udp", r#"{"ExposedPorts":{"1/tcp":{},"2/udp":{}}}"#),
            ("expose 1/tcp", "", "clear ports expose 2/udp", r#"{"ExposedPorts":{"2/udp":{}}}"#),
            (r#"volume "/a/""#, "", r#"volume "/a" volume "/b/""#, r#"{"Volumes":{"/a/":{},"/b/":{}}}"#),
            (r#"volume "/a/""#, "", r#"clear volumes volume "/a""#, r#"{"Volumes":{"/a":{}}}"#),
            (r#"label a = "1""#, "", r#"label a = "2" label b = "3""#, r#"{"Labels":{"a":"2","b":"3"}}"#),
            (r#"label a = "1""#, "", "clear labels", "{}"),
            (r#"shell ["x"]"#, "", "", r#"{"Shell":["x"]}"#),
            (r#"shell ["x"]"#, r#"shell ["/bin/sh", "-c"]"#, "", r#"{"Shell":["/bin/sh","-c"]}"#),
            ("config empty", r#"shell ["/bin/sh", "-c"]"#, "", "{}"),
            ("config empty", r#"shell ["y"]"#, "", r#"{"Shell":["y"]}"#),
            (
                "",
                r#"env prepend PATH "/a" env A = "1""#,
                "",
                "`PATH` leans on a variable of a base image whose config is not known",
            ),
        ] {
            assert_eq!(exported(image, ops, export), expected, "{image} | {ops} | {export}");
        }
    }
}
