//! Reads plans and walks the directories they name.

pub mod aside;
pub mod context_files;
pub mod eject;
pub mod files;
pub mod glob;
pub mod ignore_file;
pub mod look;
mod names;
pub mod own;
pub mod pattern_list;
pub mod plan_file;
pub mod project_files;
pub mod room;
pub mod seen;
pub mod walk;
pub mod would_take;
