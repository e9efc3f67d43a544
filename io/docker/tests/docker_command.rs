//! The `docker` command itself writes the configuration that is read here. Without that command, each
//! test says so and ends.

use std::path::Path;
use std::process::Command;

use cogpack_io_buildkit::address::Endpoint;
use cogpack_io_docker::contexts::{ChosenBy, choose};
use cogpack_io_docker::settings::Settings;

/// Runs the command with a configuration of its own; false where there is no such command.
fn docker(config: &Path, arguments: &[&str]) -> bool {
    let mut command = Command::new("docker");
    for variable in ["DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG"] {
        command.env_remove(variable);
    }
    let Ok(output) = command.arg("--config").arg(config).args(arguments).output() else {
        println!("skipped: no `docker` on this machine");
        return false;
    };
    assert!(output.status.success(), "docker {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    true
}

#[test]
fn contexts_that_the_command_made_are_understood() {
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("config");
    std::fs::create_dir(&config).unwrap();
    // The command looks into what it copies.
    let made = rcgen::generate_simple_self_signed(["far.example".to_owned()]).unwrap();
    let texts =
        [("ca", made.cert.pem()), ("cert", made.cert.pem()), ("key", made.signing_key.serialize_pem())];
    for (name, text) in &texts {
        std::fs::write(directory.path().join(name), text).unwrap();
    }
    let path = |name: &str| directory.path().join(name).display().to_string();
    let plain = "host=unix:///run/some/engine.sock";
    let encrypted =
        format!("host=tcp://far.example:2376,ca={},cert={},key={}", path("ca"), path("cert"), path("key"));
    let settings = Settings { config: Some(config.clone()), ..Settings::default() };

    if !docker(&config, &["context", "create", "near", "--docker", plain]) {
        return;
    }
    docker(&config, &["context", "create", "far.away", "--docker", &encrypted]);
    docker(&config, &["context", "use", "near"]);
    let near = choose(&settings).unwrap();
    assert_eq!(near.by, ChosenBy::Context("near".to_owned()));
    assert_eq!(near.endpoint.to_string(), "unix:///run/some/engine.sock");

    let far = choose(&Settings { context: Some("far.away".to_owned()), ..settings }).unwrap();
    let Endpoint::Tcp { host, port: 2376, tls: Some(tls) } = far.endpoint else { panic!("{far:?}") };
    let identity = tls.identity.unwrap();
    assert_eq!(host, "far.example");
    let files = [tls.authorities, identity.certificate, identity.key];
    for (file, (name, text)) in files.iter().zip(texts) {
        assert_eq!(std::fs::read_to_string(file).unwrap(), text, "{name}");
    }
}
