//! Facts from outside the plan, fetched before compiling starts and carried as values, so that
//! compiling asks nobody anything.

use std::collections::BTreeMap;

use cogpack_ir::plan::{ImageConfig, InputName};
use cogpack_ir::resolve::KnownTriggers;

/// What is known beside the plan's text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct World {
    /// The configs of images and `oci` contexts that were looked at, by their name in the plan.
    pub configs: BTreeMap<InputName, ImageConfig>,
    /// Their build triggers, where they have some.
    pub triggers: KnownTriggers,
}
