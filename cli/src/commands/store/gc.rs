//! `cogpackc store gc`: throws away what nobody has asked for in a while.

use std::path::Path;
use std::time::{Duration, SystemTime};

use cogpack_io_store::Store;
use cogpack_io_store::gc::Keep;
use cogpack_io_store::usage::Holding;
use serde::Serialize;

use super::arguments::Rule;
use super::{JsonHolding, failed, print_json, shown};
use crate::DONE;
use crate::console::Console;
use crate::failure::Failure;
use crate::progress::text::{bytes, counted};
use crate::report::Format;

/// What stays where nobody says it.
const DEFAULT_DAYS: u32 = 30;
const DAY: u64 = 24 * 60 * 60;

/// Throws it away.
pub fn run(path: &Path, rule: &Rule, format: Format, console: &mut Console<'_>) -> Result<u8, Failure> {
    let days = match (rule.keep_days, rule.keep_bytes) {
        (None, None) => Some(DEFAULT_DAYS),
        (days, _) => days,
    };
    let before = |days: u32| SystemTime::now().checked_sub(Duration::from_secs(u64::from(days) * DAY));
    let keep = Keep { used_since: days.and_then(before), bytes: rule.keep_bytes.map(|bytes| bytes.0) };
    let collect = || {
        let store = Store::open_alone(path)?;
        let caches = if rule.caches { store.remove_caches()? } else { Holding::default() };
        let collected = store.collect(keep)?;
        Ok(Done { parts: collected.parts, blobs: collected.blobs, caches, kept: store.usage()?.total() })
    };
    let done = collect().map_err(|error| failed(&error))?;
    match format {
        Format::Text => console.data(done.sentence().as_bytes()),
        Format::Json => print_json(&done.document(path), console),
    }
    Ok(DONE)
}

/// What was done.
struct Done {
    parts: Holding,
    blobs: Holding,
    caches: Holding,
    /// How many bytes stay.
    kept: u64,
}

impl Done {
    fn sentence(&self) -> String {
        let kinds =
            [(self.parts.count, "filesystem"), (self.blobs.count, "file"), (self.caches.count, "cache")];
        let kinds = kinds.iter().filter(|(count, _)| *count > 0);
        let removed: Vec<String> = kinds.map(|(count, what)| counted(*count, what)).collect();
        let kept = bytes(self.kept);
        if removed.is_empty() {
            return format!("removed nothing; {kept} are kept\n");
        }
        let size = bytes(self.parts.bytes + self.blobs.bytes + self.caches.bytes);
        format!("removed {} ({size}); {kept} are kept\n", removed.join(", "))
    }

    fn document(&self, path: &Path) -> JsonCollected {
        JsonCollected {
            version: 1,
            store: shown(path),
            removed: JsonRemoved {
                parts: self.parts.into(),
                blobs: self.blobs.into(),
                caches: self.caches.into(),
            },
            kept_bytes: self.kept,
        }
    }
}

#[derive(Debug, Serialize)]
struct JsonCollected {
    version: u32,
    store: String,
    removed: JsonRemoved,
    kept_bytes: u64,
}

#[derive(Debug, Serialize)]
struct JsonRemoved {
    parts: JsonHolding,
    blobs: JsonHolding,
    caches: JsonHolding,
}
