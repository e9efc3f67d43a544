//! The layers of an image that an engine keeps, for a summary: what made each, and its size.

use cogpack_io_docker::engine::Engine;

use crate::outcome::Layer;

/// The layers of an image by its name or id; none where the engine does not tell, because an
/// image is no worse for that.
pub async fn layers(engine: &Engine, image: &str) -> Vec<Layer> {
    let history = async {
        match engine.history(image).await {
            // An engine with containerd's store tells nothing of an image that it has not unpacked,
            // and would unpack it for the first container: then that one need not wait.
            Err(_) if engine.unpack(image).await.is_ok() => engine.history(image).await,
            history => history,
        }
    };
    let (Ok(history), Ok(image)) = tokio::join!(history, engine.image(image)) else { return Vec::new() };
    let steps: Vec<(String, u64)> = history.into_iter().map(|step| (step.created_by, step.size)).collect();
    let mut layers = joined(&image.layers, &steps);
    layers.iter_mut().for_each(|layer| layer.platform.clone_from(&image.platform));
    layers
}

/// History and layers side by side. An engine lists the steps that made no layer as well, and tells
/// them from others only by their size.
fn joined(digests: &[cogpack_content::Digest], steps: &[(String, u64)]) -> Vec<Layer> {
    let made: Vec<&(String, u64)> = match steps.len() == digests.len() {
        true => steps.iter().collect(),
        false => steps.iter().filter(|(_, size)| *size > 0).collect(),
    };
    let is_certain = made.len() == digests.len();
    let layer = |(place, (made_by, size)): (usize, &&(String, u64))| Layer {
        digest: digests.get(place).copied().filter(|_| is_certain),
        size: *size,
        compressed: false,
        made_by: Some(made_by.clone()).filter(|made_by| !made_by.is_empty()),
        platform: None,
    };
    made.iter().enumerate().map(layer).collect()
}

#[cfg(test)]
mod tests {
    use cogpack_content::Digest;

    use super::*;

    fn told(digests: usize, sizes: &[u64]) -> Vec<(bool, u64)> {
        let digests: Vec<Digest> = (0..digests).map(|place| Digest::of(&[place as u8])).collect();
        let steps: Vec<(String, u64)> = sizes.iter().map(|size| ("run".to_owned(), *size)).collect();
        joined(&digests, &steps).iter().map(|layer| (layer.digest.is_some(), layer.size)).collect()
    }

    #[test]
    fn steps_without_a_layer_are_left_out_and_digests_only_where_they_are_certain() {
        assert_eq!(told(2, &[5, 0]), [(true, 5), (true, 0)]);
        assert_eq!(told(2, &[5, 0, 7, 0]), [(true, 5), (true, 7)]);
        assert_eq!(told(3, &[5, 0, 7, 0]), [(false, 5), (false, 7)]);
        assert!(told(0, &[]).is_empty());
    }
}
