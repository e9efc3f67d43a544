//! What must be known before a plan can become layers: trees of contexts, and base images.
//!
//! Whoever has the disk reads these; here they are values.

use std::collections::BTreeMap;

use cogpack_backends_contract::config_json::HistoryEntry;
use cogpack_backends_contract::content::Content;
use cogpack_backends_contract::context_layers::ContextLayer;
use cogpack_backends_contract::tree::{Attributes, Ids, Node, PathProblem, Tree, components};
use cogpack_content::Digest;
use cogpack_ir::plan::context::InlineFile;
use cogpack_ir::plan::{InputName, Mode};

use crate::blob::LayerBlob;

/// Facts about the inputs of a plan, by name. Contexts of the kind `files` need none.
#[derive(Debug, Clone, Default)]
pub struct Inputs {
    /// The `dir` contexts that [`Recipe::directories`](crate::Recipe::directories) lists.
    pub directories: BTreeMap<InputName, Tree<Content>>,
    /// Those of them that are several layers where a stage starts from them; the others are one.
    pub layers: BTreeMap<InputName, Vec<ContextLayer>>,
    /// The `oci` contexts that [`Recipe::layouts`](crate::Recipe::layouts) lists, and the images
    /// that [`OciDirect::at_hand`](crate::OciDirect::at_hand) names.
    pub bases: BTreeMap<InputName, BaseImage>,
}

/// A base image. Its config, as far as it matters, is already in the resolved plan.
#[derive(Debug, Clone)]
pub struct BaseImage {
    /// The layers, lowest first; they become the lowest layers of the image, as they are.
    pub layers: Vec<BaseLayer>,
    /// How they came to be, where the image says so.
    pub history: Vec<HistoryEntry>,
    /// What they make together.
    pub tree: Tree<Content>,
}

/// A layer of a base image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseLayer {
    /// The OCI media type.
    pub media_type: &'static str,
    /// The blob and its diff id.
    pub blob: LayerBlob,
}

impl BaseLayer {
    /// The digest of the uncompressed layer.
    pub fn diff_id(&self) -> Digest {
        self.blob.diff_id
    }
}

/// The tree of a `files` context.
pub fn inline_tree(files: &BTreeMap<String, InlineFile>) -> Result<Tree<Content>, PathProblem> {
    let mut tree = Tree::empty();
    for (path, file) in files {
        let names = components(path.as_bytes());
        let above = names.split_last().map_or(&[][..], |(_, above)| above);
        tree.make_directories(above, Attributes::ON_THE_WAY)?;
        let attributes = Attributes { mode: file.mode.unwrap_or(Mode::FILE), ids: Ids::ROOT };
        let content = Content::Inline(file.content.clone().into());
        tree.insert(&names, Node::File { attributes, content })?;
    }
    Ok(tree)
}
