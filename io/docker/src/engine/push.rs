//! Pushing: an image that an Engine has goes to the registry that its name says, as with
//! `docker push`. The Engine packs the layers and sends them; it is given the login for that.

use std::collections::BTreeMap;

use bollard::auth::DockerCredentials;
use bollard::models::{ProgressDetail, PushImageInfo};
use bollard::query_parameters::PushImageOptionsBuilder;
use cogpack_content::{Digest, ImageReference};
use cogpack_io_buildkit::auth::Login;
use futures_util::StreamExt as _;

use super::failure::EngineError;
use super::{Engine, LONGEST_SILENCE};
use crate::registry_host::key_of;

impl Engine {
    /// Pushes the image of this name, and gives the digest of its manifest in the registry. `sent` is
    /// told how many bytes of its layers were sent so far, before they are packed.
    pub async fn push(
        &self,
        name: &ImageReference,
        login: Login,
        mut sent: impl FnMut(u64),
    ) -> Result<Digest, EngineError> {
        let attempt = self.attempt(|| format!("push `{}`", name.as_str()));
        let repository = format!("{}/{}", name.registry(), name.repository());
        // Without a tag all tags of the repository would be pushed.
        let options = PushImageOptionsBuilder::new().tag(name.tag().unwrap_or("latest")).build();
        let login = credentials(name.registry(), login).ok_or_else(|| {
            attempt.broken(format!("the password for `{}` is not UTF-8", name.registry()).into())
        })?;
        let mut answers = std::pin::pin!(self.docker.push_image(&repository, Some(options), Some(login)));
        let (mut layers, mut digest) = (Layers::default(), None);
        loop {
            let Ok(answer) = tokio::time::timeout(LONGEST_SILENCE, answers.next()).await else {
                return Err(attempt.late(LONGEST_SILENCE));
            };
            let Some(answer) = answer else { break };
            let PushImageInfo { status, progress_detail, error_detail: _ } =
                answer.map_err(|error| attempt.failed(error))?;
            digest = status.as_deref().and_then(digest_in).or(digest);
            if let Some(now) = progress_detail.and_then(|detail| layers.take(&detail)) {
                sent(now);
            }
        }
        digest.ok_or_else(|| attempt.lacks("the digest of what it pushed"))
    }
}

/// How far layers are, each by its size: the library does not tell which is which. Of two layers of
/// exactly one size, the one that is further counts.
#[derive(Debug, Default)]
struct Layers(BTreeMap<i64, i64>);

impl Layers {
    fn take(&mut self, detail: &ProgressDetail) -> Option<u64> {
        let (current, total) = (detail.current?, detail.total?);
        let layer = self.0.entry(total).or_default();
        // What is sent has the headers of an archive as well.
        *layer = current.min(total).max(*layer);
        Some(self.0.values().filter_map(|bytes| u64::try_from(*bytes).ok()).sum())
    }
}

/// The digest in a line such as `1: digest: sha256:… size: 528`.
fn digest_in(line: &str) -> Option<Digest> {
    line.split_once(": digest: ")?.1.split(' ').next()?.parse().ok()
}

/// A login as the Engine is told it; nothing where it is no text.
fn credentials(registry: &str, login: Login) -> Option<DockerCredentials> {
    let text = |secret: &[u8]| String::from_utf8(secret.to_vec()).ok();
    let nobody = DockerCredentials {
        serveraddress: Some(key_of(registry).to_owned()),
        ..DockerCredentials::default()
    };
    Some(match login {
        Login::Anonymous => DockerCredentials::default(),
        Login::Password { username, password } => {
            DockerCredentials { username: Some(username), password: Some(text(password.expose())?), ..nobody }
        }
        Login::Identity(token) => DockerCredentials { identitytoken: Some(text(token.expose())?), ..nobody },
    })
}

#[cfg(test)]
mod tests {
    use cogpack_io_buildkit::secrets::Secret;

    use super::*;

    #[test]
    fn the_digest_is_found_in_what_engines_say() {
        let digest = Digest::of(b"manifest");
        assert_eq!(digest_in(&format!("1.0: digest: {digest} size: 528")), Some(digest));
        assert_eq!(digest_in("Layer already exists"), None);
        assert_eq!(digest_in("1.0: digest: sha256:0 size: 528"), None);
    }

    #[test]
    fn layers_that_are_sent_side_by_side_are_added_up() {
        let mut layers = Layers::default();
        let mut take =
            |current, total| layers.take(&ProgressDetail { current: Some(current), total: Some(total) });
        assert_eq!(take(10, 100), Some(10));
        assert_eq!(take(7, 50), Some(17));
        assert_eq!(take(60, 50), Some(60));
        assert_eq!(take(5, 100), Some(60));
        assert_eq!(layers.take(&ProgressDetail::default()), None);
    }

    #[test]
    fn logins_are_told_as_engines_read_them() {
        let told = |login| credentials("r.example:5000", login).expect("it is text");
        assert_eq!(told(Login::Anonymous), DockerCredentials::default());
        let password = Secret::new("open sesame");
        let named = told(Login::Password { username: "ada".to_owned(), password });
        assert_eq!(
            (named.username.as_deref(), named.password.as_deref()),
            (Some("ada"), Some("open sesame"))
        );
        assert_eq!(named.serveraddress.as_deref(), Some("r.example:5000"));
        let token = told(Login::Identity(Secret::new("opaque")));
        assert_eq!((token.username, token.identitytoken.as_deref()), (None, Some("opaque")));
        let hub = credentials("docker.io", Login::Identity(Secret::new("opaque"))).expect("it is text");
        assert_eq!(hub.serveraddress.as_deref(), Some("https://index.docker.io/v1/"));
        assert!(credentials("r.example", Login::Identity(Secret::new([0xff]))).is_none());
    }
}
