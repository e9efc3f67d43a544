//! What is asked of a build in this process.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Mutex;

use cogpack_backends_contract::content::{Content, ContentSource};
use cogpack_backends_contract::context_layers::ContextLayer;
use cogpack_backends_contract::tree::Tree;
use cogpack_backends_oci_direct::Recipe;
use cogpack_content::ImageReference;
use cogpack_io_buildkit::secrets::Secrets;
use cogpack_io_buildkit::ssh::Agents;
use cogpack_io_layout::read::{Layout, StoredImage};
use cogpack_io_store::Store;
use cogpack_ir::plan::{InputName, Span};

use super::pull::Pull;
use crate::order::Destination;

/// One build.
pub struct Order {
    /// What is built: the image for all platforms, or for each where these have other files.
    pub parts: Vec<Part>,
    /// The text of the plan, for its lines.
    pub text: String,
    /// Secrets by id.
    pub secrets: Secrets,
    /// Ssh agents by id.
    pub agents: Agents,
    /// What the image is called.
    pub names: Vec<ImageReference>,
    /// Where it goes.
    pub destinations: Vec<Destination>,
    /// What stands for standard output, where an image goes there.
    pub standard_output: Mutex<Box<dyn Write + Send>>,
    /// Where packed layers are kept from build to build, if anywhere.
    pub kept: Option<Store>,
    /// Whether results of earlier builds are used.
    pub cache: UseOfResults,
    /// What everything is dated, in seconds since 1970.
    pub time: u64,
}

/// An image for some platforms.
pub struct Part {
    /// What is built.
    pub recipe: Recipe,
    /// What is in the directories of `dir` contexts.
    pub directories: BTreeMap<InputName, Tree<Content>>,
    /// Contexts that come in several layers.
    pub layers: BTreeMap<InputName, Vec<ContextLayer>>,
    /// Where the bytes of their files are.
    pub files: Box<dyn ContentSource + Send + Sync>,
    /// The images that it builds on, and the layouts that they are in.
    pub bases: BTreeMap<InputName, (Layout, StoredImage)>,
    /// Those of them whose layers must be fetched first.
    pub pulls: BTreeMap<InputName, Pull>,
}

/// Whether results of earlier builds are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UseOfResults {
    /// They are.
    Used,
    /// Every program is run.
    Ignored,
}

impl Order {
    /// The first and the last line of something in the plan, counted from 1.
    pub fn lines(&self, span: Span) -> Option<(u32, u32)> {
        let range = span.range()?;
        let line_of = |offset: usize| {
            let before = self.text.as_bytes().get(..offset)?;
            let ended = before.iter().filter(|byte| **byte == b'\n').count();
            u32::try_from(ended + 1).ok()
        };
        Some((line_of(range.start)?, line_of(range.end.saturating_sub(1).max(range.start))?))
    }
}
