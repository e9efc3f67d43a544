//! What of a project is asked for before its packages are looked at.
//!
//! Planning starts again with each answer that it still needs, and a lock may be megabytes of text. So the
//! directories and the Python files that have nothing to do with packages are known before one is parsed.

use cogpack_frontends_cog_yaml::{CogYaml, read};
use cogpack_frontends_python::project::settings;
use cogpack_frontends_source::{Source, SourcePath, Unread};

use super::facts::schemas;
use super::said::{beside, run_of};
use crate::stacks::{Request, text};

/// Asks for them. What is wrong with them is found where they are used.
pub(super) fn ask(source: &Source, request: &Request) -> Result<(), Unread> {
    let names = [SourcePath::root(), beside("src")].map(|directory| source.names(&directory).map(drop));
    let asked = names.into_iter().chain([of_model(source, request)]).filter_map(Result::err);
    asked.reduce(Unread::and).map_or(Ok(()), Err)
}

/// The Python files that say what a model takes.
fn of_model(source: &Source, request: &Request) -> Result<(), Unread> {
    if request.openapi_schema.is_some() {
        return Ok(());
    }
    let cog_yaml = request.config.path();
    let cog = match text(source, cog_yaml)? {
        Ok(Some(text)) => {
            let read = read(cog_yaml, text, request.strictness);
            read.map_or_else(|refused| refused.readable, |(cog, _)| cog)
        }
        Ok(None) => CogYaml { run: run_of(&settings(&SourcePath::root(), source)?), ..CogYaml::default() },
        Err(_) => CogYaml::default(),
    };
    schemas(source, cog_yaml, &cog).map(drop)
}
