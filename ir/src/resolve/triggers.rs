//! Build triggers of base images (`ONBUILD`): instructions that builders of Dockerfiles run in
//! whatever is made from such an image. A plan says itself all that its image is made of, so it
//! leaves them alone; an author who knows the base from Dockerfiles is told.

use std::collections::BTreeMap;

use miette::Diagnostic;

use super::Resolved;
use crate::draw::describe::{counted, one_line};
use crate::finding::{self, Place};
use crate::plan::{Input, InputName};

/// Most triggers that a message tells.
const MOST_TOLD: usize = 3;

/// Most characters of each.
const LONGEST_TOLD: usize = 60;

/// Triggers read elsewhere, by the name of the image or context.
pub type KnownTriggers = BTreeMap<InputName, Vec<String>>;

/// What a plan leaves alone of a base.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Diagnostic)]
pub enum TriggerFinding {
    /// A base has build triggers.
    #[error("`{base}` has {told}, which a plan leaves alone")]
    #[diagnostic(
        code(cpk::image::triggers),
        severity(Warning),
        help("say in a stage what they would do, if it is wanted")
    )]
    LeftAlone {
        /// The image or context.
        base: String,
        /// How many there are, and the first of them.
        told: String,
        /// The declaration.
        #[label("declared here")]
        place: Place,
    },
}

impl Resolved {
    /// The same, knowing the build triggers of bases, and warning of those that something that
    /// the export needs starts from.
    pub fn with_triggers(mut self, known: &KnownTriggers) -> Self {
        let starts = self.order.iter().filter_map(|id| self.plan.stages[id.index()].from.as_ref());
        let starts = starts.chain([&self.export.from]).filter_map(|from| match &from.value {
            Input::Image(name) | Input::Context(name) => known.get_key_value(name),
            Input::Scratch | Input::Stage(_) | Input::Phase(_) => None,
        });
        let started: BTreeMap<_, _> = starts.filter(|(_, triggers)| !triggers.is_empty()).collect();
        for (name, triggers) in started {
            let image = self.plan.images.get(name).map(|image| image.span);
            let span = image.or_else(|| self.plan.contexts.get(name).map(|context| context.span));
            let place = span.and_then(crate::plan::Span::place);
            let (base, told) = (name.to_string(), told(triggers));
            self.warnings.push(TriggerFinding::LeftAlone { base, told, place }.into());
        }
        finding::sort(&mut self.warnings);
        self.triggers.clone_from(known);
        self
    }
}

/// `2 build triggers (`RUN make`, `COPY . /src`)`
pub fn told(triggers: &[String]) -> String {
    let first = triggers.iter().take(MOST_TOLD).map(|trigger| {
        let line = one_line(trigger);
        match line.char_indices().nth(LONGEST_TOLD) {
            Some((end, _)) => format!("`{}…`", &line[..end]),
            None => format!("`{line}`"),
        }
    });
    let mut first: Vec<String> = first.collect();
    if triggers.len() > MOST_TOLD {
        first.push("…".to_owned());
    }
    format!("{} ({})", counted(triggers.len(), "build trigger"), first.join(", "))
}
