//! The real daemons that tests may use, as `tests/rig/rig env` names them.

use crate::skipped;

/// A daemon.
#[derive(Debug, Clone)]
pub struct Engine {
    /// `older` or `newer`, for messages.
    pub name: &'static str,
    /// What `DOCKER_HOST` says for it.
    pub host: String,
    /// What `BUILDKIT_HOST` says for it.
    pub buildkit: String,
    /// Whether its BuildKit can merge.
    pub merges: bool,
    /// What `docker build` is told after `--network`.
    pub network: String,
}

impl Engine {
    /// Keeps tests that prune what the daemon remembers from doing so, until this is dropped: BuildKit
    /// drops what builds that go on have found in its cache, even where that is not what is pruned.
    ///
    /// The file is the one that `tests/daemons/caching.rs` of the client takes for itself.
    #[must_use]
    pub fn unpruned(&self) -> std::fs::File {
        let socket = self.host.strip_prefix("unix://").expect("the rig's engines have sockets");
        let file = std::fs::File::options().append(true).create(true).open(format!("{socket}.pruning"));
        let file = file.expect("the rig's directory is writable");
        file.lock_shared().expect("it can be waited for");
        file
    }
}

/// The daemon without merge and diff. `None` where tests may not use one; the reason is printed.
pub fn older() -> Option<Engine> {
    engine("older", ["DOCKER_HOST", "COGPACK_TEST_BUILDKIT", "COGPACK_TEST_NETWORK"], false)
}

/// The daemon that has both.
pub fn newer() -> Option<Engine> {
    let variables = ["COGPACK_TEST_NEXT_HOST", "COGPACK_TEST_NEXT_BUILDKIT", "COGPACK_TEST_NEXT_NETWORK"];
    engine("newer", variables, true)
}

/// The registry of the rig, which speaks plain HTTP, with a `base/python:3.11-slim` in it.
pub fn registry() -> Option<String> {
    std::env::var("COGPACK_TEST_REGISTRY").ok()
}

/// BuildKit's own client; `None` where tests may use no daemon.
pub fn buildctl() -> Option<String> {
    std::env::var("COGPACK_TEST_BUILDCTL").ok()
}

fn engine(name: &'static str, variables: [&str; 3], merges: bool) -> Option<Engine> {
    if let Ok(reason) = std::env::var("COGPACK_TEST_SKIP_DAEMON") {
        skipped(&reason);
        return None;
    }
    // DOCKER_HOST alone may be anybody's engine, which no test may touch.
    if registry().is_none() {
        skipped("no engine of the tests is up: eval \"$(tests/rig/rig env)\" first");
        return None;
    }
    let value = |variable: &str| {
        std::env::var(variable).unwrap_or_else(|_| panic!("{variable} is not set, but the registry's is"))
    };
    let [host, buildkit, network] = variables.map(value);
    Some(Engine { name, host, buildkit, merges, network })
}
