//! How it is mended that an image or a context is not pinned, of which the verifier and the resolver warn.

use cogpack_ir::plan::{BaseImage, Context, ContextKind, Plan, Span};

use crate::ask::{ANSWER, AskCommit, AskFile, AskImage, Question};
use crate::repair::{self, Edit, NOT_IN_JSON, Repair};
use crate::text::Text;

/// What mends a warning about the image or the context whose declared name begins at an offset of the text
/// that a plan was read from; `None` where no pinning does.
pub fn repair(plan: &Plan, text: &str, start: usize) -> Option<Repair> {
    let text = Text(text);
    let is_here = |span: Span| span.range().is_some_and(|range| range.start == start);
    let image = plan.images.values().find(|image| is_here(image.span)).map(|it| of_image(it, text));
    image.or_else(|| plan.contexts.values().find(|it| is_here(it.span)).and_then(|it| of_context(it, text)))
}

fn of_image(image: &BaseImage, text: Text<'_>) -> Repair {
    // Behind the digest, which stands first where there is one.
    let written = image.digest.as_ref().map_or(image.reference.span, |digest| digest.span);
    let (Some(name), Some(written)) = (image.span.range(), written.range()) else {
        return Repair::none(NOT_IN_JSON);
    };
    if !text.can_be_changed() {
        return Repair::none(NOT_IN_JSON);
    }
    let at = match text.ends_its_line(written.end) && text.0[..text.line_end(written.end)].ends_with('\n') {
        true => (text.line_end(written.end), true),
        false => (written.end, false),
    };
    let indentation = format!("{}  ", text.indentation(name.start));
    Repair::Ask(Question::Image(AskImage { image: Box::new(image.clone()), at, indentation }))
}

fn of_context(context: &Context, text: Text<'_>) -> Option<Repair> {
    let line = |url: Span, words: &str| -> Option<Vec<Edit>> {
        let (name, url) = (context.span.range()?, url.range()?);
        text.can_be_changed().then(|| vec![repair::line_in_block(text, name.start, url.end, words)])
    };
    let question = match &context.kind {
        ContextKind::Http(http) if http.checksum.is_none() => {
            let Some(edits) = line(http.url.span, &format!("checksum sha256:{ANSWER}")) else {
                return Some(Repair::none(NOT_IN_JSON));
            };
            let (url, what) = (http.url.value.clone(), "writes the checksum".to_owned());
            Question::File(AskFile { url, is_followed: true, what, edits })
        }
        ContextKind::Git(git) if git.commit.is_none() => {
            let Some(edits) = line(git.url.span, &format!("commit {ANSWER}")) else {
                return Some(Repair::none(NOT_IN_JSON));
            };
            Question::Commit(AskCommit { url: git.url.value.clone(), edits })
        }
        ContextKind::Oci(_) => {
            return Some(Repair::none(
                "what the image of a layout sets is read where the layout is, at each use",
            ));
        }
        ContextKind::Http(_)
        | ContextKind::Git(_)
        | ContextKind::Directory(_)
        | ContextKind::Files(_)
        | ContextKind::Wheels(_)
        | ContextKind::Debs(_) => return None,
    };
    Some(Repair::Ask(question))
}
