//! `cogpackc store verify`: whether all that is kept is as it was made.

use std::path::Path;

use cogpack_io_store::Store;
use cogpack_io_store::verify::Fault;
use serde::Serialize;

use super::{failed, print_json, shown};
use crate::console::Console;
use crate::failure::Failure;
use crate::report::Format;
use crate::{DONE, FINDINGS};

/// Finds out; with `repair`, what is damaged is taken away.
pub fn run(path: &Path, repair: bool, format: Format, console: &mut Console<'_>) -> Result<u8, Failure> {
    let look = || {
        if !repair {
            return Ok((Store::open_there(path)?.faults()?, Vec::new()));
        }
        let store = Store::open_alone(path)?;
        let (mended, left): (Vec<Fault>, Vec<Fault>) =
            store.faults()?.into_iter().partition(Fault::is_mended_by_removal);
        store.mend(&mended)?;
        Ok((left, mended))
    };
    let (faults, mended) = look().map_err(|error| failed(&error))?;
    let texts = |faults: &[Fault]| faults.iter().map(ToString::to_string).collect::<Vec<_>>();
    match format {
        Format::Json => {
            let report = JsonReport {
                version: 1,
                store: shown(path),
                faults: texts(&faults),
                removed: texts(&mended),
            };
            print_json(&report, console);
        }
        Format::Text => {
            for fault in &mended {
                console.data(format!("removed: {fault}\n").as_bytes());
            }
            for fault in &faults {
                console.data(format!("{fault}\n").as_bytes());
            }
            if faults.is_empty() {
                console.say("all that is kept is as it was made");
            } else if faults.iter().any(Fault::is_mended_by_removal) {
                console.say("\nhint: `cogpackc store verify --repair` takes away what is damaged, and builds make it anew");
            }
        }
    }
    Ok(if faults.is_empty() { DONE } else { FINDINGS })
}

#[derive(Debug, Serialize)]
struct JsonReport {
    version: u32,
    store: String,
    faults: Vec<String>,
    removed: Vec<String>,
}
