//! What `run` and `exec` are given for themselves alone; its keys stand beside the op's own.

use super::mount::{self, template};
use super::reader::{At, Fields};
use super::tree::ObjectWriter;
use crate::plan::{EnvName, EnvSetting, Execution, Network};

const NETWORKS: [(&str, Network); 3] =
    [("default", Network::Default), ("none", Network::None), ("host", Network::Host)];

pub(super) fn write(execution: &Execution, object: &mut ObjectWriter) {
    object.put_list("mounts", execution.mounts.iter().map(mount::write));
    let network = match execution.network {
        Network::Default => None,
        Network::None => Some("none"),
        Network::Host => Some("host"),
    };
    object.put_some("network", network);
    object.put_some("user", execution.user.as_ref().map(|user| user.as_written()));
    object.put_list("env", execution.env.iter().map(write_setting));
    object.put_some("workdir", execution.workdir.as_ref().map(|workdir| workdir.as_written()));
}

pub(super) fn read(fields: &mut Fields<'_>) -> Execution {
    Execution {
        mounts: fields.list("mounts", mount::read),
        network: fields.optional("network", |at| at.word(&NETWORKS)).unwrap_or_default(),
        user: fields.optional("user", template),
        env: fields.list("env", read_setting),
        workdir: fields.optional("workdir", template),
    }
}

fn write_setting(setting: &EnvSetting) -> ObjectWriter {
    let mut object = ObjectWriter::tagged("name", setting.name.as_str());
    object.put("value", setting.value.as_written());
    object
}

fn read_setting(at: &At<'_>) -> Option<EnvSetting> {
    let mut fields = at.fields()?;
    let name = fields.required("name", |at| Some(at.spanned(at.checked(EnvName::new)?)));
    let value = fields.required("value", template);
    fields.close();
    Some(EnvSetting { name: name?, value: value?, span: at.span() })
}
