//! What was decided about frameworks and GPUs, for people.

use cogpack_catalogue::Cudnn;
use cogpack_catalogue::frameworks::BuildSource;
use pep440_rs::Version;

use super::{Chosen, Fit};
use crate::stacks::why::Decision;

/// Why the base has a CUDA.
const NOT_BROUGHT: &str = "a GPU is wanted, and no package brings CUDA's libraries";
/// Why it has no cuDNN with it, where one is welcome.
const NOT_THERE: &str = "a GPU is wanted, and no package brings CUDA's libraries; this base has no cuDNN: where a program \
                         opens one, `build.cudnn` asks for a base that has it";
/// The same where nobody uses one.
const CUDNN_BROUGHT: &str = "a GPU is wanted, and cuDNN comes with the packages";

impl Fit {
    /// The decisions, in the order of the frameworks' names, where the base has this cuDNN.
    pub fn decisions(&self, cudnn: Option<&Version>) -> Vec<Decision> {
        let mut decisions: Vec<Decision> = self.frameworks.iter().map(Chosen::decision).collect();
        if let Some(of_base) = &self.of_base {
            let any = |range: String| if range.is_empty() { "any".to_owned() } else { range };
            let (with, because) = match (&of_base.cudnn, cudnn) {
                (Cudnn::Needed(versions), _) => (format!(", with cuDNN {versions}"), NOT_BROUGHT),
                (Cudnn::Welcome, Some(_)) => (", with any cuDNN".to_owned(), NOT_BROUGHT),
                (Cudnn::Welcome, None) => (", without cuDNN".to_owned(), NOT_THERE),
                (Cudnn::Unused, _) => (", without cuDNN".to_owned(), CUDNN_BROUGHT),
            };
            decisions.push(Decision {
                what: "CUDA of the base".to_owned(),
                value: format!("{}{with}", any(of_base.cuda.to_string())),
                at: None,
                because: because.to_owned(),
            });
        }
        decisions
    }
}

impl Chosen {
    fn decision(&self) -> Decision {
        let made_for = match (&self.cuda, &self.cudnn) {
            (Some(cuda), Some(cudnn)) => format!("for CUDA {cuda} with cuDNN {cudnn}"),
            (Some(cuda), None) => format!("for CUDA {cuda}"),
            (None, _) if self.release.is_some() => "for the CPU".to_owned(),
            (None, _) => "of which nothing is known".to_owned(),
        };
        let from = match (&self.source, &self.index) {
            (BuildSource::Package, _) => "of the package index".to_owned(),
            (BuildSource::Index(_), Some(index)) => format!("of {index}"),
            (BuildSource::Index(name), None) => format!("`{name}`, of the index that the project names"),
            (BuildSource::Extra(extra), _) => format!("by the extra `{extra}`"),
            (BuildSource::Base, _) => "with the libraries of the base".to_owned(),
        };
        let because = match &self.release {
            Some(release) => format!("{release} is the newest known release that fits all wishes"),
            None => "the release that is asked for is not in the table".to_owned(),
        };
        Decision {
            what: self.package.clone(),
            value: format!("a build {made_for}, {from}"),
            at: self.by.clone(),
            because,
        }
    }
}
