//! Reads plans and walks the directories they name.

mod glob;

pub mod files;
pub mod ignore_file;
