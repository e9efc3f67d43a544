//! A daemon that lives in a container, reached through the Engine that runs it.
//!
//! The container here has a socket of a daemon outside mounted into it, and a script in the place
//! of `buildctl` that joins its own two streams with that.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use cogpack_io_buildkit::address::Address;
use cogpack_io_buildkit::connection::Connection;
use cogpack_io_buildkit::failure::Failure;

use crate::building::{built, printed, script};
use crate::found::{Found, daemons, image_with_a_shell, socket_of};

const BUILDCTL: &str = r#"#!/usr/bin/perl
use strict;
use warnings;
use IO::Socket::UNIX;
die "only dial-stdio is known here, not @ARGV\n" unless "@ARGV" eq "dial-stdio";
print STDERR "dialling\n";
my $daemon = IO::Socket::UNIX->new(Peer => "/daemon.sock") or die "no daemon: $!\n";
my $child = fork();
my ($from, $to) = $child ? (\*STDIN, $daemon) : ($daemon, \*STDOUT);
while (sysread($from, my $bytes, 65536)) {
    while (length $bytes) {
        my $written = syswrite($to, $bytes) or exit 0;
        substr($bytes, 0, $written) = "";
    }
}
shutdown($daemon, 1) if $child;
waitpid($child, 0) if $child;
"#;

/// A container that sleeps, and is removed at the end.
struct Container {
    engine: Found,
    name: String,
    _directory: tempfile::TempDir,
}

impl Container {
    fn run(purpose: &str, found: &Found, daemon: &Found) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let program = directory.path().join("buildctl");
        std::fs::write(&program, BUILDCTL).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        let name = found.own_name(purpose);
        let image = image_with_a_shell();
        let container = Self { engine: found.clone(), name, _directory: directory };
        container.engine.docker(&[
            "run",
            "--detach",
            "--network",
            "none",
            "--name",
            &container.name,
            "--volume",
            &format!("{}:/daemon.sock", socket_of(daemon).display()),
            "--volume",
            &format!("{}:/usr/local/bin/buildctl", program.display()),
            image.strip_prefix("docker-image://").unwrap(),
            "sleep",
            "300",
        ]);
        container
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        // What cannot be removed must not hide why a test failed.
        let _ = Command::new("docker")
            .args(["--host", &self.engine.engine.to_string(), "rm", "--force", &self.name])
            .output();
    }
}

/// Each Engine, with a daemon that is none.
fn pairs() -> Vec<(Found, Found)> {
    let (engines, others): (Vec<_>, Vec<_>) =
        daemons().into_iter().partition(|found| matches!(found.address, Address::Engine(_)));
    engines
        .into_iter()
        .filter_map(|engine| {
            let daemon = others.iter().find(|other| other.newer == engine.newer)?.clone();
            Some((engine, daemon))
        })
        .collect()
}

#[tokio::test]
async fn a_daemon_in_a_container_builds() {
    for (engine, daemon) in pairs() {
        let container = Container::run("builds", &engine, &daemon);
        let address = Address::Container { name: container.name.clone(), engine: engine.engine.clone() };
        let connection = Connection::open(&address).await.unwrap();
        let (outcome, news) = built(&connection, script("echo from afar")).await;
        outcome.unwrap_or_else(|failure| panic!("{}: {failure}", engine.name));
        assert_eq!(printed(&news), "from afar\n", "{}", engine.name);
    }
}

#[tokio::test]
async fn a_container_that_cannot_help_is_told() {
    for (engine, daemon) in pairs() {
        let container = Container::run("cannot-help", &engine, &daemon);
        let told = async |name: &str| {
            let address = Address::Container { name: name.to_owned(), engine: engine.engine.clone() };
            let failure = Connection::open(&address).await.unwrap_err();
            assert!(matches!(failure, Failure::NotBuildKit { .. }), "{}: {failure:?}", engine.name);
            failure.to_string()
        };
        let missing = told("cogpack-of-nobody").await;
        assert!(missing.contains("No such container"), "{}: {missing}", engine.name);
        container.engine.docker(&[
            "exec",
            &container.name,
            "sh",
            "-c",
            "mv /bin/perl /bin/lrep; rm -f /usr/bin/perl",
        ]);
        let without_program = told(&container.name).await;
        assert!(without_program.contains("buildctl"), "{}: {without_program}", engine.name);
        container.engine.docker(&["stop", "--time", "0", &container.name]);
        let stopped = told(&container.name).await;
        assert!(stopped.contains("not running"), "{}: {stopped}", engine.name);
    }
}
