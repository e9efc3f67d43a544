//! `cogpackc catalogue list`: the base images that are known.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use cogpack_catalogue::{Catalogue, Entry, Listed};
use serde::Serialize;

use crate::console::Console;
use crate::failure::Failure;
use crate::report::{Format, json};
use crate::{DONE, FINDINGS, catalogues};

/// Lists them.
pub fn run(named: &[PathBuf], format: Format, console: &mut Console<'_>) -> Result<u8, Failure> {
    let Some((known, named)) = catalogues::all(named, format, console)? else { return Ok(FINDINGS) };
    let catalogue = match named {
        Some(named) => known.with(named),
        None => known,
    };
    let text = match format {
        Format::Text => table(&catalogue),
        Format::Json => json::text(&List { version: json::VERSION, images: images(&catalogue) }),
    };
    console.data(text.as_bytes());
    Ok(DONE)
}

/// A line an image: what it is, what is in it, and where it is listed.
fn table(catalogue: &Catalogue) -> String {
    let line = |listed: &Listed| {
        let Entry { reference, os, python, cuda, cudnn, extent, .. } = &listed.entry;
        let mut has = vec![os.to_string()];
        has.extend(python.as_ref().map(|python| format!("Python {}", python.version)));
        has.extend(cuda.as_ref().map(|version| format!("CUDA {version}")));
        has.extend(cudnn.as_ref().map(|version| format!("cuDNN {version}")));
        (reference.to_string(), extent.word(), has.join(", "), listed.origin.file.clone())
    };
    let lines: Vec<_> = catalogue.images().iter().map(line).collect();
    let width = lines.iter().map(|(name, ..)| name.len()).max().unwrap_or_default();
    let text =
        lines.iter().map(|(name, extent, has, file)| format!("{name:width$}  {extent:11}  {has} ({file})\n"));
    text.collect()
}

#[derive(Debug, Serialize)]
struct List {
    version: u32,
    images: Vec<Image>,
}

#[derive(Debug, Serialize)]
struct Image {
    reference: String,
    digest: Option<String>,
    platforms: Vec<String>,
    roles: Vec<&'static str>,
    extent: &'static str,
    os: Os,
    python: Option<Python>,
    cuda: Option<String>,
    cudnn: Option<String>,
    packages: BTreeMap<String, String>,
    lacks: BTreeSet<String>,
    env: BTreeMap<String, String>,
    config: Option<String>,
    file: String,
    line: usize,
}

#[derive(Debug, Serialize)]
struct Os {
    id: String,
    version: String,
    codename: Option<String>,
}

#[derive(Debug, Serialize)]
struct Python {
    version: String,
    interpreter: String,
    prefix: String,
    venv: Option<String>,
}

fn images(catalogue: &Catalogue) -> Vec<Image> {
    let image = |listed: &Listed| {
        let Entry {
            reference,
            digest,
            platforms,
            roles,
            extent,
            os,
            python,
            cuda,
            cudnn,
            packages,
            lacks,
            env,
            config,
        } = listed.entry.clone();
        Image {
            reference: reference.to_string(),
            digest: digest.map(|digest| digest.to_string()),
            platforms: platforms.iter().map(ToString::to_string).collect(),
            roles: roles.iter().map(|role| role.word()).collect(),
            extent: extent.word(),
            os: Os { id: os.id, version: os.version, codename: os.codename },
            python: python.map(|python| Python {
                version: python.version.to_string(),
                interpreter: python.interpreter,
                prefix: python.prefix,
                venv: python.venv,
            }),
            cuda: cuda.map(|version| version.to_string()),
            cudnn: cudnn.map(|version| version.to_string()),
            packages,
            lacks,
            env,
            config: config.as_ref().map(cogpack_catalogue::config::text),
            file: listed.origin.file.clone(),
            line: listed.origin.line,
        }
    };
    catalogue.images().iter().map(image).collect()
}
