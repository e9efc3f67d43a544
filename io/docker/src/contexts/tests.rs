//! Choices out of real files, laid out as the `docker` command lays them out.

use std::fs;

use tempfile::TempDir;

use super::*;

/// A configuration with the context `far`.
fn configured(meta: &str, current: &str) -> (TempDir, Settings) {
    let directory = tempfile::tempdir().unwrap();
    let folder = directory.path().join("contexts/meta").join(Digest::of(b"far").hex());
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("meta.json"), meta).unwrap();
    fs::write(directory.path().join("config.json"), format!(r#"{{"currentContext": "{current}"}}"#)).unwrap();
    let settings = Settings { config: Some(directory.path().to_owned()), ..Settings::default() };
    (directory, settings)
}

const FAR: &str = r#"{"Name": "far", "Metadata": {"Description": "a host"},
    "Endpoints": {"docker": {"Host": "tcp://far.example:2376", "SkipTLSVerify": false}}}"#;

fn chosen(settings: &Settings) -> String {
    match choose(settings) {
        Ok(chosen) => {
            let tls = match &chosen.endpoint {
                Endpoint::Tcp { tls: Some(tls), .. } if tls.identity.is_some() => ", known to it",
                Endpoint::Tcp { tls: Some(_), .. } => ", encrypted",
                Endpoint::Tcp { tls: None, .. } | Endpoint::Unix(_) => "",
            };
            format!("{} by {}{tls}", chosen.endpoint, chosen.by)
        }
        Err(error) => format!("error: {error}"),
    }
}

#[test]
fn who_says_nothing_means_the_engine_of_this_machine() {
    assert_eq!(chosen(&Settings::default()), "unix:///var/run/docker.sock by default");
    let directory = tempfile::tempdir().unwrap();
    let settings = Settings { home: Some(directory.path().to_owned()), ..Settings::default() };
    assert_eq!(chosen(&settings), "unix:///var/run/docker.sock by default");
    let (_directory, settings) = configured(FAR, "default");
    assert_eq!(chosen(&settings), "unix:///var/run/docker.sock by default");
}

#[test]
fn the_environment_goes_before_what_was_chosen() {
    let (_directory, mut settings) = configured(FAR, "far");
    assert_eq!(chosen(&settings), "tcp://far.example:2376 by the docker context `far`");
    settings.context = Some("default".to_owned());
    assert_eq!(chosen(&settings), "unix:///var/run/docker.sock by default");
    settings.context = Some("other".to_owned());
    assert!(
        chosen(&settings).starts_with("error: there is no docker context `other`: `"),
        "{}",
        chosen(&settings)
    );
    settings.host = Some("unix:///run/other.sock".to_owned());
    assert_eq!(chosen(&settings), "unix:///run/other.sock by DOCKER_HOST");
    settings.host = Some("ssh://far".to_owned());
    assert!(chosen(&settings).starts_with("error: DOCKER_HOST names an Engine: `ssh://far` is no address"));
}

#[test]
fn certificates_are_found_where_docker_keeps_them() {
    let (directory, mut settings) = configured(FAR, "far");
    let folder = directory.path().join("contexts/tls").join(Digest::of(b"far").hex()).join("docker");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("ca.pem"), "").unwrap();
    assert_eq!(chosen(&settings), "tcp://far.example:2376 by the docker context `far`, encrypted");
    fs::write(folder.join("cert.pem"), "").unwrap();
    assert!(chosen(&settings).contains("key.pem` is missing beside `"), "{}", chosen(&settings));
    fs::write(folder.join("key.pem"), "").unwrap();
    assert_eq!(chosen(&settings), "tcp://far.example:2376 by the docker context `far`, known to it");

    settings.host = Some("tcp://near.example:2376".to_owned());
    assert_eq!(chosen(&settings), "tcp://near.example:2376 by DOCKER_HOST");
    settings.verified_tls = true;
    assert_eq!(chosen(&settings), "tcp://near.example:2376 by DOCKER_HOST, encrypted");
    settings.certificates = Some(folder);
    assert_eq!(chosen(&settings), "tcp://near.example:2376 by DOCKER_HOST, known to it");
}

#[test]
fn what_would_not_protect_or_leads_nowhere_is_refused() {
    let (_directory, settings) = configured(&FAR.replace("false", "true"), "far");
    assert!(chosen(&settings).starts_with("error: the docker context `far` asks for encryption without"));
    let unverified =
        Settings { host: Some("tcp://near.example".to_owned()), unverified_tls: true, ..Settings::default() };
    assert!(chosen(&unverified).starts_with("error: DOCKER_TLS asks for encryption without"));
    let (_directory, settings) = configured(r#"{"Endpoints": {"kubernetes": {}}}"#, "far");
    assert_eq!(chosen(&settings), "error: the docker context `far` names no Docker Engine");
    let (_directory, settings) = configured("{", "far");
    assert!(chosen(&settings).contains("meta.json` is no configuration of Docker"), "{}", chosen(&settings));
}

#[test]
fn only_the_engine_of_this_machine_can_be_absent() {
    let folder = tempfile::tempdir().expect("makes a directory");
    let socket = folder.path().join("engine.sock");
    let at = |by| Chosen { endpoint: Endpoint::Unix(socket.clone()), by };
    assert!(at(ChosenBy::Default).is_absent());
    assert!(!at(ChosenBy::Host).is_absent() && !at(ChosenBy::Context("a".to_owned())).is_absent());
    let listening = std::os::unix::net::UnixListener::bind(&socket).expect("is writable");
    assert!(!at(ChosenBy::Default).is_absent());
    // What ended without clearing up has left its socket.
    drop(listening);
    assert!(at(ChosenBy::Default).is_absent());
}
