//! What whoever plans asks for, beside what the project says.

use std::collections::BTreeSet;

use cogpack_catalogue::Catalogue;
use cogpack_content::{ImageReference, Platform};
use cogpack_frontends_cog_yaml::Strictness;

/// What a plan is to be.
#[derive(Debug, Clone)]
pub struct Request {
    /// What the image is for; linux/amd64 where none is named.
    pub platforms: BTreeSet<Platform>,
    /// The stack, where its name was said.
    pub stack: Option<String>,
    /// What becomes of keys of `cog.yaml` that nobody knows.
    pub strictness: Strictness,
    /// The base images that are known.
    pub catalogue: Catalogue,
    /// Those that whoever plans names, which go before all others.
    pub named: Option<Catalogue>,
    /// What the image starts from, where it was said.
    pub base: Option<BaseWish>,
    /// The image that packages are built in, where it was said.
    pub build_base: Option<ImageReference>,
    /// The OpenAPI document of the model, where one was given instead of the generated one.
    pub openapi_schema: Option<String>,
    /// Who the image's program runs as, where it was said.
    pub user: Option<String>,
    /// Whether byte code was asked for.
    pub precompile: bool,
    /// Whether no program may reach a network while the image is made: then none is run that the image can
    /// do without.
    pub no_network: bool,
}

/// What an image starts from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BaseWish {
    /// The image of the catalogue that fits best.
    Catalogue,
    /// Debian packages alone.
    Debian,
    /// This image; it must be in the catalogue, which says what is in it.
    Image(ImageReference),
}

impl Request {
    /// Nothing but what the project says.
    pub fn plain() -> Self {
        Self {
            platforms: BTreeSet::from([Platform::linux_amd64()]),
            stack: None,
            strictness: Strictness::Strict,
            catalogue: Catalogue::shipped(),
            named: None,
            base: None,
            build_base: None,
            openapi_schema: None,
            user: None,
            precompile: false,
            no_network: false,
        }
    }
}
