//! `copy`.
//!
//! What a context gives is gathered beside the Dockerfile: the whole context where `COPY` can
//! take from it what the plan wants, otherwise what the copy makes of it, rules and wildcards
//! already applied. What a stage or an image gives is copied with `--from`.

use cogpack_backends_contract::accounts::numeric;
use cogpack_backends_contract::glob::has_wildcard;
use cogpack_backends_contract::tree::Ids;
use cogpack_ir::plan::{ContextKind, Copy, CopyForm, Input, InputName, OpKind, Span, Spanned, Template};
use cogpack_ir::resolve::Step;

use crate::artifact::{Beside, Never};
use crate::features::Feature;
use crate::file_ops::{ROOT, written_owner};
use crate::links;
use crate::section::{Section, absolute, reference, relative, split, with_slash};
use crate::words::{flag_value, operands, source_word, word};

/// The name of what a gathered copy makes, in its directory.
const ITEM: &str = "item";

/// One copy while it is lowered.
struct Lowered<'c> {
    copy: &'c Copy,
    span: Span,
    /// As `--chown` takes it.
    owner: String,
    /// Whether the copy is made on nothing and laid over what there is.
    link: bool,
}

pub(crate) fn lower(section: &mut Section<'_, '_>, step: &Step<'_>, copy: &Copy, link: bool) {
    let span = step.op.span;
    let Some(destination) = section.path(copy.form.destination(), span) else { return };
    let Some(owner) = written_owner(section, copy.owner.as_ref(), span) else { return };
    if copy.replace {
        if destination == "/" {
            section.lowering.refuse(
                "cpk::unsupported::copy",
                "`replace` of `/`".to_owned(),
                span,
                "start the stage `from scratch` instead",
            );
            return;
        }
        section.run_as_root(&["rm", "-rf", "--", &destination], span);
    }
    let (above, _) = split(&destination);
    if owner != ROOT && above != "/" {
        // `COPY --chown` would give missing directories on the way the same owner.
        section.make_directory(above, span);
    }
    let lowered = Lowered { copy, span, owner, link };
    match &copy.from.value {
        Input::Context(name) => lowered.out_of_context(section, name, &destination),
        Input::Stage(_) | Input::Image(_) => lowered.out_of_stage(section, &destination),
        Input::Scratch | Input::Phase(_) => section.lowering.refuse(
            "cpk::unsupported::copy",
            format!("a copy from `{}`", copy.from.value),
            span,
            "copy from the stages that make it up, or emit LLB with `-o llb`",
        ),
    }
}

/// Whether `COPY --link` makes on nothing exactly what the copy makes there: one instruction,
/// and no missing directory on the way that would get the copy's owner.
pub(crate) fn can_be_linked(op: &OpKind) -> bool {
    let OpKind::Copy(copy) = op else { return false };
    let is_one = !matches!(&copy.form, CopyForm::Into { sources, .. } if sources.len() > 1);
    let is_roots = copy.owner.as_ref().is_none_or(|owner| numeric(&owner.value) == Some(Ids::ROOT));
    is_one && is_roots
}

impl Lowered<'_> {
    fn out_of_context(&self, section: &mut Section<'_, '_>, name: &InputName, destination: &str) {
        let copy = self.copy;
        let is_plain = copy.rules.is_empty() && copy.mode.is_none() && !copy.follow && !copy.optional;
        match &copy.form {
            CopyForm::To { source, .. } => {
                self.one_from_context(section, name, source, destination, is_plain);
            }
            CopyForm::Contents { directory, .. } if is_plain => {
                let Some(source) = section.literal(directory, self.span) else { return };
                let Some(root) = context_directory(section, name, self.span) else { return };
                let source = with_slash(&format!("{root}/{}", relative(&source)));
                self.write(section, None, &source_word(&source), &with_slash(destination));
            }
            CopyForm::Contents { directory, .. } => {
                let item = template(&format!("/{ITEM}"));
                let form = CopyForm::Contents { directory: directory.clone(), destination: item };
                let Some(gathered) = self.gather(section, name, form, Never::Nothing) else { return };
                // A wildcard that matches nothing is how `COPY` says `optional`.
                let end = if copy.optional { "*" } else { "/" };
                self.write(section, None, &format!("{gathered}/{ITEM}{end}"), &with_slash(destination));
            }
            CopyForm::Into { sources, .. } => {
                let (patterns, names): (Vec<_>, Vec<_>) =
                    sources.iter().cloned().partition(|source| has_wildcard(source.as_written()));
                match (patterns.is_empty(), names.is_empty()) {
                    (true, _) => self.each(section, destination, &names, |section, source, landing| {
                        self.one_from_context(section, name, source, landing, is_plain);
                    }),
                    (false, true) => {
                        let form = CopyForm::Into { sources: patterns, directory: template("/") };
                        let gathered = self.gather(section, name, form, Never::DirectoryAtTop);
                        let Some(gathered) = gathered else { return };
                        self.write(section, None, &format!("{gathered}/"), &with_slash(destination));
                    }
                    (false, false) => section.lowering.refuse(
                        "cpk::unsupported::copy",
                        "a `copy … into` of names and wildcards together".to_owned(),
                        self.span,
                        "split it in two",
                    ),
                }
            }
        }
    }

    /// What `copy SOURCE to LANDING` does.
    fn one_from_context(
        &self,
        section: &mut Section<'_, '_>,
        name: &InputName,
        source: &Spanned<Template>,
        landing: &str,
        is_plain: bool,
    ) {
        let Some(path) = section.literal(source, self.span).map(|path| relative(&path)) else { return };
        if is_plain {
            let Some(root) = context_directory(section, name, self.span) else { return };
            if let Some(Beside::Context { never_links, .. }) = section.lowering.beside.get_mut(&root)
                && !path.is_empty()
            {
                never_links.insert(path.clone());
            }
            self.write(section, None, &source_word(&format!("{root}/{path}")), landing);
            return;
        }
        let form = CopyForm::To { source: source.clone(), destination: template(&format!("/{ITEM}")) };
        let never = if self.copy.follow { Never::Nothing } else { Never::LinkAtTop };
        let Some(gathered) = self.gather(section, name, form, never) else { return };
        let end = if self.copy.optional { "*" } else { "" };
        self.write(section, None, &format!("{gathered}/{ITEM}{end}"), landing);
    }

    fn out_of_stage(&self, section: &mut Section<'_, '_>, destination: &str) {
        let copy = self.copy;
        let refusal = if !copy.rules.is_empty() {
            Some((
                "`include` and `exclude` in a copy from a stage or image",
                "copy all of it, or emit LLB with `-o llb`",
            ))
        } else if copy.form.sources().iter().any(|source| is_pattern(&copy.form, source)) {
            Some((
                "wildcards in a copy from a stage or image",
                "name what is copied, or emit LLB with `-o llb`",
            ))
        } else if copy.mode.as_ref().is_some_and(|mode| mode.value.bits() > 0o777) {
            Some((
                "setuid, setgid or sticky in the `mode` of a copy from a stage or image",
                "set it with `chmod` in a `run`",
            ))
        } else {
            None
        };
        if let Some((what, help)) = refusal {
            section.lowering.refuse("cpk::unsupported::copy", what.to_owned(), self.span, help);
            return;
        }
        let what = "the `mode` of a copy from a stage or image";
        let help = "set it with `chmod` in a `run`, or use another dialect";
        if copy.mode.is_some() && !section.lowering.must(Feature::Mode, what, self.span, help) {
            return;
        }
        match &copy.form {
            CopyForm::To { source, .. } => self.one_from_stage(section, source, destination),
            CopyForm::Contents { directory, .. } => {
                let Some(path) = section.path(directory, self.span) else { return };
                let Some(source) = self.maybe_missing(section, &path) else { return };
                let from = from_name(section, &copy.from.value);
                self.write(section, Some(&from), &with_slash(&source), &with_slash(destination));
            }
            CopyForm::Into { .. } if copy.optional => section.lowering.refuse(
                "cpk::unsupported::copy",
                "an `optional` copy into a directory from a stage or image".to_owned(),
                self.span,
                "say for each source where it lands with `copy … to … optional`",
            ),
            CopyForm::Into { sources, .. } => {
                self.each(section, destination, sources, |section, source, landing| {
                    self.one_from_stage(section, source, landing);
                })
            }
        }
    }

    fn one_from_stage(&self, section: &mut Section<'_, '_>, source: &Spanned<Template>, landing: &str) {
        let from = &self.copy.from.value;
        let Some(path) = section.path(source, self.span) else { return };
        let Some(source) = self.maybe_missing(section, &path) else { return };
        let from = match self.copy.follow || path == "/" {
            true => from_name(section, from),
            false => match links::checked(section, from, &path, self.span) {
                Some(from) => from,
                None => return,
            },
        };
        self.write(section, Some(&from), &source, landing);
    }

    /// The word for a source that may be missing if the copy is `optional`: a wildcard that
    /// matches nothing but it.
    fn maybe_missing(&self, section: &mut Section<'_, '_>, path: &str) -> Option<String> {
        let (above, name) = split(path);
        if !self.copy.optional || path == "/" {
            return Some(source_word(path));
        }
        let plain = name.chars().next_back().filter(char::is_ascii_alphanumeric);
        match plain {
            // `COPY` walks the directory above, which must be there.
            Some(last) if above == "/" => Some(format!("{}[{last}]", source_word(&path[..path.len() - 1]))),
            Some(_) | None => {
                section.lowering.refuse(
                    "cpk::unsupported::copy",
                    format!("an `optional` copy of `{path}` from a stage or image"),
                    self.span,
                    "make sure that it is there, and take `optional` away",
                );
                None
            }
        }
    }

    /// Copies each named source into the directory under its own name.
    fn each<'s>(
        &self,
        section: &mut Section<'_, '_>,
        directory: &str,
        sources: impl IntoIterator<Item = &'s Spanned<Template>>,
        mut one: impl FnMut(&mut Section<'_, '_>, &'s Spanned<Template>, &str),
    ) {
        for source in sources {
            let Some(path) = section.path(source, self.span) else { return };
            let (_, name) = split(&path);
            one(section, source, &absolute(&format!("{directory}/{name}")));
        }
    }

    /// Lays what a copy makes of a context beside the Dockerfile.
    fn gather(
        &self,
        section: &mut Section<'_, '_>,
        name: &InputName,
        form: CopyForm,
        never: Never,
    ) -> Option<String> {
        check_context(section, name, self.span)?;
        let copy = Box::new(Copy { form, owner: None, replace: false, ..self.copy.clone() });
        let what = Beside::Copied { context: name.clone(), copy, never };
        Some(section.lowering.put_beside("copies", what))
    }

    fn write(&self, section: &mut Section<'_, '_>, from: Option<&str>, source: &str, destination: &str) {
        let mut flags = String::new();
        if self.link {
            flags.push_str("--link ");
        }
        if let Some(from) = from {
            flags.push_str(&format!("--from={from} "));
        }
        // A builder takes the files of a context as root's, those of a stage as they are.
        if self.owner != ROOT || from.is_some() {
            flags.push_str(&format!("--chown={} ", flag_value(&self.owner)));
        }
        if let (Some(mode), Some(_)) = (&self.copy.mode, from) {
            flags.push_str(&format!("--chmod={} ", mode.value));
        }
        let words = [source.to_owned(), word(destination)];
        section.line(format!("COPY {flags}{}", operands(&words)));
    }
}

/// The directory of a whole context beside the Dockerfile.
pub(crate) fn context_directory(
    section: &mut Section<'_, '_>,
    name: &InputName,
    span: Span,
) -> Option<String> {
    check_context(section, name, span)?;
    let path = format!("contexts/{}", name.as_str());
    let whole = || Beside::Context { name: name.clone(), never_links: Default::default() };
    section.lowering.beside.entry(path.clone()).or_insert_with(whole);
    Some(path)
}

/// Refuses contexts whose files cannot be laid beside the Dockerfile.
fn check_context(section: &mut Section<'_, '_>, name: &InputName, span: Span) -> Option<()> {
    let kind = section.lowering.plan.plan().contexts.get(name).map(|context| &context.kind)?;
    let what = match kind {
        ContextKind::Directory(_) | ContextKind::Files(_) => return Some(()),
        ContextKind::Http(_) => "a download",
        ContextKind::Git(_) => "a git repository",
        ContextKind::Oci(_) => "an OCI image layout",
        ContextKind::Wheels(_) => "a set of wheels",
        ContextKind::Debs(_) => "a set of Debian packages",
    };
    section.lowering.refuse(
        "cpk::unsupported::context",
        format!("the context `{name}` is {what}"),
        span,
        "fetch it into a directory and declare that as `dir`, or emit LLB with `-o llb`",
    );
    None
}

/// What `--from` takes for a stage or an image.
pub(crate) fn from_name(section: &Section<'_, '_>, input: &Input) -> String {
    match input {
        Input::Stage(name) => section.lowering.names.stage(name).to_owned(),
        Input::Image(name) => image_reference(section, name),
        // Refused before anything asks.
        Input::Scratch | Input::Phase(_) | Input::Context(_) => input.to_string(),
    }
}

/// What `--from` takes for an image.
pub(crate) fn image_reference(section: &Section<'_, '_>, name: &InputName) -> String {
    match section.lowering.plan.plan().images.get(name) {
        Some(image) => reference(image),
        // The verifier has seen that every name used has one.
        None => name.as_str().to_owned(),
    }
}

fn is_pattern(form: &CopyForm, source: &Template) -> bool {
    match form {
        CopyForm::Into { .. } => has_wildcard(source.as_written()),
        CopyForm::To { .. } | CopyForm::Contents { .. } => false,
    }
}

fn template(text: &str) -> Spanned<Template> {
    Spanned::nowhere(Template::literal(text))
}
