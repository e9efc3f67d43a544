//! `copy`.
//!
//! What a context gives is read where it lies if `COPY` can take from there what the plan wants;
//! what a pattern matches too, where those are files ([`matched`]). Otherwise what the copy makes of
//! it is gathered beside the Dockerfile, rules and wildcards already applied ([`context`]). What a stage or an image gives is copied with `--from`
//! ([`stage`]).

mod context;
mod matched;
mod stage;

use std::collections::BTreeSet;

use cogpack_backends_contract::accounts::numeric;
use cogpack_backends_contract::glob::has_wildcard;
use cogpack_backends_contract::paths::Selection;
use cogpack_backends_contract::tree::Ids;
use cogpack_ir::plan::{Copy, CopyForm, Input, Mode, Op, OpKind, Span, Spanned, Template};
use cogpack_ir::resolve::Step;

use crate::features::Feature;
use crate::file_ops;
use crate::links::{self, Shown};
use crate::lowering::Lowering;
use crate::owners::{self, ROOT};
use crate::programs::TEST;
use crate::section::{Section, absolute, reference, split};
use crate::words::{flag_value, operands, word};
use crate::{parallel, remote};

pub(crate) use matched::patterns;

/// One copy while it is lowered.
struct Lowered<'c> {
    copy: &'c Copy,
    op: &'c Op,
    span: Span,
    /// As `--chown` takes it.
    owner: String,
    /// Whether the copy is made on nothing and laid over what there is.
    link: bool,
}

/// What one `COPY` says besides its operands.
#[derive(Default)]
struct Flags {
    from: Option<String>,
    excludes: Vec<String>,
    mode: Option<Mode>,
}

pub(crate) fn lower(section: &mut Section<'_, '_>, step: &Step<'_>, copy: &Copy, link: bool) {
    let span = step.op.span;
    let Some(destination) = section.path(copy.form.destination(), span) else { return };
    let Some(owner) = owners::written_for_copy(section, copy.owner.as_ref(), span) else { return };
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
        file_ops::take_away(section, step, &destination, true);
    }
    let (above, _) = split(&destination);
    if owner != ROOT && above != "/" {
        // `COPY --chown` would give missing directories on the way the same owner.
        section.make_directory(above, span);
    }
    let lowered = Lowered { copy, op: step.op, span, owner, link };
    match &copy.from.value {
        Input::Context(name) if !remote::is_remote(section.lowering, name) => {
            lowered.out_of_context(section, name, &destination);
        }
        Input::Context(_) | Input::Phase(_) | Input::Stage(_) | Input::Image(_) => {
            lowered.out_of_stage(section, &destination);
        }
        Input::Scratch => section.lowering.refuse(
            "cpk::unsupported::copy",
            format!("a copy from `{}`", copy.from.value),
            span,
            "there is nothing in it to be copied",
        ),
    }
}

/// Whether `COPY --link` makes on nothing exactly what the copy makes there: one instruction,
/// and no missing directory on the way that would get the copy's owner.
pub(crate) fn can_be_linked(lowering: &Lowering<'_>, op: &OpKind) -> bool {
    let OpKind::Copy(copy) = op else { return false };
    let is_one = !matches!(&copy.form, CopyForm::Into { sources, .. } if sources.len() > 1)
        || matched::together(lowering, copy).is_some();
    let is_roots = copy.owner.as_ref().is_none_or(|owner| numeric(&owner.value) == Some(Ids::ROOT));
    is_one && is_roots
}

impl Lowered<'_> {
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

    /// The rules as `--exclude` says them; `None` where they take something back, which no flag
    /// says.
    fn excludes(&self) -> Option<Vec<String>> {
        let rules = Selection::new(&self.copy.rules).ok()?;
        rules.only_excludes().then(|| rules.to_ignore_lines())
    }

    /// Has the build check that a file lands on no link, where the builder would replace that
    /// and the plan what it points to.
    fn guard_link(&self, section: &mut Section<'_, '_>, landing: &str) {
        if self.copy.replace || section.lowering.knows(Feature::LinkAtDestination) {
            return;
        }
        if section.no_links.contains(landing) {
            return;
        }
        match links::shown_before(section, self.op, landing) {
            Shown::Hidden => {
                // One layer for all that can be looked at here.
                let mut landings = links::landings_after(section, self.op);
                landings.push(landing.to_owned());
                let landings = BTreeSet::from_iter(landings);
                self.look_for_links(section, &landings);
                section.no_links.extend(landings);
            }
            Shown::Covered => self.look_for_links(section, &BTreeSet::from([landing.to_owned()])),
            Shown::Link => {
                let what = format!(
                    "a copy onto `{landing}`, which is a link: the dialect `{}` does not follow it",
                    section.lowering.dialect.name()
                );
                self.refuse(section, &what, "copy to what the link points to");
            }
            // What came with a copied tree is looked at where there is a disk.
            Shown::NoLink | Shown::Untold => {}
        }
    }

    fn look_for_links(&self, section: &mut Section<'_, '_>, landings: &BTreeSet<String>) {
        let is_none = |path| ["!", "-L", path, "-o", "-d", path];
        let mut argv = vec![TEST];
        match landings.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            [landing] => argv.extend(is_none(landing)),
            ref several => {
                for landing in several {
                    if argv.len() > 1 {
                        argv.push("-a");
                    }
                    argv.push("(");
                    argv.extend(is_none(landing));
                    argv.push(")");
                }
            }
        }
        section.comment("COPY would replace a link to a file, the plan what it points to");
        section.look_as_root(&argv, self.span);
    }

    fn write(&self, section: &mut Section<'_, '_>, flags: &Flags, sources: &[String], destination: &str) {
        let mut words = String::new();
        if self.link {
            words.push_str("--link ");
        }
        if let Some(from) = &flags.from {
            words.push_str(&format!("--from={from} "));
        }
        // Most builders take the files of a context as root's, all of them those of a stage as they are.
        let as_on_disk = !section.lowering.knows(Feature::RootsFiles);
        if self.owner != ROOT || flags.from.is_some() || as_on_disk {
            words.push_str(&format!("--chown={} ", flag_value(&self.owner)));
        }
        if let Some(mode) = flags.mode {
            words.push_str(&format!("--chmod={mode} "));
        }
        for pattern in &flags.excludes {
            words.push_str(&format!("--exclude={} ", flag_value(pattern)));
        }
        let landing = word(&format!("{}{destination}", section.below));
        let paths: Vec<String> = sources.iter().cloned().chain([landing]).collect();
        section.line(format!("COPY {words}{}", operands(&paths)));
        if destination == "/" {
            section.may_change_nothing();
        }
        if !self.copy.optional {
            section.something_landed(destination);
        }
    }

    fn refuse(&self, section: &mut Section<'_, '_>, what: &str, help: &str) {
        section.lowering.refuse("cpk::unsupported::copy", what.to_owned(), self.span, help);
    }
}

/// What `--from` takes for an input that is no directory of the user's; `None` where it is refused.
pub(crate) fn from_name(lowering: &mut Lowering<'_>, input: &Input, span: Span) -> Option<String> {
    match input {
        Input::Stage(name) => Some(lowering.names.stage(name).to_owned()),
        Input::Image(name) => Some(match lowering.plan.plan().images.get(name) {
            Some(image) => reference(image),
            // The verifier has seen that every name used has one.
            None => name.as_str().to_owned(),
        }),
        Input::Phase(phase) => parallel::merged(lowering, phase, span),
        Input::Context(name) => remote::name_of(lowering, name, span),
        Input::Scratch => Some("scratch".to_owned()),
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
