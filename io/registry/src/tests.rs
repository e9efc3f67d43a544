//! Registries that answer as they are told to.

mod server;

use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

use cogpack_content::Digest;
use cogpack_io_buildkit::auth::{Login, LoginError};
use cogpack_io_buildkit::secrets::Secret;
use url::Url;

use crate::blobs::{WantedBlob, Watch};
use crate::failure::RegistryError;
use crate::manifests::{Document, Wanted};
use crate::registries::{Registries, Repository};
use crate::settings::Settings;
use server::{Answer, Request, Server};

fn registries(login: Login) -> Registries {
    Registries::new(Settings::default(), Box::new(move |_| Ok(login.clone())))
}

fn repository(server: &Server) -> Repository {
    Repository { registry: server.address.clone(), path: "team/app".to_owned() }
}

fn manifest(server: &Server, wanted: &Wanted) -> Result<Document, RegistryError> {
    registries(Login::Anonymous).manifest(&repository(server), wanted)
}

fn tag() -> Wanted {
    Wanted::Tag("1".to_owned())
}

/// Counts what comes.
#[derive(Default)]
struct Count(AtomicI64);

impl Watch for Count {
    fn received(&self, more: i64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    fn is_cancelled(&self) -> bool {
        false
    }
}

/// What came of a blob, and how much was told of on the way.
fn blob(server: &Server, login: Login, wanted: &[u8]) -> (Result<Vec<u8>, RegistryError>, i64) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let path = folder.path().join("blob");
    let wanted = WantedBlob { digest: Digest::of(wanted), size: wanted.len() as u64 };
    let count = Count::default();
    let came = registries(login).blob(&repository(server), wanted, &path, &count);
    (came.map(|()| std::fs::read(&path).expect("is there")), count.0.into_inner())
}

#[test]
fn a_token_is_fetched_with_the_login_and_shown_again() {
    let password = Login::Password { username: "ada".to_owned(), password: Secret::new("open sesame") };
    let scope = "scope=repository%3Ateam%2Fapp%3Apull";
    for (login, token) in [
        (password, format!("GET /token?{scope}&service=r&account=ada Basic YWRhOm9wZW4gc2VzYW1l")),
        (Login::Anonymous, format!("GET /token?{scope}&service=r")),
        (
            Login::Identity(Secret::new("it is me")),
            format!(
                "POST /token grant_type=refresh_token&client_id=cogpackc&refresh_token=it+is+me&{scope}&service=r"
            ),
        ),
    ] {
        let server = Server::start(|request| match request.path.as_str() {
            path if path.starts_with("/token") => {
                Answer::ok(br#"{"access_token": "a-token", "expires_in": 9}"#)
            }
            _ if request.authorization == "Bearer a-token" => Answer::ok(b"{}"),
            _ => Answer::status(401).with(
                "WWW-Authenticate",
                format!("Bearer realm=\"http://{}/token\",service=\"r\"", request.server),
            ),
        });
        let registries = registries(login);
        for _ in 0..2 {
            let found = registries.manifest(&repository(&server), &tag()).expect("the token opens it");
            assert_eq!(found.bytes, b"{}");
        }
        let shown = |request: &Request| {
            let Request { method, path, authorization, body, .. } = request;
            format!("{method} {path} {authorization}{body}").trim_end().to_owned()
        };
        let asked: Vec<String> = server.asked().iter().map(shown).collect();
        let manifest = "GET /v2/team/app/manifests/1";
        assert_eq!(
            asked,
            [manifest, &token, &format!("{manifest} Bearer a-token"), &format!("{manifest} Bearer a-token")]
        );
    }
}

#[test]
fn a_login_is_shown_to_nobody_else() {
    let elsewhere = Server::start(|_| Answer::ok(b"layer"));
    // Another name is another host.
    let there = format!("http://{}/blob", elsewhere.address.replace("127.0.0.1", "localhost"));
    let server = Server::start(move |request| match request.authorization.as_str() {
        "Basic YWRhOm9wZW4=" => Answer::status(307).with("Location", there.clone()),
        _ => Answer::status(401).with("WWW-Authenticate", "Basic realm=\"tests\""),
    });
    let login = Login::Password { username: "ada".to_owned(), password: Secret::new("open") };
    assert_eq!(blob(&server, login, b"layer").0.expect("it comes"), b"layer");
    assert_eq!(server.asked().last().expect("was asked").authorization, "Basic YWRhOm9wZW4=");
    assert_eq!(elsewhere.asked().last().expect("was asked").authorization, "");
}

#[test]
fn who_may_not_see_an_image_is_told_the_way_out() {
    let server = Server::start(|_| {
        let said = br#"{"errors": [{"code": "UNAUTHORIZED", "message": "authentication\nrequired"}]}"#;
        Answer::ok(said).under(401).with("WWW-Authenticate", "Basic")
    });
    let error = manifest(&server, &tag()).expect_err("nobody has logged in");
    let registry = &server.address;
    assert_eq!(
        error.to_string(),
        format!(
            "pull the manifest {registry}/team/app:1: the registry at {registry} answers 401: \
             authentication required (UNAUTHORIZED)"
        )
    );
    assert!(
        error.help().is_some_and(|help| help.contains(&format!("`docker login {registry}`"))),
        "{error:?}"
    );
    assert_eq!(server.asked().len(), 1, "it is no use to ask again");

    let broken =
        Registries::new(Settings::default(), Box::new(|_| Err(LoginError("the helper said no".into()))));
    let error = broken.manifest(&repository(&server), &tag()).expect_err("there is no login");
    assert!(error.to_string().contains("there is no login for the registry"), "{error}");
}

#[test]
fn what_is_not_there_is_told_as_a_tag_or_as_a_digest() {
    let server = Server::start(|_| {
        Answer::ok(br#"{"errors": [{"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}]}"#).under(404)
    });
    let registry = &server.address;
    let told = |wanted: &Wanted| {
        let error = manifest(&server, wanted).expect_err("there is none");
        assert!(!error.is_retryable());
        (error.to_string(), error.help().expect("there is a way out"))
    };
    let (message, help) = told(&tag());
    assert!(message.ends_with(" answers 404: manifest unknown (MANIFEST_UNKNOWN)"), "{message}");
    assert!(help.starts_with("check the name and the tag; "), "{help}");
    let digest = Digest::of(b"gone");
    let (message, help) = told(&Wanted::Digest(digest));
    assert_eq!(
        message,
        format!(
            "pull the manifest {registry}/team/app@{digest}: the registry at {registry} has nothing of this digest: \
             manifest unknown (MANIFEST_UNKNOWN)"
        )
    );
    assert!(help.contains("`cogpackc check --fix PLAN`") && !help.contains("the tag"), "{help}");
}

#[test]
fn tokens_are_fetched_from_addresses_of_the_web_alone() {
    let server = Server::start(|_| {
        Answer::status(401).with("WWW-Authenticate", "Bearer realm=\"ftp://127.0.0.1/token\"")
    });
    let error = manifest(&server, &tag()).expect_err("is refused").to_string();
    assert!(error.contains("wants a token that would have to be fetched without encryption"), "{error}");
}

#[test]
fn a_busy_registry_is_asked_again_and_one_that_stays_busy_is_left() {
    let busy = AtomicUsize::new(2);
    let server = Server::start(move |request| match request.path.as_str() {
        "/v2/" => Answer::status(200),
        _ if busy.load(Ordering::Relaxed) == 0 => Answer::ok(b"{}"),
        _ => {
            busy.fetch_sub(1, Ordering::Relaxed);
            Answer::status(503)
        }
    });
    manifest(&server, &tag()).expect("it comes in the end");
    assert_eq!(server.asked().len(), 3);

    let server = Server::start(|_| Answer::status(429));
    let error = manifest(&server, &tag()).expect_err("it is always busy");
    assert!(error.to_string().ends_with("answers 429"), "{error}");
    assert_eq!(server.asked().len(), 4);
}

#[test]
fn a_manifest_is_what_was_asked_for() {
    let server = Server::start(|_| Answer::ok(b"{}").with("Content-Type", "a/type"));
    let digest = Digest::of(b"{}");
    let found = manifest(&server, &Wanted::Digest(digest)).expect("it is that one");
    assert_eq!(found, Document { digest, media_type: "a/type".to_owned(), bytes: b"{}".to_vec() });
    assert_eq!(server.lines(), [format!("GET /v2/team/app/manifests/{digest}")]);
    let other = Digest::of(b"other");
    let error = manifest(&server, &Wanted::Digest(other)).expect_err("it is another one").to_string();
    assert!(error.contains(&format!("have the digest {digest}, and not {other}")), "{error}");

    let lying = Server::start(move |_| Answer::ok(b"{}").with("Docker-Content-Digest", other.to_string()));
    let error = manifest(&lying, &tag()).expect_err("it is another one").to_string();
    assert!(error.contains(&format!("have the digest {digest}, and not {other}")), "{error}");

    let endless = Server::start(|_| Answer::ok(&vec![b' '; (8 << 20) + 1]));
    let error = manifest(&endless, &tag()).expect_err("it is too long").to_string();
    assert!(error.contains("sends a manifest of more than 8388608 bytes"), "{error}");
}

/// A registry that sends a layer in pieces of 3 bytes and then hangs up.
fn breaking(layer: &'static [u8], answers_parts: bool) -> Server {
    Server::start(move |request| {
        let from = request.range.strip_prefix("bytes=").and_then(|range| range.strip_suffix('-'));
        match from.and_then(|from| from.parse::<usize>().ok()).filter(|_| answers_parts) {
            Some(from) => {
                let rest = &layer[from..];
                let range = format!("bytes {from}-{}/{}", layer.len() - 1, layer.len());
                let part = Answer::ok(rest).under(206).with("Content-Range", range);
                part.breaking_after(3.min(rest.len()))
            }
            // Without parts there is nothing for it but to begin anew.
            None if request.range.is_empty() => Answer::ok(layer).breaking_after(3),
            None => Answer::ok(layer),
        }
    })
}

#[test]
fn what_has_come_of_a_blob_stays_when_the_connection_breaks() {
    let server = breaking(b"a layer", true);
    let (came, count) = blob(&server, Login::Anonymous, b"a layer");
    assert_eq!((came.expect("it comes"), count), (b"a layer".to_vec(), 7));
    let ranges: Vec<String> = server.asked().into_iter().map(|request| request.range).collect();
    assert_eq!(ranges, ["", "bytes=3-", "bytes=6-"]);

    let server = breaking(b"a layer", false);
    let (came, count) = blob(&server, Login::Anonymous, b"a layer");
    assert_eq!((came.expect("it comes"), count), (b"a layer".to_vec(), 7));
    assert_eq!(server.asked().len(), 2);

    let hanging_up = Server::start(|_| Answer::ok(b"a layer").breaking_after(0));
    let (came, _) = blob(&hanging_up, Login::Anonymous, b"a layer");
    let error = came.expect_err("nothing comes");
    assert!(error.to_string().contains("nothing came from the registry at"), "{error}");
    assert_eq!(hanging_up.asked().len(), 4);
}

#[test]
fn a_blob_that_is_another_one_is_not_kept() {
    for (sent, said) in [
        (b"b layer".as_slice(), "have the digest"),
        (b"a layer and more", "sends more than the 7 bytes that the blob has"),
        (b"a lay", "nothing came"),
    ] {
        let server = Server::start(move |_| Answer::ok(sent));
        let (came, count) = blob(&server, Login::Anonymous, b"a layer");
        let error = came.expect_err(said).to_string();
        assert!(error.contains(said), "{error}");
        assert!(error.starts_with(&format!("pull the blob {} of ", Digest::of(b"a layer"))), "{error}");
        assert!(count <= 5, "{said}: {count}");
    }
    let jumping = Server::start(|request| match request.range.is_empty() {
        true => Answer::ok(b"a layer").breaking_after(3),
        false => Answer::ok(b"er").under(206).with("Content-Range", "bytes 5-6/7"),
    });
    let error = blob(&jumping, Login::Anonymous, b"a layer").0.expect_err("bytes are missing").to_string();
    assert!(error.contains("sends other bytes than those that were asked for"), "{error}");
}

#[test]
fn mirrors_are_asked_first_and_another_where_one_has_it_not() {
    let wrong = Server::start(|_| Answer::ok(b"other"));
    let right = Server::start(|request| match request.path.as_str() {
        "/cache/v2/library/debian/manifests/sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a" => {
            Answer::ok(b"{}")
        }
        _ => Answer::status(404),
    });
    let mirror = |text: String| Url::parse(&text).expect("is an address");
    let settings = Settings {
        mirrors: vec![
            mirror(format!("http://{}", wrong.address)),
            mirror(format!("http://{}/cache", right.address)),
        ],
        ..Settings::default()
    };
    let registries = Registries::new(settings, Box::new(|_| Ok(Login::Anonymous)));
    let repository = Repository::of(&"debian:12".parse().expect("is a name"));
    let found =
        registries.manifest(&repository, &Wanted::Digest(Digest::of(b"{}"))).expect("the second has it");
    assert_eq!(found.bytes, b"{}");
    assert_eq!((wrong.asked().len(), right.asked().len()), (1, 1));
}
