//! Random plans for property tests.
//!
//! [`plan`] gives any plan that the data model can hold and the text can say, hostile strings and
//! dangling names included; most are not valid. [`valid_plan`] gives plans that break no rule.

mod declarations;
mod ops;
mod texts;
mod valid;

use proptest::collection::{btree_map, btree_set, vec};
use proptest::option;
use proptest::prelude::*;

use crate::plan::{Plan, SecretDeclaration, Span, Spanned, order};

pub use valid::valid_plan;

/// Any well-formed plan, in canonical order.
pub fn plan() -> BoxedStrategy<Plan> {
    let sources = btree_map(texts::input_name(), declarations::source(), 0..5);
    let secrets = btree_map(texts::name().prop_map(names::secret), any::<bool>(), 0..3);
    let caches = btree_set(texts::name().prop_map(names::cache), 0..3);
    let platforms = btree_set(declarations::platform().prop_map(Spanned::nowhere), 1..3);
    let phases = btree_map(texts::name().prop_map(names::phase), declarations::phase(), 0..4);
    let stages = vec(ops::stage(), 0..5);
    let export = option::of(declarations::export());
    (platforms, sources, secrets, caches, phases, stages, export)
        .prop_map(|(platforms, sources, secrets, caches, declared_phases, stages, export)| {
            let mut plan = Plan { platforms, declared_phases, stages, export, ..Plan::empty() };
            for (name, source) in sources {
                match source {
                    declarations::Source::Image(image) => drop(plan.images.insert(name, *image)),
                    declarations::Source::Context(context) => drop(plan.contexts.insert(name, context)),
                }
            }
            let declared = |(name, optional)| (name, SecretDeclaration { optional, span: Span::NOWHERE });
            plan.secrets = secrets.into_iter().map(declared).collect();
            plan.caches = caches.into_iter().map(|name| (name, Span::NOWHERE)).collect();
            order::canonicalise(&mut plan);
            plan
        })
        .boxed()
}

/// Names of words that are known to be names.
mod names {
    use crate::plan::{
        BlockName, CacheName, EnvName, InputName, LayerName, PhaseName, SecretName, SshName, StageName,
    };

    macro_rules! of_word {
        ($($make:ident $name:ident),*) => {$(
            pub(super) fn $make(word: String) -> $name {
                $name::new(&word).expect("the strategies make only words that are names")
            }
        )*};
    }

    of_word!(
        stage StageName, input InputName, phase PhaseName, secret SecretName, cache CacheName, ssh SshName,
        layer LayerName, block BlockName, env EnvName
    );
}
