//! The steps from text to a resolved plan, in order: parse, verify, resolve.
//!
//! Each step reports all that it finds, and the next runs only if there was no error: rules
//! checked on half a plan would report mistakes that nobody made.

use cogpack_ir::finding::Finding;
use cogpack_ir::plan::Plan;
use cogpack_ir::resolve::{Resolved, resolve};
use cogpack_ir::verify::verify;
use cogpack_ir::{json, syntax};

use crate::world::World;

/// Reads a plan in either of its forms.
pub fn parse(text: &str) -> Result<Plan, Vec<Finding>> {
    if json::is_meant(text) {
        return json::read(text);
    }
    let parsed = syntax::parse(text);
    if parsed.findings.is_empty() { Ok(parsed.plan) } else { Err(parsed.findings) }
}

/// Verifies a plan and resolves it. What the author should know is with the resolved plan.
pub fn compile(plan: Plan, world: &World) -> Result<Resolved, Vec<Finding>> {
    Ok(resolve(verify(plan)?, &world.configs)?.with_triggers(&world.triggers))
}
