//! A locked set of packages, installed: a tree, and the bytes of its files.

use std::io::{self, Read};

use cogpack_backends_contract::content::Content;
use cogpack_backends_contract::context_layers::ContextLayer;
use cogpack_backends_contract::tree::{PathProblem, Tree};
use cogpack_content::Platform;
use cogpack_ir::plan::context::{DebsContext, WheelsContext};
use cogpack_ir::plan::{ContextKind, InputName, Span};

use crate::debs::InstalledDebs;
use crate::places::Places;
use crate::problem::PackageError;
use crate::wheels::InstalledWheels;

/// A set as a plan has it.
#[derive(Debug, Clone, Copy)]
pub enum LockedSet<'p> {
    /// Python wheels.
    Wheels(&'p WheelsContext),
    /// Debian packages.
    Debs(&'p DebsContext),
}

impl<'p> LockedSet<'p> {
    /// The set that a context is of; nothing where it is no set of packages.
    pub fn of(context: &'p ContextKind) -> Option<Self> {
        match context {
            ContextKind::Wheels(wheels) => Some(Self::Wheels(wheels)),
            ContextKind::Debs(debs) => Some(Self::Debs(debs)),
            ContextKind::Directory(_)
            | ContextKind::Http(_)
            | ContextKind::Git(_)
            | ContextKind::Oci(_)
            | ContextKind::Files(_) => None,
        }
    }
}

/// The packages of a set, installed.
#[derive(Debug)]
pub enum InstalledPackages {
    /// Python wheels.
    Wheels(InstalledWheels),
    /// Debian packages.
    Debs(InstalledDebs),
}

impl InstalledPackages {
    /// Gets and installs the packages of a set, whose context is at `span` of the plan, for all of
    /// these platforms. What is wrong with any of them is told of all at once.
    pub fn install(
        set: LockedSet<'_>,
        span: Span,
        platforms: &[Platform],
        places: &Places,
    ) -> Result<Self, PackageError> {
        match set {
            LockedSet::Wheels(wheels) => {
                InstalledWheels::install(wheels, span, platforms, places).map(Self::Wheels)
            }
            LockedSet::Debs(debs) => InstalledDebs::install(debs, span, platforms, places).map(Self::Debs),
        }
    }

    /// The tree of the context that has this name.
    pub fn tree(&self, context: &InputName) -> Result<Tree<Content>, PathProblem> {
        match self {
            Self::Wheels(wheels) => wheels.tree(context),
            Self::Debs(debs) => debs.tree(context),
        }
    }

    /// The layers that the context comes in where a stage starts from it; nothing where it is one.
    pub fn layers(&self, context: &InputName) -> Result<Option<Vec<ContextLayer>>, PathProblem> {
        match self {
            Self::Wheels(_) => Ok(None),
            Self::Debs(debs) => debs.layers(context).map(Some),
        }
    }

    /// Opens a file of the tree.
    pub fn open(&self, path: &[u8]) -> io::Result<Box<dyn Read + '_>> {
        match self {
            Self::Wheels(wheels) => wheels.open(path),
            Self::Debs(debs) => debs.open(path),
        }
    }
}
