//! What blocks ask for that cannot be.

use miette::Diagnostic;

use super::origin::Origin;

/// Wishes that no plan can keep. They name blocks rather than text: what is wrong is how blocks fit
/// together, and the lines that made them ask stand in their origins.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Diagnostic)]
pub enum ComposeFinding {
    /// A phase that is not there.
    #[error("{by} puts the stage `{stage}` into the phase `{phase}`, which is not there")]
    #[diagnostic(code("project::compose::unknown-phase"), help("the phases are: {known}"))]
    UnknownPhase {
        /// Who.
        by: Origin,
        /// Which stage.
        stage: String,
        /// Which phase.
        phase: String,
        /// Those that are there.
        known: String,
    },
    /// A stage in the phase that holds none.
    #[error("{by} puts the stage `{stage}` into `build.complete`, which never holds one")]
    #[diagnostic(
        code("project::compose::complete"),
        help("`build.complete` stands for what the build leaves; put the stage into a phase before it")
    )]
    Complete {
        /// Who.
        by: Origin,
        /// Which stage.
        stage: String,
    },
    /// One name, two stages.
    #[error("{first} and {second} both make the stage `{stage}`")]
    #[diagnostic(
        code("project::compose::stage-twice"),
        help("a stage belongs to one block: give the second a name of its own")
    )]
    StageTwice {
        /// Which stage.
        stage: String,
        /// Whose it is.
        first: Origin,
        /// Who wants it too.
        second: Origin,
    },
    /// A block that adds to a stage of another.
    #[error("{by} adds to the stage `{stage}`, which {owner} makes")]
    #[diagnostic(
        code("project::compose::foreign-stage"),
        help("a block writes its own stages alone: put a stage into the same phase instead")
    )]
    ForeignStage {
        /// Which stage.
        stage: String,
        /// Whose it is; who would have made it, where nobody did.
        owner: String,
        /// Who adds to it.
        by: Origin,
    },
    /// One name, two inputs that differ.
    #[error("{first} and {second} mean different things by the input `@{name}`")]
    #[diagnostic(
        code("project::compose::input-twice"),
        help("give one of the two another name, or make both the same")
    )]
    InputTwice {
        /// The name.
        name: String,
        /// Who has it.
        first: Origin,
        /// Who wants it too.
        second: Origin,
    },
    /// Something of the image that is wanted in two ways.
    #[error("{first} and {second} want the image's {what} to be different")]
    #[diagnostic(code("project::compose::export"), help("say in the project which one it is, in one place"))]
    Export {
        /// Of what.
        what: String,
        /// Who said it first.
        first: Origin,
        /// Who says another.
        second: Origin,
    },
    /// A name that a plan cannot have.
    #[error("{by} uses the name `{name}`: {rule}")]
    #[diagnostic(code("project::compose::name"), help("rename what it comes from in the project"))]
    Name {
        /// Who.
        by: Origin,
        /// The name.
        name: String,
        /// Which rule it breaks.
        rule: String,
    },
    /// Something that is needed and that nobody brings.
    #[error("the block `{block}` needs `{word}`, which no block of this project provides")]
    #[diagnostic(code("project::compose::nobody-provides"), help("{}", nearest_help(near)))]
    NobodyProvides {
        /// Who needs it.
        block: String,
        /// What.
        word: String,
        /// What is provided under a near name.
        near: Option<String>,
    },
    /// Something that two blocks bring.
    #[error("the blocks `{first}` and `{second}` both provide `{word}`")]
    #[diagnostic(
        code("project::compose::provided-twice"),
        help("only one of them can be in a plan: say in the project which one")
    )]
    ProvidedTwice {
        /// What.
        word: String,
        /// The one.
        first: String,
        /// The other.
        second: String,
    },
    /// Blocks that wait for each other.
    #[error("blocks wait for each other in a circle: {path}")]
    #[diagnostic(code("project::compose::cycle"), help("one of them must do without what it requires"))]
    Cycle {
        /// The whole path: who needs what of whom.
        path: String,
    },
}

fn nearest_help(near: &Option<String>) -> String {
    match near {
        Some(near) => format!("did you mean `{near}`, which is provided?"),
        None => "a block that provides it is missing from the stack".to_owned(),
    }
}
