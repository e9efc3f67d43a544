//! Why a plan and its inputs make no image, as findings about the plan.

use cogpack_backends_contract::accounts::{Account, OwnerProblem};
use cogpack_backends_contract::copy::CopyProblem;
use cogpack_backends_contract::file_ops::FileProblem;
use cogpack_ir::plan::{InputName, Span};

use crate::layer::LayerProblem;
use crate::merge::MergeConflict;
use crate::program::MountProblem;

/// Why a plan and its inputs make no image.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
pub enum AssemblyProblem {
    /// A copy cannot be made.
    #[error("{problem}")]
    #[diagnostic(
        code(cpk::oci::copy),
        help("look at what is in the copy's input: `include`, `exclude` and the ignore file decide")
    )]
    Copy {
        /// Why.
        problem: CopyProblem,
        /// The op.
        #[label("this copy")]
        span: Span,
    },
    /// A `file`, `mkdir`, `symlink`, `remove` or `workdir` cannot be done.
    #[error("{problem}")]
    #[diagnostic(code(cpk::oci::file), help("change the path, or what stands there before"))]
    File {
        /// Why.
        problem: FileProblem,
        /// The op.
        #[label("this op")]
        span: Span,
    },
    /// A layer cannot say it.
    #[error("{problem}")]
    #[diagnostic(code(cpk::oci::layer), help("{}", problem.way_out()))]
    Layer {
        /// Why.
        problem: LayerProblem,
        /// The first op of the layer.
        #[label("this makes the layer")]
        span: Span,
    },
    /// No layer can say what a program has left.
    #[error("{problem}")]
    #[diagnostic(code(cpk::oci::layer), help("{}", problem.way_out_of_program()))]
    LeftByProgram {
        /// Why.
        problem: LayerProblem,
        /// The op.
        #[label("this leaves it")]
        span: Span,
    },
    /// Two stages of a parallel phase write one path.
    #[error("{conflict}")]
    #[diagnostic(
        code(cpk::oci::merge),
        help("let only one of the stages write it, or put them one after the other")
    )]
    Merge {
        /// Which.
        conflict: MergeConflict,
        /// The second of the two stages.
        #[label("this stage")]
        span: Span,
    },
    /// There is no image where an `oci` context says.
    #[error("there is no OCI image layout at `{path}`")]
    #[diagnostic(
        code(cpk::oci::layout),
        help("put one there, as `skopeo copy … oci:DIR:TAG` makes it, or correct the path of `{name}`")
    )]
    Layout {
        /// The context.
        name: InputName,
        /// Where it should be.
        path: String,
        /// Where it is used.
        #[label("used here")]
        span: Span,
    },
    /// What a program wants mounted is not there.
    #[error("{problem}")]
    #[diagnostic(
        code(cpk::oci::mount),
        help("look at what is in the mount's input: `include`, `exclude` and the ignore file decide")
    )]
    Mount {
        /// Why.
        problem: MountProblem,
        /// The mount.
        #[label("this mount")]
        span: Span,
    },
    /// The filesystem of an op does not know its owner.
    #[error("there is no {account} `{name}` in `{}` where the op needs it", account.file())]
    #[diagnostic(
        code("cpk::oci::unknown-owner"),
        help(
            "write the number, for instance `owner 1000:1000`, or make the {account} before this op: \
             in a `run`, or by a `{}` of the plan's own",
            account.file()
        )
    )]
    UnknownOwner {
        /// What it is.
        account: Account,
        /// Its name.
        name: String,
        /// The owner that names it.
        #[label("this owner")]
        span: Span,
    },
    /// What explains names cannot be read.
    #[error("`{}` of the image cannot be read: {why}", account.file())]
    #[diagnostic(code(cpk::oci::accounts), help("write the owner in numbers, for instance `1000:1000`"))]
    Accounts {
        /// What the file explains.
        account: Account,
        /// Why not.
        why: String,
        /// The owner that is to be looked up.
        #[label("this owner is looked up there")]
        span: Span,
    },
    /// Nobody read an input.
    #[error("the input `{name}` was not read")]
    #[diagnostic(code(cpk::oci::input), help("this is a mistake of the program, not of the plan: report it"))]
    Input {
        /// Its name.
        name: InputName,
        /// Where it is used.
        #[label("used here")]
        span: Span,
    },
}

impl AssemblyProblem {
    /// Why an owner has no numbers.
    pub fn of_owner(problem: OwnerProblem, span: Span) -> Self {
        match problem {
            OwnerProblem::Unknown { account, name } => Self::UnknownOwner { account, name, span },
            OwnerProblem::Unreadable(account, error) => {
                Self::Accounts { account, why: error.to_string(), span }
            }
        }
    }
}
