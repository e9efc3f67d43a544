//! A declared base image.

use cogpack_content::{Digest, ImageReference};

use super::image_config::ImageConfig;
use super::span::{Span, Spanned};

/// `image @python = "docker.io/library/python:3.11-slim"`, with what the image is recorded to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseImage {
    /// The image's name in its registry.
    pub reference: Spanned<ImageReference>,
    /// The manifest's or index's digest, where the image is pinned.
    pub digest: Option<Spanned<Digest>>,
    /// The image's config as it was when it was pinned; `None` where it is not known.
    /// `config empty` in the text says that it is known and says nothing.
    pub config: Option<ImageConfig>,
    /// The declared name.
    pub span: Span,
}
