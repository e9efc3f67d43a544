//! Where the files of a context are, as the instructions of a Dockerfile name them.

use cogpack_ir::plan::{ContextKind, Input, InputName, Span};

use crate::artifact::{Beside, Taken};
use crate::features::Feature;
use crate::here_files;
use crate::lowering::Lowering;
use crate::words::{operands, source_word, word};

/// Where a context is.
pub(crate) struct Place {
    /// What `--from` names, for one that is not in the build context.
    pub(crate) from: Option<String>,
    /// The directory; empty where it is the build context itself.
    directory: String,
    kind: Kind,
    /// What of the plan reads it.
    span: Span,
}

/// Who has put the files there.
enum Kind {
    /// Nobody: they are read where they lie.
    InPlace,
    /// They were gathered: the entry of [`Artifact::beside`](crate::Artifact::beside).
    Gathered(String),
    /// They stand in the Dockerfile.
    Written,
}

/// Finds a context, and lays it beside the Dockerfile where it can be read nowhere else.
pub(crate) fn of_context(lowering: &mut Lowering<'_>, name: &InputName, span: Span) -> Option<Place> {
    check(lowering, name, span)?;
    let is_root = lowering.surroundings.root.as_ref().is_some_and(|root| root.context == *name);
    if is_root {
        return Some(Place { from: None, directory: String::new(), kind: Kind::InPlace, span });
    }
    if lowering.surroundings.named.contains_key(name) && lowering.knows(Feature::NamedContext) {
        lowering.asked.contexts.insert(name.clone());
        let from = lowering.names.context(name);
        return Some(Place { from: Some(from), directory: "/".to_owned(), kind: Kind::InPlace, span });
    }
    if let Some(ContextKind::Files(files)) = lowering.plan.plan().contexts.get(name).map(|it| &it.kind)
        && let Some(stage) = here_files::stage_of(lowering, name, files)
    {
        return Some(Place { from: Some(stage), directory: "/".to_owned(), kind: Kind::Written, span });
    }
    let kind = lowering.plan.plan().contexts.get(name).map(|it| &it.kind);
    let is_archive = kind.is_some_and(is_archive);
    let taken = Taken::default();
    let (entry, whole) = match is_archive {
        true => (format!("packages/{}.tar", name.as_str()), Beside::Archive { name: name.clone(), taken }),
        false => (format!("contexts/{}", name.as_str()), Beside::Context { name: name.clone(), taken }),
    };
    lowering.lies_beside(&format!("the context `{name}`"), "", span);
    let named = lowering.path_beside(&entry);
    if !lowering.beside.contains_key(&entry) {
        if let Some(ContextKind::Wheels(_) | ContextKind::Debs(_)) = kind {
            let what = format!("`{entry}` is what `{name}` installs: other packages need another eject");
            lowering.note(what, span);
        }
        lowering.beside.insert(entry.clone(), whole);
    }
    let kind = Kind::Gathered(entry);
    if is_archive {
        let from = unpacked(lowering, name, &named);
        return Some(Place { from: Some(from), directory: "/".to_owned(), kind, span });
    }
    Some(Place { from: None, directory: named, kind, span })
}

impl Place {
    /// A path of the context, empty for all of it; noted as read.
    pub(crate) fn read(&self, lowering: &mut Lowering<'_>, name: &InputName, path: &str) -> String {
        if let Some(taken) = self.taken(lowering, name) {
            taken.paths.entry(path.to_owned()).or_insert(self.span);
        }
        self.way(path)
    }

    /// The same of a pattern, which reads what it matches.
    pub(crate) fn way(&self, path: &str) -> String {
        match (self.directory.as_str(), path) {
            ("", "") => ".".to_owned(),
            ("", path) => path.to_owned(),
            ("/", path) => format!("/{path}"),
            (directory, "") => directory.to_owned(),
            (directory, path) => format!("{directory}/{path}"),
        }
    }

    /// Notes that a path of the context must not be a link.
    pub(crate) fn never_a_link(&self, lowering: &mut Lowering<'_>, name: &InputName, path: &str) {
        if let Some(taken) = self.taken(lowering, name) {
            taken.never_links.entry(path.to_owned()).or_insert(self.span);
        }
    }

    /// Where is noted what is taken of the context; nowhere for one whose files the plan writes,
    /// among which there are no links.
    fn taken<'l>(&self, lowering: &'l mut Lowering<'_>, name: &InputName) -> Option<&'l mut Taken> {
        match &self.kind {
            Kind::InPlace => Some(lowering.read.entry(name.clone()).or_default()),
            Kind::Gathered(entry) => match lowering.beside.get_mut(entry) {
                Some(Beside::Context { taken, .. } | Beside::Archive { taken, .. }) => Some(taken),
                // What is gathered under that name is always a context.
                Some(
                    Beside::Copied { .. }
                    | Beside::File { .. }
                    | Beside::Directory { .. }
                    | Beside::Symlink { .. },
                )
                | None => None,
            },
            Kind::Written => None,
        }
    }
}

/// Whether a context can only lie beside the Dockerfile as a tar: its files have owners, and modes that
/// builders take off. One without packages has no files, and no builder takes an empty tar for a tar.
fn is_archive(kind: &ContextKind) -> bool {
    match kind {
        ContextKind::Debs(debs) => !debs.packages.is_empty(),
        ContextKind::Directory(_)
        | ContextKind::Http(_)
        | ContextKind::Git(_)
        | ContextKind::Oci(_)
        | ContextKind::Files(_)
        | ContextKind::Wheels(_) => false,
    }
}

/// The stage in which the tar of a context, as instructions name it, is unpacked; made at its first use.
fn unpacked(lowering: &mut Lowering<'_>, name: &InputName, tar: &str) -> String {
    let key = (Input::Context(name.clone()), String::new());
    if let Some(stage) = lowering.parts.get(&key) {
        return stage.clone();
    }
    let words = operands(&[source_word(tar), "/".to_owned()]);
    let stage = lowering.stage_of_one(name.as_str(), &format!("context {name}"), &format!("ADD {words}"));
    lowering.parts.insert(key, stage.clone());
    stage
}

/// A stage that holds a part of a context: to start from it, and for mounts where a builder would
/// show the files of a context as they lie on disk, with the user's owner and what is ignored
/// among them.
pub(crate) fn stage_of_part(
    lowering: &mut Lowering<'_>,
    name: &InputName,
    part: &str,
    span: Span,
) -> Option<String> {
    let key = (Input::Context(name.clone()), part.to_owned());
    if let Some(stage) = lowering.parts.get(&key) {
        return Some(stage.clone());
    }
    let place = of_context(lowering, name, span)?;
    match &place.kind {
        Kind::Written if part.is_empty() => return place.from,
        // All of it is there, with its owners and modes.
        Kind::Gathered(_) if place.from.is_some() => return place.from,
        Kind::InPlace | Kind::Gathered(_) | Kind::Written => {}
    }
    let source = source_word(&place.read(lowering, name, part));
    let flag = place.from.map(|from| format!("--from={from} ")).unwrap_or_default();
    let owner = if lowering.knows(Feature::RootsFiles) { "" } else { "--chown=0:0 " };
    let words = operands(&[source, word(&format!("/{part}"))]);
    let comment = format!("files of context {name}");
    let line = format!("COPY {flag}{owner}{words}");
    let stage = lowering.stage_of_one(&format!("{}-files", name.as_str()), &comment, &line);
    lowering.parts.insert(key, stage.clone());
    Some(stage)
}

/// Refuses contexts whose files a Dockerfile cannot be given.
pub(crate) fn check(lowering: &mut Lowering<'_>, name: &InputName, span: Span) -> Option<()> {
    let kind = lowering.plan.plan().contexts.get(name).map(|context| &context.kind)?;
    const FETCH: &str = "fetch it into a directory and declare that as `dir`, or emit LLB with `-o llb`";
    let (what, help) = match kind {
        ContextKind::Directory(_) | ContextKind::Files(_) | ContextKind::Wheels(_) | ContextKind::Debs(_) => {
            return Some(());
        }
        ContextKind::Http(_) => ("a download", FETCH),
        ContextKind::Git(_) => ("a git repository", FETCH),
        ContextKind::Oci(_) => ("an OCI image layout", FETCH),
    };
    lowering.refuse("cpk::unsupported::context", format!("the context `{name}` is {what}"), span, help);
    None
}

/// Whether an input is a context that the command line names.
pub(crate) fn is_named(lowering: &Lowering<'_>, input: &Input) -> bool {
    matches!(input, Input::Context(name) if lowering.surroundings.named.contains_key(name))
}

impl Lowering<'_> {
    /// Whether builders find the root of a context where the context has its own, and not in a
    /// directory further down, out of which links could lead.
    pub(crate) fn is_a_root(&self, name: &InputName) -> bool {
        let is_main = self.surroundings.root.as_ref().is_some_and(|root| root.context == *name);
        is_main || self.surroundings.named.contains_key(name) && self.knows(Feature::NamedContext)
    }

    /// Whether what a copy of `path` leaves out can be left out of the whole build.
    pub(crate) fn ignores(&self, name: &InputName, path: &str) -> bool {
        let is_root = self.surroundings.root.as_ref().is_some_and(|root| root.context == *name);
        is_root
            && !self.surroundings.alone
            && self.knows(Feature::OwnIgnoreFile)
            && self.reads.is_read_once(name, path)
    }
}
