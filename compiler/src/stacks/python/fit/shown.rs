//! What was decided about frameworks and GPUs, for people.

use cogpack_catalogue::frameworks::BuildSource;

use super::{Chosen, Fit};
use crate::stacks::why::Decision;

impl Fit {
    /// The decisions, in the order of the frameworks' names.
    pub fn decisions(&self) -> Vec<Decision> {
        let mut decisions: Vec<Decision> = self.frameworks.iter().map(Chosen::decision).collect();
        if let Some(of_base) = &self.of_base {
            let any = |range: String| if range.is_empty() { "any".to_owned() } else { range };
            let cudnn =
                of_base.cudnn.as_ref().map(|cudnn| format!(", with cuDNN {cudnn}")).unwrap_or_default();
            decisions.push(Decision {
                what: "CUDA of the base".to_owned(),
                value: format!("{}{cudnn}", any(of_base.cuda.to_string())),
                at: None,
                because: "a GPU is wanted, and no package brings CUDA's libraries".to_owned(),
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
