//! What planning a project is told on the command line.

use std::path::PathBuf;

use clap::Args;
use cogpack_content::Platform;

/// Options of every command that plans a project.
#[derive(Debug, Clone, Default, Args)]
pub struct ProjectOptions {
    /// The file that says how the model is built, by its path from the project's directory on. Left out:
    /// `cog.yaml`. Paths in it are from that directory on too, wherever the file is.
    #[arg(id = "project-file", short = 'f', long = "file", value_name = "FILE", help_heading = "Projects")]
    pub file: Option<PathBuf>,
    /// The kind of project, where its files do not decide: `python`.
    #[arg(long, value_name = "NAME", help_heading = "Projects")]
    pub stack: Option<String>,
    /// What the image starts from: `catalogue`, which is meant if nothing is said, for the image that
    /// fits best; `debian` for Debian packages alone; or an image of the catalogue.
    #[arg(long, value_name = "catalogue|debian|IMAGE", help_heading = "Projects")]
    pub base: Option<String>,
    /// The image that packages without wheels are built in, one of the catalogue. Left out: the one with a
    /// compiler that fits what the image starts from.
    #[arg(long, value_name = "IMAGE", help_heading = "Projects")]
    pub build_base: Option<String>,
    /// A catalogue of base images, or a directory of some, that goes before the one that is shipped;
    /// may be given several times; also COGPACK_CATALOGUE.
    #[arg(long = "catalogue", value_name = "FILE|DIR", help_heading = "Projects")]
    pub catalogues: Vec<PathBuf>,
    /// Warn of unknown keys of `cog.yaml` instead of refusing them.
    #[arg(long, help_heading = "Projects")]
    pub lenient: bool,
    /// The model's OpenAPI document, instead of the one that is made from its Python files.
    #[arg(long, value_name = "FILE", help_heading = "Projects")]
    pub openapi_schema: Option<PathBuf>,
    /// Who the image's program runs as: a number, a number with a group's, `1000:1000`, or a name that
    /// the base knows. Left out: as whom the base says, which mostly is root.
    #[arg(long, value_name = "USER", help_heading = "Projects")]
    pub user: Option<String>,
    /// Put byte code of the packages into the image, made by its own Python, each file with the hash of
    /// its source.
    #[arg(long, help_heading = "Projects")]
    pub precompile: bool,
}

/// The same with what the project is planned for, of the commands that compare plans.
#[derive(Debug, Clone, Default, Args)]
pub struct Planning {
    /// What a project is planned for, and which platforms of a plan are looked at; may be given several
    /// times.
    #[arg(long = "platform", value_name = "PLATFORM", value_delimiter = ',')]
    pub platforms: Vec<Platform>,
    /// How a project is read.
    #[command(flatten)]
    pub project: ProjectOptions,
}

impl Planning {
    /// The first of its options that was given.
    pub fn first_given(&self) -> Option<&'static str> {
        (!self.platforms.is_empty()).then_some("--platform").or_else(|| self.project.first_given())
    }
}

impl ProjectOptions {
    /// The first of them that was given, for commands that are told of something else than a project.
    pub fn first_given(&self) -> Option<&'static str> {
        [
            (self.file.is_some(), "--file"),
            (self.stack.is_some(), "--stack"),
            (self.base.is_some(), "--base"),
            (self.build_base.is_some(), "--build-base"),
            (!self.catalogues.is_empty(), "--catalogue"),
            (self.lenient, "--lenient"),
            (self.openapi_schema.is_some(), "--openapi-schema"),
            (self.user.is_some(), "--user"),
            (self.precompile, "--precompile"),
        ]
        .into_iter()
        .find_map(|(is_given, name)| is_given.then_some(name))
    }
}
