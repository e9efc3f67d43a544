//! Base images and the part of their config that a plan knows.

use super::reader::At;
use super::tree::ObjectWriter;
use crate::plan::{BaseImage, EnvName, Healthcheck, HealthcheckTest, ImageConfig, Span};

pub(super) fn write(image: &BaseImage) -> ObjectWriter {
    let mut object = ObjectWriter::tagged("reference", image.reference.as_str());
    object.put_some("digest", image.digest.as_ref().map(|digest| digest.to_string()));
    object.put_some("config", image.config.as_ref().map(write_config));
    object
}

pub(super) fn read(at: &At<'_>, span: Span) -> Option<BaseImage> {
    let mut fields = at.fields()?;
    let reference = fields.required("reference", |at| Some(at.spanned(at.parsed()?)));
    let digest = fields.optional("digest", |at| Some(at.spanned(at.parsed()?)));
    let config = fields.optional("config", read_config);
    fields.close();
    Some(BaseImage { reference: reference?, digest, config, span })
}

/// A config that is known and says nothing is an empty object; one that is not known is absent.
fn write_config(config: &ImageConfig) -> ObjectWriter {
    let mut object = ObjectWriter::new();
    object.put_list(
        "env",
        config.env.iter().map(|(name, value)| {
            let mut setting = ObjectWriter::tagged("name", name.as_str());
            setting.put("value", value.as_str());
            setting
        }),
    );
    object.put_some("workdir", config.workdir.as_deref());
    object.put_some("user", config.user.as_deref());
    object.put_some("entrypoint", config.entrypoint.clone());
    object.put_some("cmd", config.cmd.clone());
    object.put_some("shell", config.shell.clone());
    object.put_list("ports", config.ports.iter().map(|port| port.to_string()));
    object.put_list("volumes", config.volumes.iter().map(|volume| volume.as_str()));
    object.put_entries("labels", config.labels.iter().map(|(key, value)| (key, value.as_str())));
    object.put_some("stop-signal", config.stop_signal.as_deref());
    object.put_some("healthcheck", config.healthcheck.as_ref().map(write_healthcheck));
    object
}

fn read_config(at: &At<'_>) -> Option<ImageConfig> {
    let mut fields = at.fields()?;
    let config = ImageConfig {
        env: fields.list("env", read_variable),
        workdir: fields.optional("workdir", At::owned_text),
        user: fields.optional("user", At::owned_text),
        entrypoint: fields.optional("entrypoint", At::texts),
        cmd: fields.optional("cmd", At::texts),
        shell: fields.optional("shell", At::texts),
        ports: fields.optional("ports", |at| at.set(At::parsed)).unwrap_or_default(),
        volumes: fields.optional("volumes", |at| at.set(At::owned_text)).unwrap_or_default(),
        labels: fields.optional("labels", At::texts_by_key).unwrap_or_default(),
        stop_signal: fields.optional("stop-signal", At::owned_text),
        healthcheck: fields.optional("healthcheck", read_healthcheck),
    };
    fields.close();
    Some(config)
}

/// One of a list of variables: a list, because the order is part of every cache key of a build.
fn read_variable(at: &At<'_>) -> Option<(EnvName, String)> {
    let mut fields = at.fields()?;
    let name = fields.required("name", |at| at.checked(EnvName::new));
    let value = fields.required("value", At::owned_text);
    fields.close();
    Some((name?, value?))
}

#[derive(Clone, Copy)]
enum Tag {
    None,
    Exec,
    Shell,
}

const TAGS: [(&str, Tag); 3] = [("none", Tag::None), ("exec", Tag::Exec), ("shell", Tag::Shell)];

pub(super) fn write_healthcheck(check: &Healthcheck) -> ObjectWriter {
    let mut object = match &check.test {
        HealthcheckTest::None => ObjectWriter::tagged("test", "none"),
        HealthcheckTest::Exec(argv) => {
            let mut object = ObjectWriter::tagged("test", "exec");
            object.put("argv", argv.clone());
            object
        }
        HealthcheckTest::Shell(script) => {
            let mut object = ObjectWriter::tagged("test", "shell");
            object.put("script", script.as_str());
            object
        }
    };
    object.put_some("interval", check.interval);
    object.put_some("timeout", check.timeout);
    object.put_some("start-period", check.start_period);
    object.put_some("retries", check.retries.map(u64::from));
    object
}

pub(super) fn read_healthcheck(at: &At<'_>) -> Option<Healthcheck> {
    let mut fields = at.fields()?;
    let test = match fields.required("test", |at| at.word(&TAGS))? {
        Tag::None => Some(HealthcheckTest::None),
        Tag::Exec => fields.required("argv", At::texts).map(HealthcheckTest::Exec),
        Tag::Shell => fields.required("script", At::owned_text).map(HealthcheckTest::Shell),
    };
    let interval = fields.optional("interval", At::whole);
    let timeout = fields.optional("timeout", At::whole);
    let start_period = fields.optional("start-period", At::whole);
    let retries = fields.optional("retries", At::whole_of_32_bits);
    fields.close();
    Some(Healthcheck { test: test?, interval, timeout, start_period, retries })
}
