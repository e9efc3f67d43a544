//! Contexts that a Dockerfile cannot copy from as they are: each becomes a stage, or a name that
//! the command line gives.
//!
//! | context | becomes |
//! |---|---|
//! | `http` | a stage on nothing with `ADD --checksum` of the address; the mode is always said |
//! | `git` | a stage on nothing with `ADD` of the repository at its commit |
//! | `oci` | a name: `--build-context NAME=oci-layout://…` |

use cogpack_ir::plan::context::{GitContext, HttpContext};
use cogpack_ir::plan::{ContextKind, Input, InputName, Mode, Span};

use crate::features::Feature;
use crate::lowering::Lowering;
use crate::section::{self, relative};
use crate::words::{operands, word};

/// Whether files of a context are copied from a stage or name, and not from a directory.
pub(crate) fn is_remote(lowering: &Lowering<'_>, name: &InputName) -> bool {
    match lowering.plan.plan().contexts.get(name).map(|context| &context.kind) {
        Some(ContextKind::Http(_) | ContextKind::Git(_) | ContextKind::Oci(_)) => true,
        Some(
            ContextKind::Directory(_) | ContextKind::Files(_) | ContextKind::Wheels(_) | ContextKind::Debs(_),
        )
        | None => false,
    }
}

/// What `--from` takes for such a context; made at its first use.
pub(crate) fn name_of(lowering: &mut Lowering<'_>, name: &InputName, span: Span) -> Option<String> {
    let key = (Input::Context(name.clone()), String::new());
    if let Some(made) = lowering.parts.get(&key) {
        return Some(made.clone());
    }
    let plan = lowering.plan;
    let made = match &plan.plan().contexts.get(name)?.kind {
        ContextKind::Http(it) => http(lowering, name, it, span),
        ContextKind::Git(it) => git(lowering, name, it, span),
        ContextKind::Oci(_) => oci(lowering, name, span),
        ContextKind::Directory(_) | ContextKind::Files(_) | ContextKind::Wheels(_) | ContextKind::Debs(_) => {
            None
        }
    }?;
    lowering.parts.insert(key, made.clone());
    Some(made)
}

fn http(lowering: &mut Lowering<'_>, name: &InputName, context: &HttpContext, span: Span) -> Option<String> {
    let url = context.url.value.as_str();
    let help = "fetch it into a directory and declare that as `dir`, or choose `--dialect buildkit`";
    if url.ends_with(".git") {
        let what = format!("the download `{url}`, which `ADD` takes for a repository");
        lowering.refuse("cpk::unsupported::context", what, span, help);
        return None;
    }
    let mode = context.mode.unwrap_or(Mode::FILE);
    if !lowering.must(Feature::Mode, "the mode of a download", span, help) {
        return None;
    }
    let mut flags = format!("--chmod={mode} ");
    if let Some(checksum) = &context.checksum {
        if !lowering.must(Feature::Checksum, "the checksum of a download", span, help) {
            return None;
        }
        flags.push_str(&format!("--checksum={checksum} "));
    }
    let address = url.split('?').next().unwrap_or(url);
    let last_part = address.rsplit('/').next().filter(|part| !part.is_empty());
    let file = context.name.as_ref().map(|name| name.as_str()).or(last_part)?;
    let words = operands(&[word(url), word(&format!("/{file}"))]);
    Some(lowering.stage_of_one(name.as_str(), &format!("context {name}"), &format!("ADD {flags}{words}")))
}

fn git(lowering: &mut Lowering<'_>, name: &InputName, context: &GitContext, span: Span) -> Option<String> {
    let url = context.url.value.as_str();
    let help = "clone it into a directory and declare that as `dir`, or choose `--dialect buildkit`";
    let is_known = (url.starts_with("https://") || url.starts_with("http://")) && url.ends_with(".git")
        || url.starts_with("git://");
    if !is_known {
        let what = format!("the repository `{url}`, whose address `ADD` does not take for one");
        let help = "write its https address with `.git` at the end, or declare a checkout as `dir`";
        lowering.refuse("cpk::unsupported::git-address", what, span, help);
        return None;
    }
    if !lowering.must(Feature::Repository, "a git repository", span, help) {
        return None;
    }
    let mut address = url.to_owned();
    let subdir = context.subdir.as_ref().map(|subdir| relative(subdir)).filter(|path| !path.is_empty());
    if context.commit.is_some() || subdir.is_some() {
        let commit = context.commit.as_ref().map_or("", |commit| commit.value.as_str());
        address.push_str(&format!("#{commit}"));
    }
    if let Some(subdir) = subdir {
        address.push_str(&format!(":{subdir}"));
    }
    let words = operands(&[word(&address), "/".to_owned()]);
    Some(lowering.stage_of_one(name.as_str(), &format!("context {name}"), &format!("ADD {words}")))
}

fn oci(lowering: &mut Lowering<'_>, name: &InputName, span: Span) -> Option<String> {
    let help = "push it to a registry and declare it as `image`, or choose `--dialect buildkit`";
    let is_reachable = lowering.surroundings.named.contains_key(name);
    if !is_reachable || !lowering.must(Feature::Layout, "an image in a layout", span, help) {
        if !is_reachable {
            let what =
                format!("the context `{name}` is an OCI image layout, which a build must be given by name");
            lowering.refuse("cpk::unsupported::context", what, span, help);
        }
        return None;
    }
    lowering.asked.contexts.insert(name.clone());
    Some(lowering.names.context(name))
}

impl Lowering<'_> {
    /// A stage on nothing with one instruction.
    pub(crate) fn stage_of_one(&mut self, wanted: &str, comment: &str, line: &str) -> String {
        let name = self.names.fresh(wanted);
        self.sections.push(format!("{}\nFROM scratch AS {name}\n{line}", section::comment(comment)));
        name
    }

    /// What `--build-context` takes for a context.
    pub(crate) fn context_argument(&self, name: &InputName) -> String {
        let path = self.surroundings.named.get(name).map_or(".", String::as_str);
        match self.plan.plan().contexts.get(name).map(|context| &context.kind) {
            Some(ContextKind::Oci(layout)) => {
                let which = match (&layout.digest, &layout.tag) {
                    (Some(digest), _) => format!("@{}", digest.value),
                    (None, Some(tag)) => format!(":{tag}"),
                    (None, None) => String::new(),
                };
                // A path that begins with nothing would be taken for a name.
                let path = if path.starts_with('.') { path.to_owned() } else { format!("./{path}") };
                format!("oci-layout://{path}{which}")
            }
            Some(
                ContextKind::Directory(_)
                | ContextKind::Http(_)
                | ContextKind::Git(_)
                | ContextKind::Files(_)
                | ContextKind::Wheels(_)
                | ContextKind::Debs(_),
            )
            | None => {
                if path.is_empty() {
                    ".".to_owned()
                } else {
                    path.to_owned()
                }
            }
        }
    }
}
