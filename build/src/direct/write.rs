//! Writes the image where it is to go.

use cogpack_backends_oci_direct::Assembly;
use cogpack_backends_oci_direct::compression::{Compression, Method};
use cogpack_backends_oci_direct::documents::media;
use cogpack_backends_oci_direct::image::WrittenLayer;
use cogpack_io_layout::read::Layout;
use cogpack_io_layout::told::Told;
use cogpack_io_layout::write::{
    Image, Named, WriteError, Written, write_archive, write_archive_to, write_directory,
};
use cogpack_io_store::Store;

use super::content::Contents;
use super::order::Order;
use super::shelf::here;
use crate::failure::BuildError;
use crate::order::{Destination, FileForm, Settings};
use crate::outcome::{Layer, Outcome};

/// The settings that say how layers are compressed and how hard, as BuildKit calls them.
const COMPRESSION: &str = "compression";
const LEVEL: &str = "compression-level";

/// Whether an image can go where it is to go: to be asked before any work.
pub fn check(destinations: &[Destination]) -> Result<(), BuildError> {
    if destinations.is_empty() {
        return Err(unable(
            "nobody was told where the image goes, and without a daemon there is no store of images",
            "say `--output type=layout,dest=DIR` or `--output type=oci,dest=FILE.tar`",
        ));
    }
    for destination in destinations {
        let (what, settings): (&str, &Settings) = match destination {
            Destination::Layout { settings, .. } => ("", settings),
            Destination::File { form: FileForm::Oci | FileForm::Docker, settings, .. } => ("", settings),
            Destination::File { form: FileForm::Files, settings, .. } => ("a tar of the files", settings),
            Destination::Directory { settings, .. } => ("a directory of the files", settings),
            Destination::Engine { settings } => ("an image in a Docker Engine", settings),
            Destination::Image { settings, .. } => ("an image in a registry", settings),
        };
        if !what.is_empty() {
            return Err(unable(
                &format!("a build without a daemon does not make {what}"),
                "make `type=layout`, `type=oci` or `type=docker`, which `skopeo copy` and `docker load` take, \
                 or build with `--builder buildkit`",
            ));
        }
        compression(settings)?;
        if let Some(setting) =
            settings.keys().find(|setting| ![COMPRESSION, LEVEL].contains(&setting.as_str()))
        {
            return Err(unable(
                &format!("a build without a daemon knows no setting `{setting}` of an output"),
                "leave it out, or build with `--builder buildkit`",
            ));
        }
    }
    Ok(())
}

/// Writes an image everywhere.
pub fn write(
    order: &Order,
    assemblies: &[Assembly],
    store: Option<&Store>,
    told: &Told<'_>,
) -> Result<Outcome, BuildError> {
    let bases: Vec<Vec<Layout>> = order
        .parts
        .iter()
        .map(|part| part.bases.values().map(|(layout, _)| layout.clone()).collect())
        .collect();
    let contents: Vec<Contents<'_>> =
        order.parts.iter().map(|part| Contents { contexts: &*part.files, store }).collect();
    let images = assemblies.iter().zip(&contents).zip(&bases).map(|((assembly, files), bases)| Image {
        assembly,
        files,
        bases,
        kept: order.kept.as_ref(),
        compression: Compression::default(),
        told,
    });
    let images: Vec<Image<'_>> = images.collect();
    let mut outcome = Outcome::default();
    for destination in &order.destinations {
        let (written, place) = write_to(order, &images, destination)?;
        for Written { digest, layers: of_parts } in written {
            outcome.digest = Some(digest);
            // An index has no layers; its images have.
            if let ([assembly], [written]) = (assemblies, &of_parts[..]) {
                outcome.layers = layers(assembly, written);
            }
        }
        outcome.places.push(place);
    }
    outcome.names = order.names.iter().map(|name| name.normalised(None)).collect();
    let digest = outcome.digest.map(|digest| ("containerimage.digest".to_owned(), digest.to_string()));
    outcome.answers.extend(digest);
    Ok(outcome)
}

fn write_to(
    order: &Order,
    images: &[Image<'_>],
    to: &Destination,
) -> Result<(Vec<Written>, String), BuildError> {
    let settings = match to {
        Destination::Layout { settings, .. }
        | Destination::File { settings, .. }
        | Destination::Directory { settings, .. }
        | Destination::Engine { settings }
        | Destination::Image { settings, .. } => settings,
    };
    let compression = compression(settings)?;
    let images: Vec<Image<'_>> = images.iter().map(|image| Image { compression, ..*image }).collect();
    let named = [Named { images: &images, names: &order.names }];
    let shown = |path: &std::path::Path| path.display().to_string();
    let (written, place): (Result<Vec<Written>, WriteError>, String) = match to {
        Destination::Layout { path, .. } => (write_directory(&named, path), shown(path)),
        Destination::File { path: Some(path), .. } => (write_archive(&named, path), shown(path)),
        Destination::File { path: None, .. } => {
            let mut sink = order.standard_output.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            (write_archive_to(&named, &std::env::temp_dir(), &mut **sink), "standard output".to_owned())
        }
        // None of these comes past the check.
        Destination::Directory { .. } | Destination::Engine { .. } | Destination::Image { .. } => {
            return Err(unable("this cannot be made without a daemon", "build with `--builder buildkit`"));
        }
    };
    Ok((written.map_err(here(format!("write the image to {place}")))?, place))
}

/// What is told of layers, each with what made it.
fn layers(assembly: &Assembly, written: &[WrittenLayer]) -> Vec<Layer> {
    let steps = assembly.rootfs.history.steps().into_iter().filter(|step| step.layer.is_some());
    let told = steps.zip(written).map(|(step, layer)| Layer {
        digest: Some(layer.blob.blob.digest),
        size: layer.blob.blob.size,
        compressed: layer.media_type != media::LAYER,
        made_by: Some(step.created_by.clone()).filter(|made_by| !made_by.is_empty()),
        platform: None,
    });
    told.collect()
}

/// How the layers of an output are to be compressed.
fn compression(settings: &Settings) -> Result<Compression, BuildError> {
    let named = |asked: &String| {
        Method::named(asked).ok_or_else(|| {
            let known: Vec<String> = Method::ALL.iter().map(|known| format!("`{}`", known.name())).collect();
            unable(
                &format!("layers cannot be compressed with `{asked}` here"),
                &format!("say one of {}", known.join(", ")),
            )
        })
    };
    let method = settings.get(COMPRESSION).map_or(Ok(Method::default()), named)?;
    let Some(level) = settings.get(LEVEL) else { return Ok(method.into()) };
    Compression::at(method, level)
        .map_err(|none| unable(&format!("{none}"), "say another `compression-level`, or leave it out"))
}

fn unable(what: &str, help: &str) -> BuildError {
    BuildError::Unable { what: what.to_owned(), help: help.to_owned() }
}
