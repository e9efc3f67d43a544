//! The Dockerfile backend: a plan as a Dockerfile, in the dialect of the builder that reads it.
//!
//! Each stage of the plan is a stage of the Dockerfile, each op one instruction or a few. What a
//! dialect can say is one table ([`features`]); what it cannot is said in another way with the
//! same result, or refused by name. `docs/dockerfile.md` has all of it side by side.
//!
//! | in the plan | in the Dockerfile |
//! |---|---|
//! | `run`, `exec` | `RUN`: a line, a here-document or a JSON list; see [`execution`] |
//! | mounts | `--mount`, or what stands in for it: [`stand_ins`] |
//! | variables, user, directory of one op | `export` in the script, `env` before a program: [`shells`]; `USER` and `WORKDIR` around it |
//! | `env` | `ENV`; `unset` of what is set is refused |
//! | `workdir` | `WORKDIR` as root, because it makes the directory |
//! | `shell` | `SHELL`, or JSON lists that name it where the exported image must not: [`shells`] |
//! | `copy` | `COPY` from where the files lie, from what was gathered beside the Dockerfile, or `--from`: [`copy`] |
//! | `file` | `COPY` of a here-document, or of a file beside the Dockerfile: [`here_files`] |
//! | `symlink` | `COPY` of a link beside the Dockerfile |
//! | `mkdir` | `WORKDIR`, then `chown` and `chmod` where it says an owner or mode; where there are no programs, `COPY` of a directory beside |
//! | `remove`, `replace` | `rm` in a `RUN`; refused where there are no programs |
//! | `layer` | an independent one is made in a stage of its own and copied whole, or by `COPY --link`; of others the ops one by one, as nothing groups instructions |
//! | `phase … parallel` as an input | a chain of what its stages do: [`parallel`] |
//! | `http`, `git`, `oci` | stages and names: [`remote`] |
//!
//! `env`, `rm`, `chmod`, `install` and `test` are programs of the image, named by the directory that
//! they are in, so that no `PATH` of the plan leads to others; where one is missing the build fails. `COPY` follows a link that it is told to copy, the plan does not: see
//! [`links`] for how that is kept.

mod artifact;
mod beside;
mod checks;
mod config;
mod copy;
mod dialect;
mod environment;
mod execution;
mod features;
mod file_ops;
mod header;
mod here_files;
mod links;
mod lowering;
mod mounts;
mod names;
mod owners;
mod parallel;
mod places;
mod programs;
mod reads;
mod remote;
mod section;
mod shells;
mod stand_ins;
mod surroundings;
mod words;

#[cfg(test)]
mod tests;

use cogpack_backends_contract::{Backend, Unsupported};
use cogpack_ir::resolve::Resolved;

pub use artifact::{Artifact, Beside, Command, Never, Note, Taken};
pub use dialect::{Dialect, NoSyntax, Syntax, Version};
pub use reads::{contexts, followed_sources, optional_sources, patterns_of_copies, sources_with_mode};
pub use surroundings::{Root, Surroundings};

/// The backend's name.
pub(crate) const NAME: &str = "dockerfile";

/// The lowering to a Dockerfile.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Dockerfile {
    /// Who reads it.
    pub dialect: Dialect,
    /// Where it will stand.
    pub surroundings: Surroundings,
}

impl Backend for Dockerfile {
    type Artifact = Artifact;

    fn name(&self) -> &'static str {
        NAME
    }

    fn lower(&self, plan: &Resolved) -> Result<Artifact, Vec<Unsupported>> {
        lowering::lower(plan, &self.dialect, &self.surroundings)
    }
}
