//! What only a real daemon can show. Each test is skipped, with the reason, where there is none.

mod build;
mod copies;
mod copy_rows;
mod definitions;
pub mod direct;
mod ejected_commands;
mod ejected_copies;
mod ejected_mounts;
mod ejected_otherwise;
mod ejected_owners;
mod ejected_rows;
mod ejected_sample;
pub mod ejects;
mod given;
mod images;
mod outputs;
mod owners;
mod pinned;
mod predictions;
mod program_cases;
mod programs;
mod pulled_bases;
mod surprises;
