//! Reads the config of an image: what plans know of it, and what layers it has.
//!
//! What a plan has no word for is left (the author, who made the base and not this image), except
//! where leaving it would change how the image runs: that is an error that names it. Build
//! triggers stand apart: a plan leaves them alone, and its author is told.

use std::collections::BTreeMap;

use cogpack_backends_contract::config_json::HistoryEntry;
use cogpack_content::Digest;
use cogpack_ir::plan::{EnvName, Healthcheck, HealthcheckTest, ImageConfig};
use serde::{Deserialize, Deserializer};

/// An image config as far as it is of use here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadConfig {
    /// The operating system.
    pub os: String,
    /// The processor architecture.
    pub architecture: String,
    /// The variant of the architecture.
    pub variant: Option<String>,
    /// What plans know.
    pub config: ImageConfig,
    /// Instructions for builders of Dockerfiles that start from it (`OnBuild`).
    pub triggers: Vec<String>,
    /// The digests of the uncompressed layers, lowest first.
    pub diff_ids: Vec<Digest>,
    /// How each layer came to be.
    pub history: Vec<HistoryEntry>,
}

/// Why a config cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It is no JSON, or has another form.
    #[error("it is no image config")]
    Json(#[from] serde_json::Error),
    /// A value that no plan can hold.
    #[error("its {what} `{value}` cannot be used: {reason}")]
    Value {
        /// Which property.
        what: &'static str,
        /// The value.
        value: String,
        /// The rule it breaks.
        reason: String,
    },
}

/// Null stands for what is left out, as Go's encoder writes it.
fn or_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(from: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

#[derive(Deserialize)]
struct Document {
    #[serde(default)]
    os: String,
    #[serde(default)]
    architecture: String,
    #[serde(default)]
    variant: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    config: RunConfig,
    rootfs: RootFs,
    #[serde(default, deserialize_with = "or_default")]
    history: Vec<HistoryDocument>,
}

#[derive(Deserialize)]
struct RootFs {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default, deserialize_with = "or_default")]
    diff_ids: Vec<String>,
}

#[derive(Deserialize)]
struct HistoryDocument {
    created: Option<String>,
    created_by: Option<String>,
    author: Option<String>,
    comment: Option<String>,
    #[serde(default)]
    empty_layer: bool,
}

impl From<HistoryDocument> for HistoryEntry {
    fn from(document: HistoryDocument) -> Self {
        let HistoryDocument { created, created_by, author, comment, empty_layer } = document;
        Self { created, created_by, author, comment, empty_layer }
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RunConfig {
    #[serde(default, deserialize_with = "or_default")]
    env: Vec<String>,
    #[serde(default, deserialize_with = "or_default")]
    working_dir: String,
    #[serde(default, deserialize_with = "or_default")]
    user: String,
    entrypoint: Option<Vec<String>>,
    cmd: Option<Vec<String>>,
    shell: Option<Vec<String>>,
    #[serde(default, deserialize_with = "or_default")]
    exposed_ports: BTreeMap<String, serde_json::Value>,
    #[serde(default, deserialize_with = "or_default")]
    volumes: BTreeMap<String, serde_json::Value>,
    #[serde(default, deserialize_with = "or_default")]
    labels: BTreeMap<String, String>,
    #[serde(default, deserialize_with = "or_default")]
    stop_signal: String,
    #[serde(default, deserialize_with = "or_default")]
    on_build: Vec<String>,
    healthcheck: Option<HealthcheckDocument>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct HealthcheckDocument {
    #[serde(default, deserialize_with = "or_default")]
    test: Vec<String>,
    #[serde(default)]
    interval: u64,
    #[serde(default)]
    timeout: u64,
    #[serde(default)]
    start_period: u64,
    #[serde(default)]
    start_interval: u64,
    #[serde(default)]
    retries: u32,
}

/// Reads a config.
pub fn read(bytes: &[u8]) -> Result<ReadConfig, ConfigError> {
    let mut document: Document = serde_json::from_slice(bytes)?;
    if document.rootfs.kind != "layers" {
        let reason = "only `layers` is defined".to_owned();
        return Err(ConfigError::Value {
            what: "kind of root filesystem",
            value: document.rootfs.kind,
            reason,
        });
    }
    let diff_ids = document.rootfs.diff_ids.into_iter().map(|text| checked("diff id", text.parse(), text));
    Ok(ReadConfig {
        os: document.os,
        architecture: document.architecture,
        variant: document.variant.filter(|variant| !variant.is_empty()),
        triggers: std::mem::take(&mut document.config.on_build),
        config: run_config(document.config)?,
        diff_ids: diff_ids.collect::<Result<_, _>>()?,
        history: document.history.into_iter().map(HistoryEntry::from).collect(),
    })
}

fn run_config(document: RunConfig) -> Result<ImageConfig, ConfigError> {
    let said = |text: String| (!text.is_empty()).then_some(text);
    let mut env: Vec<(EnvName, String)> = Vec::with_capacity(document.env.len());
    for variable in document.env {
        let (name, value) = variable.split_once('=').unwrap_or((&variable, ""));
        let name = checked("variable", EnvName::new(name), name.to_owned())?;
        // Of several settings of one variable a runtime takes the last.
        match env.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = value.to_owned(),
            None => env.push((name, value.to_owned())),
        }
    }
    let ports = document.exposed_ports.into_keys().map(|text| checked("port", text.parse(), text));
    Ok(ImageConfig {
        env,
        workdir: said(document.working_dir),
        user: said(document.user),
        entrypoint: document.entrypoint.filter(|argv| !argv.is_empty()),
        cmd: document.cmd.filter(|argv| !argv.is_empty()),
        shell: document.shell.filter(|argv| !argv.is_empty()),
        ports: ports.collect::<Result<_, _>>()?,
        volumes: document.volumes.into_keys().collect(),
        labels: document.labels,
        stop_signal: said(document.stop_signal),
        healthcheck: document.healthcheck.map(healthcheck).transpose()?.flatten(),
    })
}

fn healthcheck(document: HealthcheckDocument) -> Result<Option<Healthcheck>, ConfigError> {
    let test = match document.test.split_first() {
        // Docker's word for "as the base has it", which here is nothing.
        None => return Ok(None),
        Some((kind, [])) if kind == "NONE" => HealthcheckTest::None,
        Some((kind, argv)) if kind == "CMD" && !argv.is_empty() => HealthcheckTest::Exec(argv.to_vec()),
        Some((kind, [script])) if kind == "CMD-SHELL" => HealthcheckTest::Shell(script.clone()),
        Some(_) => {
            let reason = "it must be `NONE`, `CMD` with arguments or `CMD-SHELL` with a script".to_owned();
            return Err(ConfigError::Value { what: "health check", value: document.test.join(" "), reason });
        }
    };
    if document.start_interval > 0 {
        let value = format!("{} ns", document.start_interval);
        let reason = "plans have no word for it".to_owned();
        return Err(ConfigError::Value { what: "health check start interval", value, reason });
    }
    Ok(Some(Healthcheck {
        test,
        interval: seconds("health check interval", document.interval)?,
        timeout: seconds("health check timeout", document.timeout)?,
        start_period: seconds("health check start period", document.start_period)?,
        retries: (document.retries > 0).then_some(document.retries),
    }))
}

/// Whole seconds of a number of nanoseconds; nothing where it is 0, which means the default.
fn seconds(what: &'static str, nanoseconds: u64) -> Result<Option<u64>, ConfigError> {
    const SECOND: u64 = 1_000_000_000;
    if !nanoseconds.is_multiple_of(SECOND) {
        let reason = "plans hold whole seconds".to_owned();
        return Err(ConfigError::Value { what, value: format!("{nanoseconds} ns"), reason });
    }
    Ok((nanoseconds > 0).then_some(nanoseconds / SECOND))
}

fn checked<T, E: std::fmt::Display>(
    what: &'static str,
    parsed: Result<T, E>,
    value: String,
) -> Result<T, ConfigError> {
    parsed.map_err(|error| ConfigError::Value { what, value, reason: error.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_config_of_dockers_is_understood() {
        let digest = Digest::of(b"layer");
        let text = format!(
            r#"{{
              "architecture": "arm64", "os": "linux", "variant": "v8",
              "config": {{
                "Env": ["PATH=/bin", "EMPTY=", "A=b=c", "PATH=/usr/bin"],
                "WorkingDir": "/src", "User": "", "Entrypoint": null, "Cmd": ["sh"],
                "ExposedPorts": {{"80/tcp": {{}}}}, "Volumes": {{"/data": {{}}}}, "Labels": null,
                "StopSignal": "SIGINT", "OnBuild": ["RUN make"], "Image": "sha256:0",
                "Healthcheck": {{"Test": ["CMD-SHELL", "true"], "Interval": 30000000000, "Retries": 3}}
              }},
              "rootfs": {{"type": "layers", "diff_ids": ["{digest}"]}},
              "history": [{{"created_by": "x", "empty_layer": true}}, {{}}]
            }}"#
        );
        let read = read(text.as_bytes()).expect("is a config");
        let env: Vec<_> =
            read.config.env.iter().map(|(name, value)| format!("{}={value}", name.as_str())).collect();
        assert_eq!(env, ["PATH=/usr/bin", "EMPTY=", "A=b=c"]);
        assert_eq!((read.os.as_str(), read.variant.as_deref()), ("linux", Some("v8")));
        assert_eq!(read.config.workdir.as_deref(), Some("/src"));
        assert_eq!((&read.config.user, &read.config.entrypoint), (&None, &None));
        assert_eq!(read.config.ports.iter().map(ToString::to_string).collect::<Vec<_>>(), ["80/tcp"]);
        assert_eq!(read.triggers, ["RUN make"]);
        assert_eq!(read.diff_ids, [digest]);
        assert_eq!(read.history.len(), 2);
        let healthcheck = read.config.healthcheck.expect("has one");
        assert_eq!(healthcheck.test, HealthcheckTest::Shell("true".to_owned()));
        assert_eq!(
            (healthcheck.interval, healthcheck.timeout, healthcheck.retries),
            (Some(30), None, Some(3))
        );
    }

    #[test]
    fn what_a_plan_cannot_hold_is_named() {
        let refused = |config: &str| {
            let text = format!(r#"{{"config": {config}, "rootfs": {{"type": "layers"}}}}"#);
            read(text.as_bytes()).expect_err("cannot be held").to_string()
        };
        assert!(refused(r#"{"Env": ["A B=c"]}"#).contains("`A B`"));
        assert!(refused(r#"{"ExposedPorts": {"80-90/tcp": {}}}"#).contains("`80-90/tcp`"));
        assert!(refused(r#"{"Healthcheck": {"Test": ["CMD", "a"], "Interval": 1}}"#).contains("interval"));
        assert!(refused(r#"{"Healthcheck": {"Test": ["X"]}}"#).contains("`X`"));
        assert!(read(b"[]").is_err() && read(b"{}").is_err());
    }
}
