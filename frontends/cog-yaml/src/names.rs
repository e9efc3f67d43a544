//! The names that the image and the model get.

use std::fmt;

use cogpack_content::ImageReference;
use cogpack_frontends_source::{Place, Placed};
use miette::Diagnostic;

use crate::shape::{Fields, Form, Reading};

/// The repository of a model: a reference without tag and without digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Model(ImageReference);

impl Model {
    /// The repository as a reference.
    pub fn reference(&self) -> &ImageReference {
        &self.0
    }
}

impl fmt::Display for Model {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

/// What is wrong with a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Diagnostic)]
pub enum NameFinding {
    /// No reference.
    #[error("`{key}` must be the name of an image, and in `{text}` {reason}")]
    #[diagnostic(code("project::cog-yaml::image-name"), help("{way_out}"))]
    NotAReference {
        /// `image` or `model`.
        key: &'static str,
        /// What is written.
        text: String,
        /// The rule.
        reason: &'static str,
        /// What to write.
        way_out: &'static str,
        /// Where.
        #[label("no name of an image")]
        place: Place,
    },
    /// A tag or a digest.
    #[error("`model` names a repository, and `{text}` has a {what} as well")]
    #[diagnostic(code("project::cog-yaml::model-tag"), help("take the {what} away: each push gives its own"))]
    Tagged {
        /// What is written.
        text: String,
        /// `tag` or `digest`.
        what: &'static str,
        /// Where.
        #[label("more than a repository")]
        place: Place,
    },
    /// Both.
    #[error("`image` and `model` exclude each other")]
    #[diagnostic(
        code("project::cog-yaml::image-and-model"),
        help("keep `model` where there are `weights`, and `image` for a plain image")
    )]
    Both {
        /// One.
        #[label("a model here")]
        place: Place,
        /// The other.
        #[label("an image here")]
        image: Place,
    },
}

const IMAGE: Form =
    Form { key: "image", expected: "a text, the name of an image", example: "image: r8.im/me/model" };
const MODEL: Form =
    Form { key: "model", expected: "a text, the repository of a model", example: "model: r8.im/me/model" };

pub(crate) fn image(reading: &mut Reading, fields: &Fields<'_>) -> Option<Placed<ImageReference>> {
    reference(reading, fields, IMAGE)
}

pub(crate) fn model(reading: &mut Reading, fields: &Fields<'_>) -> Option<Placed<Model>> {
    if let (Some((image, _)), Some((model, _))) = (fields.get("image"), fields.get("model")) {
        reading.found(NameFinding::Both { place: model.place, image: image.place });
    }
    let reference = reference(reading, fields, MODEL)?;
    let what = match (reference.tag(), reference.digest()) {
        (_, Some(_)) => "digest",
        (Some(_), None) => "tag",
        (None, None) => return Some(reference.map(Model)),
    };
    reading.found(NameFinding::Tagged { text: reference.to_string(), what, place: reference.place });
    None
}

fn reference(reading: &mut Reading, fields: &Fields<'_>, form: Form) -> Option<Placed<ImageReference>> {
    let text = reading.text(fields.value(form.key)?, form)?;
    match text.parse::<ImageReference>() {
        Ok(reference) => Some(text.map(|_| reference)),
        Err(invalid) => {
            reading.found(NameFinding::NotAReference {
                key: form.key,
                text: invalid.text,
                reason: invalid.reason,
                way_out: "write it as in `registry.example/team/model`, in lower case",
                place: text.place,
            });
            None
        }
    }
}
