//! What a failure of the daemon's means: for the plan, for the daemon, or for what it was asked.

use std::collections::BTreeSet;

use cogpack_backends_llb::{LlbImage, origins};
use cogpack_content::Digest;
use cogpack_io_buildkit::address::Address;
use cogpack_io_buildkit::failure::{BuildFailure, Failure};

use crate::failure::{BuildError, FailedOp};
use crate::follow::Follower;
use crate::progress::Outline;
use crate::{caching, hints};

/// What was asked for, and what the daemon has told of it.
#[derive(Debug, Clone, Copy)]
pub struct Told<'a> {
    /// The daemon.
    pub address: &'a Address,
    /// What is built.
    pub images: &'a [LlbImage],
    /// The steps of that.
    pub outline: &'a Outline,
    /// What became of them.
    pub follower: &'a Follower,
    /// Where images and caches go, or come from.
    pub registries: &'a BTreeSet<String>,
}

/// What a failure means for whoever has asked for the build.
pub fn explained(failure: Failure, told: Told<'_>) -> BuildError {
    match failure {
        Failure::Cancelled => BuildError::Cancelled,
        Failure::Unanswered => BuildError::Unanswered,
        Failure::Build(failure) => of_build(*failure, told),
        Failure::Refused { attempted, message } => refused(attempted, message, told),
        other @ (Failure::Unreachable { .. }
        | Failure::NotBuildKit { .. }
        | Failure::Lost { .. }
        | Failure::Declined
        | Failure::Unsendable { .. }) => BuildError::Daemon(other),
    }
}

/// What a daemon will not do, and no op of the plan has a part in.
fn refused(attempted: String, message: String, told: Told<'_>) -> BuildError {
    caching::unknown(&message, told.address)
        .unwrap_or_else(|| BuildError::Daemon(Failure::Refused { attempted, message }))
}

/// An op that failed is a matter of the plan; that an image could not be pushed or put away is one
/// of the daemon.
fn of_build(failure: BuildFailure, told: Told<'_>) -> BuildError {
    let Told { follower, .. } = told;
    let named = failure.vertex.as_deref().and_then(|digest| follower.step_of(digest));
    match named.or_else(|| follower.failed()).map(|step| follower.added(step)) {
        Some(None) => BuildError::Op(Box::new(failed_op(failure, told))),
        None if !failure.lines.is_empty() => BuildError::Op(Box::new(failed_op(failure, told))),
        // What an export says is about its own place, and may have any words in it.
        Some(Some(added)) => not_put_away(added.to_owned(), failure.message, told.registries),
        None => refused("build".to_owned(), failure.message, told),
    }
}

/// What became of an export, or of a cache. The registry that let nobody in is one of those that
/// were asked for, and stands in what is said.
fn not_put_away(attempted: String, message: String, registries: &BTreeSet<String>) -> BuildError {
    let registry = registries.iter().find(|registry| message.contains(registry.as_str()));
    match registry.filter(|_| hints::wants_login(&message)) {
        Some(registry) => BuildError::Login { attempted, registry: registry.clone(), message },
        None => BuildError::Daemon(Failure::Refused { attempted, message }),
    }
}

/// The op that failed: as the daemon names it, else the first vertex that it told to have failed.
fn failed_op(failure: BuildFailure, told: Told<'_>) -> FailedOp {
    let Told { images, outline, follower, .. } = told;
    let named = failure.vertex.as_deref().and_then(|digest| follower.step_of(digest));
    let step = named.or_else(|| follower.failed());
    let lines = failure.lines.iter().flat_map(|lines| &lines.ranges).next().copied();
    let lines = lines.or_else(|| lines_of(failure.vertex.as_deref()?, images));
    let lines = lines.or_else(|| {
        let line = outline.steps.get(step?.0)?.line?;
        Some((line, line))
    });
    let outlined = step.and_then(|step| outline.steps.get(step.0));
    let output = step.map(|step| follower.tail(step)).unwrap_or_default();
    FailedOp {
        help: hints::of(outlined, &failure.message, output),
        message: failure.message,
        step: outlined.cloned(),
        lines,
        exit_code: failure.exit_code,
        output: output.to_vec(),
    }
}

/// The lines of a vertex as its definition tells them, for daemons that tell nothing.
fn lines_of(digest: &str, images: &[LlbImage]) -> Option<(u32, u32)> {
    let digest: Digest = digest.parse().ok()?;
    images.iter().find_map(|image| {
        let origin = origins(image).remove(&digest)?;
        origin.lines.first().map(|lines| (*lines.start(), *lines.end()))
    })
}

#[cfg(test)]
mod tests {
    use cogpack_io_buildkit::address::Endpoint;
    use cogpack_io_buildkit::update::Update;

    use super::*;
    use crate::outline::Vertices;
    use crate::progress::StepId;

    /// What daemons say that have no such cache, and what a program may say as well.
    const WORDS: &str = "unknown cache exporter: \"registry\"";

    fn build_failure(vertex: Option<&str>) -> Failure {
        Failure::Build(Box::new(BuildFailure {
            message: format!("failed to solve: {WORDS}"),
            vertex: vertex.map(str::to_owned),
            ..BuildFailure::default()
        }))
    }

    /// Of a plan with one step, and an export beside it, of which the given one has failed.
    fn error_of(failure: Failure, failed: Option<&str>) -> BuildError {
        let mut follower = Follower::new(Vertices::from([("sha256:a".to_owned(), StepId(0))]), 1);
        follower.on(update("sha256:export", None));
        if let Some(digest) = failed {
            follower.on(update(digest, Some(WORDS)));
        }
        let address =
            Address::of_daemon("unix:///nowhere", None, &Endpoint::of_local_engine()).expect("it is one");
        let registries = BTreeSet::from(["r.example".to_owned()]);
        let outline = Outline::default();
        let told = Told {
            address: &address,
            images: &[],
            outline: &outline,
            follower: &follower,
            registries: &registries,
        };
        explained(failure, told)
    }

    fn update(digest: &str, error: Option<&str>) -> Update {
        Update::Vertex {
            digest: digest.to_owned(),
            inputs: Vec::new(),
            name: "exporting to image".to_owned(),
            started: Some(1),
            completed: error.map(|_| 2),
            cached: false,
            error: error.map(str::to_owned),
            group: None,
        }
    }

    #[test]
    fn a_cache_that_the_daemon_lacks_is_told_where_no_step_failed() {
        let refused =
            Failure::Refused { attempted: "build".to_owned(), message: format!("rpc error: {WORDS}") };
        for failure in [build_failure(None), refused] {
            let BuildError::Unable { what, .. } = error_of(failure, None) else {
                panic!("it is what the daemon lacks")
            };
            assert!(what.ends_with("has no cache exporter of the type `registry`"), "{what}");
        }
    }

    #[test]
    fn the_same_words_of_a_step_or_of_an_export_are_its_own() {
        // Daemons before 0.9 name no vertex with the error.
        for (named, failed) in [(Some("sha256:a"), None), (None, Some("sha256:a"))] {
            let error = error_of(build_failure(named), failed);
            assert!(matches!(&error, BuildError::Op(op) if op.message.contains(WORDS)), "{error:?}");
        }
        let error = error_of(build_failure(None), Some("sha256:export"));
        let BuildError::Daemon(Failure::Refused { attempted, .. }) = &error else { panic!("{error:?}") };
        assert_eq!(attempted, "exporting to image");
    }

    #[test]
    fn a_registry_that_lets_nobody_in_is_named_where_it_was_asked_for() {
        let refused_by = |registry: &str| {
            let message =
                format!("failed to push: HEAD request to https://{registry}/v2/x: 401 Unauthorized");
            let failure = BuildFailure { message, ..BuildFailure::default() };
            error_of(Failure::Build(Box::new(failure)), Some("sha256:export"))
        };
        let error = refused_by("r.example");
        assert!(matches!(&error, BuildError::Login { registry, .. } if registry == "r.example"), "{error:?}");
        assert!(error.help().is_some_and(|help| help.contains("`docker login r.example`")), "{error:?}");
        let error = refused_by("elsewhere.example");
        assert!(matches!(error, BuildError::Daemon(Failure::Refused { .. })), "{error:?}");
    }
}
