//! What daemons tell of themselves and of images.

use cogpack_io_buildkit::failure::Failure;
use cogpack_io_buildkit::session::Services;
use tokio_util::sync::CancellationToken;

use crate::found::{connected, daemons, image_with_a_shell};

#[tokio::test]
async fn what_a_daemon_can_do_is_known() {
    for found in daemons() {
        let connection = connected(&found).await;
        let abilities = connection.abilities().await.unwrap();
        let merges = abilities.capabilities.contains("mergeop");
        assert_eq!(merges, found.newer, "{}: {:?}", found.name, abilities.capabilities);
        assert!(abilities.capabilities.contains("exec.mount.cache"), "{}", found.name);
        assert!(abilities.frontend_capabilities.contains("return"), "{}", found.name);
        assert_eq!(abilities.platforms[0].to_string(), "linux/amd64", "{}", found.name);
        let exporters: Vec<_> = abilities.exporters.iter().map(String::as_str).collect();
        let expected: &[_] = if found.newer {
            &["docker", "image", "local", "moby", "oci", "tar"]
        } else {
            &["local", "moby", "tar"]
        };
        assert_eq!(exporters, expected, "{}", found.name);
    }
}

#[tokio::test]
async fn an_image_is_looked_up_through_the_daemon() {
    for found in daemons() {
        let inquiry = connected(&found).await.inquire(Services::new()).await.unwrap();
        let never = CancellationToken::new();
        let platform = "linux/amd64".parse().unwrap();
        let image = image_with_a_shell();
        let reference = image.strip_prefix("docker-image://").unwrap();
        let resolved = inquiry.resolve_image_config(reference, &platform, &never).await.unwrap();
        // The older engine prefers an image that it has, and the rig gave it this one without a digest.
        let digest = resolved.digest.as_deref().unwrap_or("sha256:");
        assert!(digest.starts_with("sha256:"), "{}: {digest}", found.name);
        assert!(resolved.digest.is_some() || !found.newer, "{}: no digest", found.name);
        let config: serde_json::Value = serde_json::from_slice(&resolved.config).unwrap();
        assert_eq!(config["os"], "linux", "{}: {config}", found.name);
        let missing = format!("{reference}-of-nobody");
        let failure = inquiry.resolve_image_config(&missing, &platform, &never).await.unwrap_err();
        assert!(matches!(failure, Failure::Build(_)), "{}: {failure:?}", found.name);
        assert!(failure.to_string().contains("bookworm-slim-of-nobody"), "{}: {failure}", found.name);
    }
}
