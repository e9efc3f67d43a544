//! The layers of images that were pushed, for a summary: as they are stored, from the manifests in
//! the registry. An image is no worse for that nobody can tell of them.

use std::sync::Arc;
use std::time::Duration;

use cogpack_backends_oci_direct::documents::{Descriptor, Index, Manifest, PlatformDocument, media};
use cogpack_content::{Digest, ImageReference, Platform};
use cogpack_io_buildkit::auth::Logins;
use cogpack_io_registry::manifests::Wanted;
use cogpack_io_registry::settings::Settings;
use cogpack_io_registry::{Registries, Repository};

use crate::logins::waiting;
use crate::outcome::Layer;

/// Nobody waits longer than this for a table.
const PATIENCE: Duration = Duration::from_secs(10);

/// The layers of the image with this digest, under a name that it was pushed to, or of those for
/// these platforms in an index; none where the registry does not tell, or not soon.
pub async fn layers(
    settings: Settings,
    logins: Arc<dyn Logins>,
    name: &ImageReference,
    digest: Digest,
    platforms: &[Platform],
) -> Vec<Layer> {
    let (repository, platforms) = (Repository::of(name), platforms.to_vec());
    let login = waiting(logins);
    let asking = tokio::task::spawn_blocking(move || {
        // The daemon has just been to the registry itself: what a mirror has is not that.
        let settings = Settings { mirrors: Vec::new(), ..settings };
        in_registry(&Registries::new(settings, login), &repository, digest, &platforms)
    });
    match tokio::time::timeout(PATIENCE, asking).await {
        Ok(Ok(layers)) => layers.unwrap_or_default(),
        Ok(Err(_)) | Err(_) => Vec::new(),
    }
}

fn in_registry(
    registries: &Registries,
    repository: &Repository,
    digest: Digest,
    platforms: &[Platform],
) -> Option<Vec<Layer>> {
    let document = |digest| Some(registries.manifest(repository, &Wanted::Digest(digest)).ok()?.bytes);
    let pushed = document(digest)?;
    // Both have a schema version; only an index has manifests.
    let index = serde_json::from_slice::<Index>(&pushed).ok();
    let mut layers = Vec::new();
    for platform in platforms {
        let manifest = match &index {
            Some(index) => &document(of_platform(index, platform)?.digest.parse().ok()?)?,
            None => &pushed,
        };
        let manifest: Manifest = serde_json::from_slice(manifest).ok()?;
        layers.extend(manifest.layers.iter().map(|descriptor| layer(descriptor, platform)));
    }
    Some(layers)
}

/// The image in an index that holds one, beside what is said about it.
fn of_platform<'i>(index: &'i Index, platform: &Platform) -> Option<&'i Descriptor> {
    let wanted = PlatformDocument::from(platform);
    index.manifests.iter().find(|found| found.platform.as_ref() == Some(&wanted))
}

fn layer(descriptor: &Descriptor, platform: &Platform) -> Layer {
    Layer {
        digest: descriptor.digest.parse().ok(),
        size: descriptor.size,
        compressed: !matches!(descriptor.media_type.as_str(), media::LAYER | media::DOCKER_LAYER),
        made_by: None,
        platform: Some(platform.clone()),
    }
}

#[cfg(test)]
mod tests {
    use cogpack_io_buildkit::auth::NoLogins;

    use super::*;

    #[tokio::test]
    async fn a_registry_that_does_not_answer_tells_nothing() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("there is a port");
        let address = listener.local_addr().expect("it has one");
        drop(listener);
        let name = format!("{address}/app:1").parse().expect("is a name");
        let platforms = [Platform::linux_amd64()];
        let told = layers(Settings::default(), Arc::new(NoLogins), &name, Digest::of(b""), &platforms).await;
        assert_eq!(told, []);
    }
}
