//! An image config in the JSON of the OCI image specification, with Docker's `Healthcheck` and
//! `Shell` beside what that knows. Keys have one order, and what says nothing is left out.

use std::collections::BTreeMap;

use cogpack_content::{Digest, Platform};
use cogpack_ir::plan::{Healthcheck, HealthcheckTest, ImageConfig};
use serde::Serialize;

/// What only the one who has made the layers can say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assembled {
    /// When, in the form of RFC 3339.
    pub created: String,
    /// The digests of the uncompressed layers, lowest first.
    pub diff_ids: Vec<Digest>,
    /// What was done, lowest first: one entry for each layer, others marked as empty.
    pub history: Vec<HistoryEntry>,
}

/// One line of an image's history.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct HistoryEntry {
    /// When, in the form of RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// What was done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
    /// Who made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// A remark.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// Whether it made no layer.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub empty_layer: bool,
}

/// The config as JSON. Without `assembled`, what a daemon takes and completes.
pub fn to_json(config: &ImageConfig, platform: &Platform, assembled: Option<&Assembled>) -> Vec<u8> {
    let document = Document {
        created: assembled.map(|assembled| assembled.created.as_str()),
        architecture: platform.architecture(),
        os: platform.os(),
        variant: platform.variant(),
        config: Settings::of(config),
        rootfs: assembled.map(|assembled| RootFs {
            kind: "layers",
            diff_ids: assembled.diff_ids.iter().map(Digest::to_string).collect(),
        }),
        history: assembled.map_or(&[], |assembled| &assembled.history),
    };
    // Writing to memory does not fail, and every key is a text.
    serde_json::to_vec(&document).expect("texts, numbers and lists can be written as JSON")
}

#[derive(Serialize)]
struct Document<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    created: Option<&'a str>,
    architecture: &'a str,
    os: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    variant: Option<&'a str>,
    config: Settings<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rootfs: Option<RootFs>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    history: &'a [HistoryEntry],
}

#[derive(Serialize)]
struct RootFs {
    #[serde(rename = "type")]
    kind: &'static str,
    diff_ids: Vec<String>,
}

/// An object without keys: how sets are written.
#[derive(Serialize)]
struct Present {}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Settings<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<&'a str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    exposed_ports: BTreeMap<String, Present>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    env: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    entrypoint: Option<&'a [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cmd: Option<&'a [String]>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    volumes: BTreeMap<&'a str, Present>,
    #[serde(skip_serializing_if = "Option::is_none")]
    working_dir: Option<&'a str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    labels: &'a BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stop_signal: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    healthcheck: Option<Check>,
    #[serde(skip_serializing_if = "Option::is_none")]
    shell: Option<&'a [String]>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Check {
    test: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    interval: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timeout: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_period: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retries: Option<u32>,
}

impl<'a> Settings<'a> {
    fn of(config: &'a ImageConfig) -> Self {
        let filled = |list: &'a Option<Vec<String>>| list.as_deref().filter(|list| !list.is_empty());
        Self {
            user: config.user.as_deref(),
            exposed_ports: config.ports.iter().map(|port| (port.to_string(), Present {})).collect(),
            env: config.env.iter().map(|(name, value)| format!("{}={value}", name.as_str())).collect(),
            entrypoint: filled(&config.entrypoint),
            cmd: filled(&config.cmd),
            volumes: config.volumes.iter().map(|volume| (volume.as_str(), Present {})).collect(),
            working_dir: config.workdir.as_deref(),
            labels: &config.labels,
            stop_signal: config.stop_signal.as_deref(),
            healthcheck: config.healthcheck.as_ref().map(Check::of),
            shell: filled(&config.shell),
        }
    }
}

impl Check {
    fn of(check: &Healthcheck) -> Self {
        // Docker counts in nanoseconds, and nought is its word for nothing said. A number too
        // large for them is no time anybody waits.
        let nanoseconds = |seconds: Option<u64>| {
            seconds.filter(|seconds| *seconds > 0).map(|seconds| seconds.saturating_mul(1_000_000_000))
        };
        Self {
            test: match &check.test {
                HealthcheckTest::None => vec!["NONE".to_owned()],
                HealthcheckTest::Exec(argv) => {
                    std::iter::once("CMD".to_owned()).chain(argv.iter().cloned()).collect()
                }
                HealthcheckTest::Shell(script) => vec!["CMD-SHELL".to_owned(), script.clone()],
            },
            interval: nanoseconds(check.interval),
            timeout: nanoseconds(check.timeout),
            start_period: nanoseconds(check.start_period),
            retries: check.retries.filter(|retries| *retries > 0),
        }
    }
}

#[cfg(test)]
mod tests {
    use cogpack_ir::plan::EnvName;

    use super::*;

    fn written(config: &ImageConfig, assembled: Option<&Assembled>) -> String {
        let platform = "linux/arm/v7".parse().expect("is a platform");
        String::from_utf8(to_json(config, &platform, assembled)).expect("JSON is UTF-8")
    }

    #[test]
    fn what_says_nothing_is_left_out() {
        let config = ImageConfig { cmd: Some(Vec::new()), ..ImageConfig::default() };
        assert_eq!(
            written(&config, None),
            r#"{"architecture":"arm","os":"linux","variant":"v7","config":{}}"#
        );
    }

    #[test]
    fn everything_has_its_place() {
        let list = |items: &[&str]| Some(items.iter().map(|item| (*item).to_owned()).collect());
        let config = ImageConfig {
            env: vec![(EnvName::new("PATH").expect("is a name"), "/a=\"b\"".to_owned())],
            workdir: Some("/src".to_owned()),
            user: Some("app".to_owned()),
            entrypoint: list(&["tini", "--"]),
            cmd: list(&["python"]),
            shell: list(&["/bin/bash", "-c"]),
            ports: ["53/udp", "5000/tcp"].iter().flat_map(|port| port.parse()).collect(),
            volumes: ["/data".to_owned()].into(),
            labels: [("b".to_owned(), "2".to_owned()), ("a".to_owned(), "1".to_owned())].into(),
            stop_signal: Some("SIGINT".to_owned()),
            healthcheck: Some(Healthcheck {
                test: HealthcheckTest::Shell("true".to_owned()),
                interval: Some(30),
                timeout: None,
                start_period: None,
                retries: Some(3),
            }),
        };
        let assembled = Assembled {
            created: "1970-01-01T00:00:00Z".to_owned(),
            diff_ids: vec![Digest::of(b"")],
            history: vec![HistoryEntry { empty_layer: true, ..HistoryEntry::default() }],
        };
        let expected = concat!(
            r#"{"created":"1970-01-01T00:00:00Z","architecture":"arm","os":"linux","variant":"v7","config":{"#,
            r#""User":"app","ExposedPorts":{"5000/tcp":{},"53/udp":{}},"Env":["PATH=/a=\"b\""],"#,
            r#""Entrypoint":["tini","--"],"Cmd":["python"],"Volumes":{"/data":{}},"WorkingDir":"/src","#,
            r#""Labels":{"a":"1","b":"2"},"StopSignal":"SIGINT","#,
            r#""Healthcheck":{"Test":["CMD-SHELL","true"],"Interval":30000000000,"Retries":3},"#,
            r#""Shell":["/bin/bash","-c"]},"rootfs":{"type":"layers","diff_ids":["#,
            r#""sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"]},"#,
            r#""history":[{"empty_layer":true}]}"#,
        );
        assert_eq!(written(&config, Some(&assembled)), expected);
    }
}
