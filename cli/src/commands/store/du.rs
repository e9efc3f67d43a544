//! `cogpackc store du`: what is kept, and how much of the disk it takes.

use std::path::Path;

use cogpack_io_store::Store;
use cogpack_io_store::usage::Usage;
use serde::Serialize;

use super::{JsonHolding, failed, print_json, shown};
use crate::DONE;
use crate::console::Console;
use crate::failure::Failure;
use crate::progress::text::bytes;
use crate::report::Format;

/// Tells it.
pub fn run(path: &Path, format: Format, console: &mut Console<'_>) -> Result<u8, Failure> {
    let usage = Store::open_there(path).and_then(|store| store.usage()).map_err(|error| failed(&error))?;
    match format {
        Format::Text => console.data(table(&usage).as_bytes()),
        Format::Json => print_json(&JsonUsage::of(path, &usage), console),
    }
    Ok(DONE)
}

fn table(usage: &Usage) -> String {
    let mut text = String::new();
    for (what, holding) in [
        ("filesystems of layers and programs", usage.parts),
        ("packages and packed layers", usage.blobs),
        ("directories of cache mounts", usage.caches),
        ("being made", usage.work),
    ] {
        text.push_str(&format!("{:>10}  {:>7}  {what}\n", bytes(holding.bytes), holding.count));
    }
    text.push_str(&format!("{:>10}  {:>7}  in all\n", bytes(usage.total()), ""));
    text
}

#[derive(Debug, Serialize)]
struct JsonUsage {
    version: u32,
    store: String,
    parts: JsonHolding,
    blobs: JsonHolding,
    caches: JsonHolding,
    work: JsonHolding,
    bytes: u64,
}

impl JsonUsage {
    fn of(path: &Path, usage: &Usage) -> Self {
        Self {
            version: 1,
            store: shown(path),
            parts: usage.parts.into(),
            blobs: usage.blobs.into(),
            caches: usage.caches.into(),
            work: usage.work.into(),
            bytes: usage.total(),
        }
    }
}
