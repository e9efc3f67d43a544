//! Whether two plans mean the same, asked of the interpreter.

use cogpack_ir::finding::Finding;
use cogpack_ir::plan::Input;
use cogpack_ir::resolve::{Resolved, resolve};
use cogpack_ir::verify::verify;
use cogpack_meaning::filesystem::shown;
use cogpack_meaning::{Failure, Filesystem, Image, Invented, interpret};

use crate::order::Pass;

/// How two plans differ in a world that was made up for the first.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Difference {
    /// Only one of them can be built.
    #[error("{} can be built and the other cannot: {why}", if *.first { "the plan before" } else { "the plan after" })]
    Built {
        /// Whether it is the first.
        first: bool,
        /// Why the other cannot.
        why: Failure,
    },
    /// Something in the image is another.
    #[error("{what} differs")]
    Image {
        /// What it is.
        what: String,
    },
}

/// The worlds that a plan is judged in.
pub const WORLDS: u64 = 4;

/// What a plan means in a world.
pub type Meaning = Result<Image, Failure>;

/// What a plan means in a world, and whatever its bases say of which nothing is known.
pub fn meaning(plan: &Resolved, world: &Invented) -> Meaning {
    let states = |input| plan.state_of(&input).base_known;
    let (images, contexts) = (&plan.plan().images, &plan.plan().contexts);
    let is_known = images.keys().cloned().map(Input::Image).all(states)
        && contexts.keys().cloned().map(Input::Context).all(states);
    if is_known {
        return interpret(plan, world);
    }
    let settled =
        verify(plan.plan().clone()).and_then(|plan_again| resolve(plan_again, &world.configs(plan)));
    let told = |findings: Vec<Finding>| {
        let told: Vec<String> = findings.iter().map(ToString::to_string).collect();
        Failure(told.join("; "))
    };
    interpret(&settled.map_err(told)?, world)
}

/// Whether a pass has kept the meaning of `before`, in several worlds that are made up for it: in how many of them
/// the plan can be built, and there is something to compare.
pub fn kept(pass: &dyn Pass, before: &Resolved, after: &Resolved) -> Result<u64, Difference> {
    let mut built = 0;
    for seed in 0..WORLDS {
        let world = Invented::of(before, seed);
        let before = meaning(before, &world);
        built += u64::from(before.is_ok());
        kept_in(pass, &before, &meaning(after, &world))?;
    }
    Ok(built)
}

/// The same in one world, in which the plans mean this.
pub fn kept_in(pass: &dyn Pass, before: &Meaning, after: &Meaning) -> Result<(), Difference> {
    match same(before, after) {
        Err(Difference::Built { first: false, .. }) if pass.leaves_work_out() => Ok(()),
        judged => judged,
    }
}

/// Whether two plans mean the same in a world.
pub fn same(one: &Meaning, other: &Meaning) -> Result<(), Difference> {
    let (one, other) = match (one, other) {
        (Ok(one), Ok(other)) => (one, other),
        (Err(_), Err(_)) => return Ok(()),
        (Ok(_), Err(why)) => return Err(Difference::Built { first: true, why: why.clone() }),
        (Err(why), Ok(_)) => return Err(Difference::Built { first: false, why: why.clone() }),
    };
    let differs = |what: &str| Err(Difference::Image { what: what.to_owned() });
    if one.filesystem != other.filesystem {
        let first = |of: &Filesystem, than: &Filesystem| {
            let mut nodes = of.iter();
            nodes.find(|(path, node)| than.get(path) != Some(*node)).map(|(path, _)| path.clone())
        };
        let path = first(&one.filesystem, &other.filesystem)
            .or_else(|| first(&other.filesystem, &one.filesystem))
            .unwrap_or_default();
        return differs(&format!("what stands at {}", shown(&path)));
    }
    if one.environment != other.environment {
        return differs("the environment");
    }
    if one.config != other.config {
        return differs("the config");
    }
    if one.platforms != other.platforms {
        return differs("the list of platforms");
    }
    Ok(())
}
