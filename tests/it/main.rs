//! The one integration binary: every case in the tree, and the house itself.

mod backends;
mod behaviours;
mod beside_definitions;
mod build;
mod cli;
mod cli_json;
mod cli_slips;
mod daemon;
mod direct;
mod eject_again;
mod ejected_patterns;
mod explain;
mod fuzz;
mod hostile;
mod json;
mod llb;
mod projects;
mod readme;
mod reference;
mod several_plans;
mod store;
mod text;
mod textmate;
mod tidy;
mod triggers;
mod verify;
