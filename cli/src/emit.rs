//! From a resolved plan to products: what a backend made, ready to be written.

use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use cogpack_backends_contract::{Backend, Unsupported};
use cogpack_backends_dockerfile::Note;
use cogpack_backends_llb::installed::NOT_INSTALLED;
use cogpack_backends_llb::{Limits, Llb, LlbImage, SourceText, listing};
use cogpack_backends_oci_direct::compression::Compression;
use cogpack_backends_oci_direct::{OciDirect, differs_by_platform};
use cogpack_build::known::known;
use cogpack_content::{ImageReference, Platform};
use cogpack_io_project::files::{write_file_atomically, write_pieces_atomically};
use cogpack_ir::plan::{Plan, Span};
use cogpack_ir::{json, syntax};
use miette::Diagnostic;

use crate::arguments::Artifact;
use crate::bases::Bases;
use crate::console::Console;
use crate::definition::{self, Beside};
use crate::eject::{self, Eject, Wanted};
use crate::failure::Failure;
use crate::front::Front;
use crate::installed::{Form, Installed, ToInstall};
use crate::oci_image::{OciImage, OciPart};
use crate::packages::Machine;
use crate::plan_file::PlanFile;
use crate::unwatched::{Unwatched, unwatched};

/// What a backend says against a plan.
pub type Refusals = Vec<Box<dyn Diagnostic>>;

/// What all products are made from.
pub struct Emission<'a> {
    /// The plan's text.
    pub file: &'a PlanFile,
    /// The resolved plan and its bases.
    pub front: &'a Front,
    /// The bases that the command line names, as it writes them.
    pub layouts: &'a [String],
    /// What everything is dated, in seconds since 1970.
    pub time: u64,
    /// What the image of a layout is called.
    pub names: &'a [ImageReference],
    /// What the daemon that will build a definition can do.
    pub limits: Limits,
    /// What is asked of a Dockerfile.
    pub eject: Wanted,
    /// What is asked of a definition.
    pub definition: definition::Wanted<'a>,
    /// The sets of packages, once they are installed for a definition.
    pub installed: Option<Rc<Installed>>,
    /// Where packages are.
    pub packages: Machine<'a>,
    /// How the layers of an image that we write are compressed.
    pub compression: Compression,
}

/// What a backend made.
pub enum Product {
    /// One file.
    File {
        /// Its name in a directory.
        name: &'static str,
        /// Its bytes, in pieces that follow each other.
        pieces: Vec<Vec<u8>>,
        /// What whoever uses it should know.
        warnings: Vec<Unwatched>,
    },
    /// A definition, which names no image config: that goes beside it, where there is a directory.
    Definition {
        /// The image, for one platform.
        image: Box<LlbImage>,
        /// What lies beside it in a directory.
        beside: Option<Box<Beside>>,
        /// What whoever uses it should know.
        warnings: Vec<Unwatched>,
    },
    /// A Dockerfile, with what lies beside it.
    Eject(Eject),
    /// Images of one layout, which are written while their layers are read.
    Images(Vec<OciImage>),
}

/// The plan itself as text or JSON; `None` for a format that is something else.
pub fn plan_text(format: Artifact, plan: &Plan) -> Option<Product> {
    let (name, text) = match format {
        Artifact::Cpk => ("plan.cpk", syntax::print(plan)),
        Artifact::Json => ("plan.json", json::write(plan)),
        Artifact::Llb | Artifact::LlbText | Artifact::Dockerfile | Artifact::Oci => return None,
    };
    let pieces = vec![text.into_bytes()];
    Some(Product::File { name, pieces, warnings: Vec::new() })
}

/// Writes one file so that it is there whole or not at all.
pub fn write_file(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    write_file_atomically(path, bytes).map_err(|error| Failure::of(&error))
}

impl Emission<'_> {
    /// Makes one product, or says what speaks against it.
    pub fn product(&mut self, format: Artifact) -> Result<Result<Product, Refusals>, Failure> {
        let plan = &self.front.resolved;
        match format {
            Artifact::Cpk | Artifact::Json => {
                let written = match cogpack_compiler::parse(&self.file.text) {
                    Ok(written) => plan_text(format, &written),
                    // It was read before anything was emitted, so it can be read again.
                    Err(_) => None,
                };
                Ok(written.ok_or_else(Vec::new))
            }
            Artifact::Llb | Artifact::LlbText => self.llb(format),
            Artifact::Dockerfile => {
                Ok(eject::eject(&self.eject, plan, self.file, self.packages)?.map(Product::Eject))
            }
            Artifact::Oci => Ok(self.image()?.map(|image| Product::Images(vec![image]))),
        }
    }

    /// The image of a layout.
    fn image(&self) -> Result<Result<OciImage, Refusals>, Failure> {
        let of_platforms = match self.fronts()? {
            Ok(fronts) => fronts,
            Err(findings) => return Ok(Err(findings)),
        };
        let fronts = if of_platforms.is_empty() { vec![self.front] } else { of_platforms.iter().collect() };
        let mut parts = Vec::with_capacity(fronts.len());
        for Front { resolved, bases } in fronts {
            let lowered = OciDirect { at_hand: bases.names(), ..OciDirect::default() }.lower(resolved);
            let made = match lowered {
                Ok(recipe) => OciPart::assemble(&recipe, bases, self)?,
                Err(refused) => Err(boxed(refused)),
            };
            match made {
                Ok(part) => parts.push(part),
                // Another platform would be refused for the same.
                Err(refused) => return Ok(Err(refused)),
            }
        }
        Ok(Ok(OciImage::new(parts, self.names)))
    }

    /// The plan for each of its platforms, where these have other files; else none.
    fn fronts(&self) -> Result<Result<Vec<Front>, Refusals>, Failure> {
        let platforms = self.platforms();
        if platforms.len() < 2 || !differs_by_platform(&self.front.resolved) {
            return Ok(Ok(Vec::new()));
        }
        let mut fronts = Vec::with_capacity(platforms.len());
        for platform in &platforms {
            let of_platform = match cogpack_compiler::parse(&self.file.text) {
                Ok(mut plan) => {
                    plan.platforms.retain(|declared| declared.value == *platform);
                    let bases = Bases::read(&plan, self.layouts, self.file, self.packages)?;
                    cogpack_compiler::compile(plan, &bases.world()).map(|resolved| Front { resolved, bases })
                }
                Err(findings) => Err(findings),
            };
            match of_platform {
                Ok(front) => fronts.push(front),
                Err(findings) => return Ok(Err(boxed(findings))),
            }
        }
        Ok(Ok(fronts))
    }

    fn llb(&mut self, format: Artifact) -> Result<Result<Product, Refusals>, Failure> {
        let plan = &self.front.resolved;
        let source = SourceText { name: self.file.own_name(), text: Arc::clone(&self.file.text) };
        let mut backend = Llb { limits: self.limits, ..Llb::new(source) };
        if let ([platform], Some(_)) = (self.platforms().as_slice(), self.definition.directory) {
            if let Err(refusals) = self.install(&backend)? {
                return Ok(Err(refusals));
            }
            if let Some(installed) = &self.installed {
                backend.installed = installed.contexts(platform)?;
                backend.known = known(plan, self.limits, &BTreeMap::new(), &installed.trees);
            }
        }
        let mut images = match backend.lower(plan) {
            Ok(images) => images,
            // For one platform they would be installed.
            Err(refused)
                if format == Artifact::Llb
                    && self.definition.directory.is_some()
                    && refused.iter().all(|gap| gap.code == NOT_INSTALLED) =>
            {
                return Ok(Err(boxed(vec![self.one_platform_only()])));
            }
            Err(refused) => return Ok(Err(boxed(refused))),
        };
        let warnings = unwatched(&images, self.front, self.file);
        if format == Artifact::LlbText {
            let mut pieces: Vec<Vec<u8>> = Vec::new();
            for image in images {
                if !pieces.is_empty() {
                    pieces.push(b"\n".to_vec());
                }
                pieces.push(listing(&image).into_bytes());
            }
            return Ok(Ok(Product::File { name: "llb.txt", pieces, warnings }));
        }
        match (images.pop(), images.is_empty()) {
            (Some(image), true) => {
                let definition::Wanted { directory, changed } = self.definition;
                let installed = || self.installed.clone().unwrap_or_default();
                let beside = directory
                    .map(|directory| Beside::of(directory, changed, &image, plan, self.file, installed()));
                Ok(Ok(Product::Definition { image: Box::new(image), beside: beside.map(Box::new), warnings }))
            }
            (Some(_), false) | (None, _) => Ok(Err(boxed(vec![self.one_platform_only()]))),
        }
    }

    fn platforms(&self) -> Vec<Platform> {
        self.front.resolved.plan().platforms.iter().map(|it| it.value.clone()).collect()
    }

    /// Installs the sets of packages that the plan uses, if nothing else is refused.
    fn install(&mut self, backend: &Llb) -> Result<Result<(), Refusals>, Failure> {
        let plan = &self.front.resolved;
        if self.installed.is_some() {
            return Ok(Ok(()));
        }
        let Some(to_install) = ToInstall::of(plan, self.packages, self.time)? else { return Ok(Ok(())) };
        let foreseen = Llb { installed: to_install.foreseen(), ..backend.clone() };
        if let Err(refused) = foreseen.lower(plan) {
            return Ok(Err(boxed(refused)));
        }
        Ok(match to_install.install(Form::Archive)? {
            Ok(installed) => {
                self.installed = Some(Rc::new(installed));
                Ok(())
            }
            Err(problems) => Err(boxed(problems)),
        })
    }

    /// A definition in a file is for one platform; whoever solves several joins them.
    fn one_platform_only(&self) -> Unsupported {
        let platforms = &self.front.resolved.plan().platforms;
        let last = platforms.last();
        let way_out = last.map_or_else(String::new, |last| {
            format!("`--platform {}` compiles for one of them; `-o llb.txt` shows all", last.value)
        });
        Unsupported {
            backend: cogpack_backends_llb::NAME,
            code: "cpk::unsupported::platform",
            what: format!("{} platforms in one definition", platforms.len()),
            span: last.map_or(Span::NOWHERE, |last| last.span),
            help: way_out,
        }
    }
}

/// Refusals of one kind as refusals of any.
pub fn boxed<R: Diagnostic + 'static>(refusals: Vec<R>) -> Refusals {
    refusals.into_iter().map(|refusal| Box::new(refusal) as Box<dyn Diagnostic>).collect()
}

impl Product {
    /// Its name in a directory that holds several.
    pub fn name(&self) -> &'static str {
        match self {
            Self::File { name, .. } => name,
            Self::Definition { .. } => definition::NAME,
            Self::Eject(_) => "dockerfile",
            Self::Images(_) => "oci",
        }
    }

    /// What whoever asked for it should know.
    pub fn notes(&self) -> &[Note] {
        match self {
            Self::Eject(eject) => &eject.notes,
            Self::File { .. } | Self::Definition { .. } | Self::Images(_) => &[],
        }
    }

    /// What its backend warns of.
    pub fn warnings(&self) -> &[Unwatched] {
        match self {
            Self::File { warnings, .. } | Self::Definition { warnings, .. } => warnings,
            Self::Eject(_) | Self::Images(_) => &[],
        }
    }

    /// Whether an image config goes with it that says something.
    pub fn leaves_out_a_config(&self) -> bool {
        match self {
            Self::Definition { image, .. } => image.has_config(),
            Self::File { .. } | Self::Eject(_) | Self::Images(_) => false,
        }
    }

    /// Writes what goes with it into the directory that it is in.
    pub fn write_beside(&self, directory: &Path) -> Result<(), Failure> {
        match self {
            Self::Definition { image, beside: Some(beside), .. } => beside.write(directory, image),
            Self::Definition { beside: None, .. } | Self::File { .. } | Self::Eject(_) | Self::Images(_) => {
                Ok(())
            }
        }
    }

    /// Writes it to standard output, where it is one file.
    pub fn print(&self, console: &mut Console<'_>) -> Result<(), Failure> {
        match self {
            Self::File { pieces, .. } => pieces.iter().for_each(|piece| console.data(piece)),
            Self::Definition { image, .. } => {
                image.definition.hand_over(|pieces| pieces.for_each(|piece| console.data(&piece)))
            }
            Self::Eject(eject) => console.data(eject.as_text()),
            Self::Images(_) => {
                return Err(Failure::new("an image layout cannot go to standard output")
                    .with_hint("`-O DIR` writes the layout, `-O FILE.tar` a tar of it"));
            }
        }
        Ok(())
    }

    /// Writes it as `path`: whole, or not at all.
    pub fn write(&self, path: &Path) -> Result<(), Failure> {
        match self {
            Self::File { pieces, .. } => {
                write_pieces_atomically(path, pieces).map_err(|error| Failure::of(&error))
            }
            Self::Definition { image, .. } => {
                let written = image.definition.hand_over(|pieces| write_pieces_atomically(path, pieces));
                written.map_err(|error| Failure::of(&error))
            }
            Self::Eject(eject) => eject.write(path),
            Self::Images(images) => OciImage::write(images, path),
        }
    }
}
