//! What only a real daemon can show. Each test is skipped, with the reason, where there is none.

mod build;
mod copies;
mod copy_rows;
mod direct;
mod ejects;
mod images;
mod program_cases;
mod programs;
