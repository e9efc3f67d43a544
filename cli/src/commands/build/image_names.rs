//! What the image is called: what `-t` says, else what the project says.
//!
//! A project of cog that says nothing is called after its directory, as cog does it. That name is one for
//! the Engine alone, whose images would have none otherwise: an archive or a layout has the same bytes
//! wherever its project lies, and no registry is one's own by such a name.

use std::path::Path;

use cogpack_build::order::Destination;
use cogpack_compiler::stacks::ImageName;
use cogpack_content::ImageReference;

use crate::failure::Failure;

/// What an image is called that no `-t` names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unnamed {
    /// What the project says.
    AsTheProjectSays,
    /// Nothing: somebody wants its container, and no image.
    Nothing,
}

impl Unnamed {
    /// The names of an image that goes to `destinations`. One that is to be pushed must have one.
    pub fn or_tags(
        self,
        tags: &[ImageReference],
        image: &ImageName,
        destinations: &[Destination],
        directory: &Path,
    ) -> Result<Vec<ImageReference>, Failure> {
        if !tags.is_empty() {
            return Ok(tags.to_vec());
        }
        let pushes = destinations.iter().any(|to| matches!(to, Destination::Image { push: true, .. }));
        // Where nothing says where an image goes, it goes into the Engine, or where one would look for it
        // without one.
        let is_for_engine =
            destinations.is_empty() || destinations.iter().any(|to| matches!(to, Destination::Engine { .. }));
        let name = match (self, image) {
            (Self::Nothing, _) | (Self::AsTheProjectSays, ImageName::Unsaid) => None,
            (Self::AsTheProjectSays, ImageName::Image(name)) => Some(name.clone()),
            (Self::AsTheProjectSays, ImageName::Model(name)) => Some(name.clone()).filter(|_| !pushes),
            (Self::AsTheProjectSays, ImageName::OfDirectory) => {
                of_directory(directory).filter(|_| is_for_engine && !pushes)
            }
        };
        match (name, image) {
            (Some(name), _) => Ok(vec![name]),
            (None, _) if !pushes => Ok(Vec::new()),
            (None, ImageName::Model(model)) => {
                Err(Failure::new(format!("`model` names the repository `{model}`, and no tag to push to"))
                    .with_hint(format!("`-t {model}:TAG` says which")))
            }
            (None, ImageName::Image(_) | ImageName::OfDirectory | ImageName::Unsaid) => {
                Err(Failure::new("an image without a name cannot be pushed")
                    .with_hint("`-t REGISTRY/NAME:TAG` says where to, or `image` in a `cog.yaml`"))
            }
        }
    }
}

/// The longest name that cog makes of a directory's.
const LONGEST: usize = 30;

/// The name that cog makes of a directory's: `cog-`, and of the name in lower case the letters, digits and
/// dashes. Nothing where none of these is in it.
fn of_directory(directory: &Path) -> Option<ImageReference> {
    let directory = directory.canonicalize().ok()?;
    let name = directory.file_name()?.to_string_lossy().to_lowercase().replace(' ', "-");
    let is_kept = |letter: &char| matches!(letter, 'a'..='z' | '0'..='9' | '-');
    let kept: String = name.chars().filter(is_kept).take(LONGEST - PREFIX.len()).collect();
    // A name of an image ends in a letter or a digit.
    match kept.trim_end_matches('-') {
        "" => None,
        kept if kept.starts_with(PREFIX) => kept.parse().ok(),
        kept => format!("{PREFIX}{kept}").parse().ok(),
    }
}

const PREFIX: &str = "cog-";

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use cogpack_build::order::{FileForm, Settings};

    use super::*;

    fn name(text: &str) -> ImageReference {
        text.parse().expect("is a name")
    }

    fn called(image: &ImageName, destinations: &[Destination]) -> Result<Vec<String>, String> {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let directory = folder.path().join("My Model_2 ✓ of a very long name - and longer");
        std::fs::create_dir(&directory).expect("can be made");
        let names = Unnamed::AsTheProjectSays.or_tags(&[], image, destinations, &directory);
        let texts = names.map(|names| names.iter().map(ToString::to_string).collect());
        texts.map_err(|failure| failure.message)
    }

    #[test]
    fn a_project_names_its_image_and_a_tag_goes_before() {
        let engine = || Destination::Engine { settings: Settings::new() };
        let layout = || Destination::Layout { path: PathBuf::from("made"), settings: Settings::new() };
        let archive = || Destination::File { form: FileForm::Oci, path: None, settings: Settings::new() };
        let pushed = || Destination::Image { push: true, settings: Settings::new() };
        let image = ImageName::Image(name("r8.im/me/model:1"));
        let model = ImageName::Model(name("r8.im/me/model"));
        let texts = |texts: &[&str]| Ok(texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>());
        for to in [&[][..], &[engine()], &[layout()], &[archive()], &[pushed()]] {
            assert_eq!(called(&image, to), texts(&["r8.im/me/model:1"]), "{to:?}");
            let tags = [name("other:2")];
            let names = Unnamed::AsTheProjectSays.or_tags(&tags, &image, to, Path::new("."));
            assert_eq!(names.ok().as_deref(), Some(&tags[..]), "{to:?}");
            // The letters of a directory's name make a name for an Engine, and a registry's must be said.
            let of_directory = called(&ImageName::OfDirectory, to);
            match to {
                [Destination::Image { .. }] => {
                    let without = "an image without a name cannot be pushed";
                    assert_eq!(of_directory, Err(without.to_owned()));
                    assert_eq!(called(&ImageName::Unsaid, to), Err(without.to_owned()));
                    let without_tag = "`model` names the repository `r8.im/me/model`, and no tag to push to";
                    assert_eq!(called(&model, to), Err(without_tag.to_owned()));
                    continue;
                }
                [] | [Destination::Engine { .. }] => {
                    assert_eq!(of_directory, texts(&["cog-my-model2--of-a-very-long"]), "{to:?}");
                }
                _ => assert_eq!(of_directory, texts(&[]), "{to:?}"),
            }
            assert_eq!(called(&model, to), texts(&["r8.im/me/model"]), "{to:?}");
            assert_eq!(called(&ImageName::Unsaid, to), texts(&[]), "{to:?}");
            let in_passing = Unnamed::Nothing.or_tags(&[], &image, to, Path::new("."));
            assert_eq!(in_passing.ok(), Some(Vec::new()), "{to:?}");
        }
    }

    #[test]
    fn a_directory_without_a_letter_names_nothing() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        for (directory, expected) in [("模型", None), ("cog-demo", Some("cog-demo")), ("a", Some("cog-a"))]
        {
            let path = folder.path().join(directory);
            std::fs::create_dir(&path).expect("can be made");
            assert_eq!(of_directory(&path).map(|name| name.to_string()).as_deref(), expected, "{directory}");
        }
    }
}
