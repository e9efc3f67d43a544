//! What whoever plans asks for, beside what the project says.

use std::collections::BTreeSet;

use cogpack_catalogue::Catalogue;
use cogpack_content::{ImageReference, Platform};
use cogpack_frontends_cog_yaml::Strictness;
use cogpack_frontends_source::SourcePath;

/// What a plan is to be.
#[derive(Debug, Clone)]
pub struct Request {
    /// What the image is for; linux/amd64 where none is named.
    pub platforms: BTreeSet<Platform>,
    /// The stack, where its name was said.
    pub stack: Option<String>,
    /// The file that says how a model is built.
    pub config: ConfigFile,
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

/// The file that says how a model is built: `cog.yaml`, or the file of the project that is named in its place.
/// Each has locks of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigFile(SourcePath);

/// What it is called where nobody names another one.
const COG_YAML: &str = "cog.yaml";

impl Default for ConfigFile {
    fn default() -> Self {
        Self(SourcePath::new(COG_YAML).expect("the name is a path"))
    }
}

impl ConfigFile {
    /// The file that was named.
    pub fn new(path: SourcePath) -> Self {
        Self(path)
    }

    /// Where it is, from the project's directory on.
    pub fn path(&self) -> &SourcePath {
        &self.0
    }

    /// What names it to a command, behind other words; nothing for `cog.yaml`.
    pub fn option(&self) -> String {
        if *self == Self::default() { String::new() } else { format!(" -f {}", self.0) }
    }

    /// Where the lock of its Python packages is. PEP 751 gives such names to the locks of a purpose.
    pub fn lock(&self) -> SourcePath {
        self.beside("pylock", "toml")
    }

    /// Where the lock of its Debian packages is.
    pub fn deb_lock(&self) -> SourcePath {
        self.beside("debs", "cpk")
    }

    /// `pylock.cog.toml` for `cog.yaml`; the name between the dots has no dot itself.
    fn beside(&self, what: &str, ending: &str) -> SourcePath {
        let path = self.0.as_str();
        let stem = path.strip_suffix(".yaml").filter(|stem| !stem.is_empty()).unwrap_or(path);
        let plain = |letter: char| if letter.is_alphanumeric() || letter == '_' { letter } else { '-' };
        let purpose: String = stem.chars().map(plain).collect();
        SourcePath::new(&format!("{what}.{purpose}.{ending}")).expect("letters and dots are a path")
    }
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
            config: ConfigFile::default(),
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
