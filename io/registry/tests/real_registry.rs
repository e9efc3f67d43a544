//! A registry as others write them, which lets nobody in without a login.

use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use cogpack_content::Digest;
use cogpack_io_buildkit::auth::{LoginError, Logins};
use cogpack_io_docker::logins::DockerLogins;
use cogpack_io_docker::settings::Settings as DockerSettings;
use cogpack_io_registry::blobs::{WantedBlob, Watch};
use cogpack_io_registry::manifests::Wanted;
use cogpack_io_registry::settings::Settings;
use cogpack_io_registry::{Registries, Repository};
use tempfile::TempDir;

/// `ada` and `open sesame`, as registries keep them, and as Docker's configuration does.
const KNOWN_LOGIN: &str = "ada:$2b$05$abcdefghijklmnopqrstuupx2xBUC4954936wVIjyyPHmUBFu0wCW\n";
const SHOWN_LOGIN: &str = "YWRhOm9wZW4gc2VzYW1l";

struct Server {
    address: String,
    server: Child,
    _directory: TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// A registry; `None` where this machine has no program for one.
fn server() -> Option<Server> {
    let directory = tempfile::tempdir().expect("a temporary folder can be made");
    let address =
        TcpListener::bind("127.0.0.1:0").expect("there is a port").local_addr().expect("it has one");
    let [users, settings, data] = ["users", "settings", "data"].map(|name| directory.path().join(name));
    std::fs::write(&users, KNOWN_LOGIN).expect("can be written");
    let text = format!(
        "version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: \"{}\"}}}}\n\
         http: {{addr: \"{address}\", secret: only-for-tests}}\n\
         auth: {{htpasswd: {{realm: tests, path: \"{}\"}}}}\n",
        data.display(),
        users.display(),
    );
    std::fs::write(&settings, text).expect("can be written");
    let command = Command::new("docker-registry")
        .arg("serve")
        .arg(&settings)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let Ok(server) = command else {
        println!("skipped: no `docker-registry` on this machine");
        return None;
    };
    let server = Server { address: address.to_string(), server, _directory: directory };
    let begun = Instant::now();
    while TcpStream::connect(&server.address).is_err() {
        assert!(begun.elapsed() < Duration::from_secs(60), "the registry comes up");
        std::thread::sleep(Duration::from_millis(20));
    }
    Some(server)
}

impl Server {
    /// Puts a blob there, and says by which manifest.
    fn push(&self, layer: &[u8], manifest: &[u8]) {
        let agent = ureq::Agent::new_with_config(ureq::Agent::config_builder().proxy(None).build());
        let login = format!("Basic {SHOWN_LOGIN}");
        let begun = agent
            .post(format!("http://{}/v2/team/app/blobs/uploads/", self.address))
            .header("authorization", &login)
            .send_empty()
            .expect("the login is known");
        let place = begun.headers()["location"].to_str().expect("is text");
        let sent = agent.put(format!("{place}&digest={}", Digest::of(layer))).header("authorization", &login);
        sent.header("content-type", "application/octet-stream").send(layer).expect("it takes blobs");
        let sent = agent.put(format!("http://{}/v2/team/app/manifests/1", self.address));
        sent.header("authorization", &login)
            .content_type("application/vnd.oci.image.manifest.v1+json")
            .send(manifest)
            .expect("it takes manifests");
    }

    /// A client with the logins of a configuration.
    fn client(&self, configuration: &str) -> Registries {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        std::fs::write(folder.path().join("config.json"), configuration).expect("can be written");
        let settings = DockerSettings { config: Some(folder.path().to_owned()), ..DockerSettings::default() };
        let logins = DockerLogins::read(&settings).expect("is one");
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().expect("can be made");
        let login =
            move |host: &str| runtime.block_on(logins.login(host)).map_err(|error| LoginError(error.into()));
        Registries::new(Settings::default(), Box::new(login))
    }
}

/// Nobody watches.
struct Nobody;

impl Watch for Nobody {
    fn received(&self, _more: i64) {}

    fn is_cancelled(&self) -> bool {
        false
    }
}

#[test]
fn what_is_there_comes_to_those_who_have_logged_in() {
    let Some(server) = server() else { return };
    let layer: Vec<u8> = (0_u32..300_000).flat_map(u32::to_le_bytes).collect();
    let digest = Digest::of(&layer);
    let size = layer.len();
    let manifest = format!(
        r#"{{"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "layers": [],
            "config": {{"mediaType": "application/vnd.oci.image.config.v1+json", "digest": "{digest}", "size": {size}}}}}"#
    );
    server.push(&layer, manifest.as_bytes());
    let repository = Repository { registry: server.address.clone(), path: "team/app".to_owned() };

    let known =
        server.client(&format!(r#"{{"auths": {{"{}": {{"auth": "{SHOWN_LOGIN}"}}}}}}"#, server.address));
    let by_tag = known.manifest(&repository, &Wanted::Tag("1".to_owned())).expect("the login is known");
    assert_eq!(by_tag.bytes, manifest.as_bytes());
    assert_eq!(by_tag.media_type, "application/vnd.oci.image.manifest.v1+json");
    let by_digest = known.manifest(&repository, &Wanted::Digest(by_tag.digest)).expect("it has the digest");
    assert_eq!(by_digest, by_tag);
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let path = folder.path().join("layer");
    let wanted = WantedBlob { digest, size: size as u64 };
    known.blob(&repository, wanted, &path, &Nobody).expect("it is there");
    assert!(std::fs::read(&path).expect("is there") == layer, "the bytes are those that were pushed");

    let error =
        known.manifest(&repository, &Wanted::Tag("2".to_owned())).expect_err("there is none").to_string();
    assert!(error.contains("answers 404: manifest unknown (MANIFEST_UNKNOWN)"), "{error}");
    let wrong = Digest::of(b"nothing");
    let elsewhere = folder.path().join("missing");
    let missing = known.blob(&repository, WantedBlob { digest: wrong, size: 7 }, &elsewhere, &Nobody);
    assert!(missing.expect_err("there is none").to_string().contains("answers 404"));

    // `YWRhOm5v` is another password.
    for strange in
        ["{}".to_owned(), format!(r#"{{"auths": {{"{}": {{"auth": "YWRhOm5v"}}}}}}"#, server.address)]
    {
        let error = server.client(&strange).manifest(&repository, &Wanted::Tag("1".to_owned()));
        let error = error.expect_err("nobody is let in");
        assert!(error.to_string().contains("answers 401: authentication required (UNAUTHORIZED)"), "{error}");
    }
}
