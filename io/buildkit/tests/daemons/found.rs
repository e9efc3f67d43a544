//! The daemons there are, and the one image that programs can be run from on them.

use std::path::PathBuf;
use std::process::Command;

use cogpack_io_buildkit::address::{Address, Endpoint};
use cogpack_io_buildkit::connection::Connection;

/// A daemon to test with.
#[derive(Debug, Clone)]
pub struct Found {
    pub name: &'static str,
    /// Whether it merges, among much else.
    pub newer: bool,
    pub address: Address,
    /// Of the Engine that it is part of.
    pub engine: Endpoint,
}

impl Found {
    /// A name for something on the Engine, which no other test and no other run uses.
    pub fn own_name(&self, purpose: &str) -> String {
        format!("cogpack-client-{purpose}-{}-{}", self.name.replace(' ', "-"), std::process::id())
    }

    /// Asks the Engine by way of its own command, and gives what that prints.
    pub fn docker(&self, arguments: &[&str]) -> String {
        let engine = self.engine.to_string();
        let output = Command::new("docker").args(["--host", &engine]).args(arguments).output().unwrap();
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "docker {arguments:?}: {complaint}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }
}

/// Every daemon there is. Says why where there is none.
pub fn daemons() -> Vec<Found> {
    let mut found = Vec::new();
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    // `DOCKER_HOST` may be anybody's; only beside this variable is it the rig's.
    let engine = variable("COGPACK_TEST_ENGINE").and_then(|_| variable("DOCKER_HOST"));
    for (newer, engine_name, engine, name, daemon) in [
        (false, "older engine", engine, "older daemon", variable("COGPACK_TEST_BUILDKIT")),
        (
            true,
            "newer engine",
            variable("COGPACK_TEST_NEXT_HOST"),
            "newer daemon",
            variable("COGPACK_TEST_NEXT_BUILDKIT"),
        ),
    ] {
        let Some(engine) = engine else { continue };
        let engine = Endpoint::of_engine(&engine, None).unwrap();
        found.push(Found {
            name: engine_name,
            newer,
            address: Address::Engine(engine.clone()),
            engine: engine.clone(),
        });
        if let Some(daemon) = daemon {
            let address = Address::of_daemon(&daemon, None, &engine).unwrap();
            found.push(Found { name, newer, address, engine });
        }
    }
    if found.is_empty() {
        println!("skipped: COGPACK_TEST_ENGINE and COGPACK_TEST_NEXT_HOST name no engine");
    }
    found
}

/// Where a daemon's own socket is, for tests that stand in between.
pub fn socket_of(found: &Found) -> PathBuf {
    match &found.address {
        Address::Daemon(Endpoint::Unix(path)) | Address::Engine(Endpoint::Unix(path)) => path.clone(),
        Address::Daemon(Endpoint::Tcp { .. })
        | Address::Engine(Endpoint::Tcp { .. })
        | Address::Container { .. } => {
            panic!("the rig's daemons have sockets, and this is {}", found.address)
        }
    }
}

pub async fn connected(found: &Found) -> Connection {
    Connection::open(&found.address).await.unwrap_or_else(|failure| panic!("{}: {failure}", found.name))
}

/// An image in the rig's registry that has a shell.
pub fn image_with_a_shell() -> String {
    image_of_the_rig("debian:bookworm-slim")
}

/// An image in the rig's registry that has a Python.
pub fn image_with_python() -> String {
    image_of_the_rig("python:3.11-slim")
}

fn image_of_the_rig(name: &str) -> String {
    let registry =
        std::env::var("COGPACK_TEST_REGISTRY").expect("the rig has a registry where it has an engine");
    format!("docker-image://{registry}/base/{name}")
}

/// Every daemon that can merge; it can use layouts and external caches too. Says why where there is
/// none.
pub fn newer_daemons() -> Vec<Found> {
    let found: Vec<_> = daemons().into_iter().filter(|found| found.name.starts_with("newer")).collect();
    if found.is_empty() {
        println!("skipped: COGPACK_TEST_NEXT_HOST names no engine");
    }
    found
}

/// A text that nobody used before, so that nothing made of it is cached.
pub fn unheard_of() -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    format!("{}-{}", std::process::id(), now.as_nanos())
}
