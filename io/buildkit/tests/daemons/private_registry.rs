//! A registry that lets nobody in without a login.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use cogpack_io_buildkit::auth::{self, Auth, Login, LoginError, Logins, NoLogins};
use cogpack_io_buildkit::secrets::Secret;
use cogpack_io_buildkit::session::Services;
use cogpack_io_buildkit::solve::Request;
use tempfile::TempDir;

use crate::building::{built, exporter, graph_for, one_file};
use crate::definitions::Definition;
use crate::found::{connected, daemons, newer_daemons, unheard_of};

/// `ada` and `open sesame`, as registries keep them.
const KNOWN_LOGIN: &str = "ada:$2b$05$abcdefghijklmnopqrstuupx2xBUC4954936wVIjyyPHmUBFu0wCW\n";

struct Registry {
    address: String,
    server: Child,
    _directory: TempDir,
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

impl Registry {
    async fn start() -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let address = format!("127.0.0.1:{port}");
        let [users, settings, data] = ["users", "settings", "data"].map(|name| directory.path().join(name));
        std::fs::write(&users, KNOWN_LOGIN).unwrap();
        let text = format!(
            "version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: \"{}\"}}}}\n\
             http: {{addr: \"{address}\", secret: only-for-tests}}\n\
             auth: {{htpasswd: {{realm: tests, path: \"{}\"}}}}\n",
            data.display(),
            users.display(),
        );
        std::fs::write(&settings, text).unwrap();
        let command = Command::new("docker-registry")
            .arg("serve")
            .arg(&settings)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let Ok(server) = command else {
            assert!(std::env::var_os("CI").is_none(), "there is no `docker-registry` on this machine");
            println!("skipped: no `docker-registry` on this machine");
            return None;
        };
        let registry = Self { address, server, _directory: directory };
        let listens = async {
            while tokio::net::TcpStream::connect(&registry.address).await.is_err() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), listens).await.expect("the registry comes up");
        Some(registry)
    }
}

/// Knows the login for one registry.
struct Known(String);

#[tonic::async_trait]
impl Logins for Known {
    async fn login(&self, host: &str) -> Result<Login, LoginError> {
        if host == self.0 {
            let password = Secret::new("open sesame");
            return Ok(Login::Password { username: "ada".to_owned(), password });
        }
        Err(LoginError(format!("nobody knows {host}").into()))
    }
}

fn with_logins(logins: impl Logins) -> Services {
    Services::new().add(Auth::new(logins).into_server(), auth::METHODS)
}

#[tokio::test]
async fn images_are_pushed_and_pulled_with_a_login_only() {
    if newer_daemons().is_empty() {
        return;
    }
    let Some(registry) = Registry::start().await else { return };
    let name = format!("{}/creds/private:{}", registry.address, unheard_of());
    for found in newer_daemons() {
        let connection = connected(&found).await;
        let pushed = |services| Request {
            exporters: vec![exporter("image", &[("name", &name), ("push", "true"), ("store", "false")])],
            services,
            ..one_file("private")
        };
        let (outcome, _) = built(&connection, pushed(with_logins(NoLogins))).await;
        let refused = outcome.expect_err(found.name).to_string();
        assert!(refused.contains("authorization") || refused.contains("401"), "{}: {refused}", found.name);
        let stranger = Known("elsewhere.example".to_owned());
        let (outcome, _) = built(&connection, pushed(with_logins(stranger))).await;
        let refused = outcome.expect_err(found.name).to_string();
        assert!(refused.contains(&format!("nobody knows {}", registry.address)), "{}: {refused}", found.name);
        let (outcome, _) = built(&connection, pushed(with_logins(Known(registry.address.clone())))).await;
        outcome.unwrap_or_else(|failure| panic!("{}: {failure}", found.name));
    }
    for found in daemons() {
        let connection = connected(&found).await;
        let pulled = |services| {
            let mut definition = Definition::default();
            // An engine that has pushed an image has it; it must ask all the same.
            let ask = [("image.resolvemode", "pull")];
            let image = definition.source_with(&format!("docker-image://{name}"), &ask);
            let file = definition.taken(&image, "/hello");
            Request {
                graphs: vec![graph_for("linux/amd64", definition.finish(&file, &[]))],
                services,
                ..Request::default()
            }
        };
        let (outcome, _) = built(&connection, pulled(with_logins(NoLogins))).await;
        let refused = outcome.expect_err(found.name).to_string();
        assert!(refused.contains("authorization") || refused.contains("401"), "{}: {refused}", found.name);
        let (outcome, _) = built(&connection, pulled(with_logins(Known(registry.address.clone())))).await;
        outcome.unwrap_or_else(|failure| panic!("{}: {failure}", found.name));
    }
}
