//! Logins out of real files and real programs.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use tempfile::TempDir;

use super::*;

fn logins(directory: &TempDir, config: &str) -> DockerLogins {
    fs::write(directory.path().join("config.json"), config).unwrap();
    let system = std::env::var_os("PATH").unwrap_or_default();
    let places = std::iter::once(directory.path().to_owned()).chain(std::env::split_paths(&system));
    let settings = Settings {
        config: Some(directory.path().to_owned()),
        path: Some(std::env::join_paths(places).unwrap()),
        ..Settings::default()
    };
    DockerLogins::read(&settings).unwrap()
}

fn helper(directory: &Path, name: &str, script: &str) {
    let path = directory.join(format!("docker-credential-{name}"));
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// What a login is, with its secret.
fn shown(login: &Login) -> String {
    let text = |secret: &Secret| String::from_utf8(secret.expose().to_vec()).unwrap();
    match login {
        Login::Anonymous => "nobody".to_owned(),
        Login::Password { username, password } => format!("{username} {}", text(password)),
        Login::Identity(token) => format!("token {}", text(token)),
    }
}

async fn ask(logins: &DockerLogins, host: &str) -> String {
    match logins.of(host).await {
        Ok(login) => shown(&login),
        Err(error) => format!("error: {error}"),
    }
}

#[tokio::test]
async fn logins_in_the_file_are_found_under_every_name_of_a_registry() {
    let directory = tempfile::tempdir().unwrap();
    let auth = |text: &str| STANDARD.encode(text);
    let logins = logins(
        &directory,
        &format!(
            r#"{{"auths": {{
                "https://index.docker.io/v1/": {{"auth": "{}"}},
                "https://old.example:5000/v1/": {{"auth": "{}"}},
                "exact.example": {{"username": "ada", "password": "exact"}},
                "https://exact.example": {{"username": "ada", "password": "near"}},
                "token.example": {{"auth": "{}", "identitytoken": "opaque"}},
                "empty.example": {{}},
                "registry.example": {{"registrytoken": "r"}},
                "broken.example": {{"auth": "%%"}},
                "bare.example": {{"auth": "{}"}}
            }}}}"#,
            auth("hub:pass:word"),
            auth("old:padded\0\0"),
            auth("ada:unused"),
            auth("no colon"),
        ),
    );
    for host in ["docker.io", "registry-1.docker.io", "index.docker.io", "https://index.docker.io/v1/"] {
        assert_eq!(ask(&logins, host).await, "hub pass:word", "{host}");
    }
    assert_eq!(ask(&logins, "old.example:5000").await, "old padded");
    assert_eq!(ask(&logins, "old.example").await, "nobody");
    assert_eq!(ask(&logins, "exact.example").await, "ada exact");
    assert_eq!(ask(&logins, "token.example").await, "token opaque");
    assert_eq!(ask(&logins, "empty.example").await, "nobody");
    assert!(ask(&logins, "registry.example").await.contains("is a token of the registry"));
    assert!(ask(&logins, "broken.example").await.ends_with("its `auth` is not base64"));
    assert!(ask(&logins, "bare.example").await.ends_with("its `auth` has no `:` in it"));
}

#[tokio::test]
async fn helpers_are_asked_in_their_own_words() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("asked");
    helper(
        directory.path(),
        "all",
        &format!(
            r#"[ "$1" = get ] || exit 9
               read -r key; echo "$key" >>{}
               case $key in
               *hub*|*docker.io*) echo '{{"ServerURL":"x","Username":"ada","Secret":"from all"}}' ;;
               token.example) echo '{{"ServerURL":"x","Username":"<token>","Secret":"opaque"}}' ;;
               unknown.example) echo 'credentials not found in native keychain'; exit 1 ;;
               locked.example) echo 'the key chain is locked'; exit 1 ;;
               silent.example) exit 3 ;;
               nonsense.example) echo 'hunter2' ;;
               esac"#,
            log.display()
        ),
    );
    helper(directory.path(), "one", r#"echo '{"ServerURL":"x","Username":"eve","Secret":"from one"}'"#);
    let logins = logins(
        &directory,
        r#"{"auths": {"locked.example": {"username": "a", "password": "of the file"}},
            "credsStore": "all", "credHelpers": {"one.example": "one", "gone.example": "gone", "up.example": "../up"}}"#,
    );
    assert_eq!(ask(&logins, "registry-1.docker.io").await, "ada from all");
    assert_eq!(ask(&logins, "docker.io").await, "ada from all");
    assert_eq!(fs::read_to_string(&log).unwrap(), "https://index.docker.io/v1/\n", "asked once for both");
    assert_eq!(ask(&logins, "one.example").await, "eve from one");
    assert_eq!(ask(&logins, "token.example").await, "token opaque");
    assert_eq!(ask(&logins, "unknown.example").await, "nobody");
    assert_eq!(
        ask(&logins, "locked.example").await,
        "error: the credential helper `docker-credential-all` has no login for `locked.example`: the key chain is locked"
    );
    assert!(ask(&logins, "silent.example").await.contains("exit status: 3"));
    assert_eq!(
        ask(&logins, "nonsense.example").await,
        "error: the credential helper `docker-credential-all` does not answer as such helpers do"
    );
    assert_eq!(ask(&logins, "up.example").await, "error: `../up` is no name of a credential helper");

    let gone = logins.login("gone.example").await.unwrap_err().to_string();
    assert!(gone.starts_with("run the credential helper `docker-credential-gone`: No such file"), "{gone}");
}

#[tokio::test]
async fn nothing_that_is_shown_holds_a_password() {
    let directory = tempfile::tempdir().unwrap();
    let logins =
        logins(&directory, r#"{"auths": {"r.example": {"username": "ada", "password": "hunter2"}}}"#);
    assert_eq!(ask(&logins, "r.example").await, "ada hunter2");
    let shown = format!("{logins:?} {:?}", logins.of("r.example").await);
    assert!(!shown.contains("hunter2"), "{shown}");
}
