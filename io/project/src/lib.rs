//! Reads plans and walks the directories they name.

mod glob;

pub mod context_files;
pub mod eject;
pub mod files;
pub mod ignore_file;
pub mod plan_file;
pub mod walk;
