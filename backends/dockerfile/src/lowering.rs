//! The whole plan: its stages in order, and what they share.

use std::collections::{BTreeMap, BTreeSet};

use cogpack_backends_contract::Unsupported;
use cogpack_backends_contract::layers::{LayerPlan, layers};
use cogpack_content::Lookup;
use cogpack_ir::plan::{
    Input, InputName, LayerName, OpKind, PhaseName, Provenance, Span, Spanned, Stage, StageName,
};
use cogpack_ir::resolve::{Resolved, StageId, Step};

use crate::artifact::{Artifact, Beside, Note, Taken};
use crate::checks::Checked;
use crate::dialect::{Dialect, Version};
use crate::features::{Feature, said_since};
use crate::names::Names;
use crate::owners;
use crate::programs::{self, Made, Needed, made_in};
use crate::reads::Reads;
use crate::section::{Section, Settings, absolute, with_slash};
use crate::shells::Shells;
use crate::surroundings::Surroundings;
use crate::words::LONGEST_LINE;
use crate::{NAME, config, copy, environment, execution, file_ops, header, parallel};

/// What the stages share while the text grows.
pub(crate) struct Lowering<'p> {
    pub(crate) plan: &'p Resolved,
    pub(crate) dialect: &'p Dialect,
    /// What may be used as it is: the oldest version that knows all that is used so far.
    pub(crate) version: Version,
    /// The newest version that may be asked for.
    newest: Version,
    pub(crate) names: Names,
    /// Finished parts of the text, each from its `FROM` on.
    pub(crate) sections: Vec<String>,
    pub(crate) surroundings: &'p Surroundings,
    pub(crate) reads: Reads,
    pub(crate) beside: BTreeMap<String, Beside>,
    pub(crate) given: BTreeMap<String, String>,
    pub(crate) read: BTreeMap<InputName, Taken>,
    pub(crate) ignored: Vec<String>,
    pub(crate) notes: Vec<Note>,
    pub(crate) refused: Vec<Unsupported>,
    /// What Docker's config says at the end of each finished stage.
    pub(crate) ends: Lookup<StageName, Settings>,
    /// Where `SHELL` may stand.
    pub(crate) shells: Shells,
    /// What a build must be given.
    pub(crate) asked: Asked,
    /// Stages that check what is copied, by the input that it is copied from.
    pub(crate) checked: BTreeMap<Input, Checked>,
    /// Stages that hold a part of an input, by what they hold.
    pub(crate) parts: BTreeMap<(Input, String), String>,
    /// Stages on nothing in which there can be no program.
    pub(crate) bare: BTreeSet<StageName>,
    /// The same of merged phases.
    pub(crate) bare_phases: BTreeSet<PhaseName>,
    /// The contexts whose packages are all the programs that stages have.
    pub(crate) packages: Lookup<StageName, InputName>,
    /// The programs that must be among them.
    pub(crate) needed: Needed,
    /// Who has made what the stages hold.
    pub(crate) made: Lookup<StageName, Made>,
    /// What Docker's config says at the end of each merged phase.
    pub(crate) phase_ends: BTreeMap<PhaseName, Settings>,
    /// Whether a file with setuid or setgid in a directory would not become what the plan says.
    pub(crate) no_set_ids: bool,
}

/// The version of languages that have none.
const ONLY: Version = Version::of(1, 0);

/// What a build must be given on the command line.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    pub(crate) secrets: BTreeSet<String>,
    /// Those that may be missing.
    pub(crate) optional_secrets: BTreeSet<String>,
    pub(crate) ssh: BTreeSet<String>,
    /// Contexts that the command line names.
    pub(crate) contexts: BTreeSet<InputName>,
    pub(crate) host_network: bool,
    /// Build arguments, with the file of each beside the Dockerfile.
    pub(crate) arguments: BTreeMap<String, String>,
}

pub(crate) fn lower(
    plan: &Resolved,
    dialect: &Dialect,
    surroundings: &Surroundings,
) -> Result<Artifact, Vec<Unsupported>> {
    let (version, newest) = match dialect {
        Dialect::BuildKit { syntax } => syntax.bounds(),
        Dialect::Buildah | Dialect::Legacy => (ONLY, ONLY),
    };
    let stages = plan.order().iter().map(|id| &plan.stage(*id).name.value);
    let mut lowering = Lowering {
        plan,
        dialect,
        version,
        newest,
        names: Names::of(stages),
        sections: Vec::new(),
        surroundings,
        reads: Reads::of(plan),
        beside: BTreeMap::new(),
        given: BTreeMap::new(),
        read: BTreeMap::new(),
        ignored: Vec::new(),
        notes: Vec::new(),
        refused: Vec::new(),
        ends: Lookup::default(),
        shells: Shells::of(plan),
        asked: Asked::default(),
        checked: BTreeMap::new(),
        parts: BTreeMap::new(),
        bare: BTreeSet::new(),
        bare_phases: BTreeSet::new(),
        packages: Lookup::default(),
        needed: Needed::new(),
        made: Lookup::default(),
        phase_ends: BTreeMap::new(),
        no_set_ids: false,
    };
    let exported = &plan.export().from;
    let needed = parallel::needed(&lowering);
    for id in plan.order() {
        let stage = plan.stage(*id);
        if !needed.contains(&stage.name.value) {
            continue;
        }
        let is_exported = exported.value == Input::Stage(stage.name.value.clone());
        lowering.stage(*id, stage, is_exported);
    }
    if !matches!(exported.value, Input::Stage(_)) {
        let name = lowering.names.fresh("export");
        let mut section = Section::start(&mut lowering, &name, &exported.value, exported.span);
        config::lower(&mut section);
        section.finish();
    }
    let command = header::command(&lowering);
    let text = header::text(&lowering, &command);
    lowering.check_lines(&text);
    let keeps_set_ids = lowering.knows(Feature::SetIds) && !lowering.no_set_ids;
    let keeps_set_ids_of_directories = lowering.knows(Feature::DirectorySetIds);
    let follows_links = lowering.knows(Feature::LinkAtDestination);
    match lowering.refused.is_empty() {
        true => Ok(Artifact {
            dockerfile: text,
            beside: lowering.beside,
            given: lowering.given,
            read: lowering.read,
            ignored: lowering.ignored,
            command,
            keeps_set_ids,
            keeps_set_ids_of_directories,
            follows_links,
            needed: lowering.needed,
            notes: lowering.notes,
        }),
        false => Err(lowering.refused),
    }
}

impl Lowering<'_> {
    fn stage(&mut self, id: StageId, stage: &Stage, is_exported: bool) {
        let name = self.names.stage(&stage.name.value).to_owned();
        // Every stage of a resolved plan has one; a missing one reads as `scratch`.
        let (from, span) = match &stage.from {
            Some(from) => (from.value.clone(), from.span),
            None => (Input::Scratch, Span::NOWHERE),
        };
        let mut section = Section::start(self, &name, &from, span);
        section.of = Input::Stage(stage.name.value.clone());
        section.title(&stage_comment(stage));
        lower_ops(&mut section, id, from == Input::Scratch);
        if is_exported {
            config::lower(&mut section);
        }
        let is_bare = section.bare;
        let packages = section.packages.take();
        let end = section.finish();
        if is_bare {
            self.bare.insert(stage.name.value.clone());
        }
        if let Some(packages) = packages {
            self.packages.insert(stage.name.value.clone(), packages);
        }
        let made = made_in(self, &stage.name.value);
        self.made.insert(stage.name.value.clone(), made);
        self.ends.insert(stage.name.value.clone(), end);
    }

    /// Notes that something cannot be said.
    pub(crate) fn refuse(&mut self, code: &'static str, what: String, span: Span, help: &str) {
        self.refused.push(Unsupported { backend: NAME, code, what, span, help: help.to_owned() });
    }

    /// Whether something can be said without asking for a newer version: for what can be done
    /// in another way as well.
    pub(crate) fn knows(&self, feature: Feature) -> bool {
        said_since(self.dialect, feature).is_some_and(|since| since <= self.version)
    }

    /// Whether something can be said; what reads the text is then at least as new as that needs.
    pub(crate) fn can(&mut self, feature: Feature) -> bool {
        match said_since(self.dialect, feature) {
            Some(since) if since <= self.newest => {
                self.version = self.version.max(since);
                true
            }
            Some(_) | None => false,
        }
    }

    /// The same for what older daemons leave out without a word, however new the frontend is that
    /// they run: whoever writes the version into the command line vouches for the daemon.
    pub(crate) fn must_be_chosen(&mut self, feature: Feature, what: &str, span: Span, help: &str) -> bool {
        let newest = std::mem::replace(&mut self.newest, self.version);
        let can = self.must(feature, what, span, help);
        self.newest = newest;
        can
    }

    /// The same for what cannot be done in another way; refused where it cannot be said.
    pub(crate) fn must(&mut self, feature: Feature, what: &str, span: Span, help: &str) -> bool {
        let can = self.can(feature);
        if !can {
            let what = match self.dialect {
                Dialect::BuildKit { .. } => match said_since(self.dialect, feature) {
                    Some(since) => format!("{what}, which needs `--syntax {since}` or newer"),
                    None => what.to_owned(),
                },
                Dialect::Buildah | Dialect::Legacy => {
                    format!("{what}, which the dialect `{}` cannot say", self.dialect.name())
                }
            };
            self.refuse("cpk::unsupported::dialect", what, span, help);
        }
        can
    }

    /// Notes something for whoever emits the Dockerfile.
    pub(crate) fn note(&mut self, what: String, span: Span) {
        self.notes.push(Note { what, span });
    }

    fn check_lines(&mut self, text: &str) {
        if let Some(line) = text.lines().find(|line| line.len() > LONGEST_LINE) {
            let start: String = line.chars().take(40).collect();
            self.refuse(
                "cpk::unsupported::long-line",
                format!("`{start}…` makes a line of more than {LONGEST_LINE} bytes"),
                Span::NOWHERE,
                "move a long script into a file and run that, or emit LLB with `-o llb`",
            );
        }
    }
}

/// The ops of a stage, layer by layer. On nothing, every layer is made without looking at what is
/// under it.
pub(crate) fn lower_ops(section: &mut Section<'_, '_>, id: StageId, mut is_empty: bool) {
    let mut asked_by: Option<&Provenance> = None;
    let plan = section.lowering.plan;
    let stage = section.name.clone();
    section.passing = environment::passing(plan, id);
    for layer in layers(plan, id) {
        for by in layer.steps.iter().map(|step| step.by) {
            if by != asked_by
                && let Some(by) = by
            {
                section.comment(&provenance_comment(by));
            }
            asked_by = by;
        }
        let place = section.length();
        match layer.independent && !is_empty {
            true => independent_layer(section, &stage, &layer),
            false => layer.steps.iter().for_each(|step| lower_step(section, step, false)),
        }
        is_empty &= !layer.changes_filesystem;
        if let Some(group) = layer.name {
            title_layer(section, group, place);
        }
    }
}

/// A layer that is made on nothing and laid over what there is: by `COPY --link` where the
/// dialect has it and there is one copy, else in a stage of its own, which is then copied whole.
fn independent_layer(section: &mut Section<'_, '_>, stage: &str, layer: &LayerPlan<'_>) {
    let is_copy = |step: &&Step<'_>| matches!(step.op.kind, OpKind::Copy(_));
    let copies: Vec<&Step<'_>> = layer.steps.iter().filter(is_copy).collect();
    for step in layer.steps.iter().filter(|step| !is_copy(step)) {
        lower_step(section, step, false);
    }
    if let [step] = copies[..]
        && section.lowering.knows(Feature::Link)
        && copy::can_be_linked(section.lowering, &step.op.kind)
    {
        lower_step(section, step, true);
        return;
    }
    let what = layer.name.map_or_else(|| "a layer".to_owned(), |name| format!("layer {name}"));
    let wanted = format!("{stage}-{}", layer.name.map_or("layer", |name| name.as_str()));
    let name = section.lowering.names.fresh(&wanted);
    let span = copies.first().map_or(Span::NOWHERE, |step| step.op.span);
    let mut alone = Section::start(section.lowering, &name, &Input::Scratch, span);
    alone.title(&format!("{what} of stage %{stage}, made on nothing: what is under it does not change it"));
    if !alone.lowering.knows(Feature::WholeStage) && can_be_below(&copies) {
        alone.below = LAYER;
    }
    let below = alone.below;
    let brings = copies.iter().any(|step| programs::may_bring(&step.op.kind));
    stage.clone_into(&mut alone.part_of);
    for step in copies {
        lower_step(&mut alone, step, false);
    }
    let landed = std::mem::take(&mut alone.reached);
    alone.finish();
    let link = if section.lowering.knows(Feature::Link) { "--link " } else { "" };
    section.line(format!("COPY {link}--from={name} {below}/ /"));
    if below.is_empty() {
        section.may_change_nothing();
    }
    section.reached.extend(landed);
    if brings {
        section.packages = None;
    }
}

/// Where a layer is made for a builder that cannot copy a stage from its root on.
const LAYER: &str = "/layer";

/// Whether copies make the same in a directory as at the root: something at all, and nothing through a
/// link that another one brings, which may be one from the root.
fn can_be_below(copies: &[&Step<'_>]) -> bool {
    let mut destinations = Vec::new();
    for step in copies {
        let OpKind::Copy(copy) = &step.op.kind else { return false };
        if copy.optional {
            return false;
        }
        let Some(destination) = copy.form.destination().as_literal() else { return false };
        destinations.push(with_slash(&absolute(&destination)));
    }
    let is_apart = |(place, one): (usize, &String)| {
        destinations.iter().enumerate().all(|(other, at)| other == place || !one.starts_with(at.as_str()))
    };
    destinations.iter().enumerate().all(is_apart)
}

/// Says which instructions a group has become. Where it became several that each make a layer,
/// that is said too: nothing joins instructions.
fn title_layer(section: &mut Section<'_, '_>, group: &Spanned<LayerName>, place: usize) {
    match section.layers_since(place) {
        (_, 0 | 1) => section.comment_at(place, &format!("layer {group}")),
        (fewest, most) => {
            let count = if fewest == most { most.to_string() } else { format!("{fewest} to {most}") };
            section.comment_at(place, &format!("layer {group}, here {count} layers"));
            let span = group.span;
            let what = format!(
                "`layer {group}` of `%{}` makes {count} layers: a Dockerfile joins no instructions",
                section.name
            );
            section.lowering.note(what, span);
        }
    }
}

pub(crate) fn lower_step(section: &mut Section<'_, '_>, step: &Step<'_>, link: bool) {
    match &step.op.kind {
        OpKind::Run { script, execution } => execution::run(section, step, &script.value, execution),
        OpKind::Exec { argv, execution } => execution::exec(section, step, &argv.value, execution),
        OpKind::Copy(it) => copy::lower(section, step, it, link),
        OpKind::File(file) => file_ops::file(section, step, file),
        OpKind::Mkdir(directory) => file_ops::mkdir(section, step, directory),
        OpKind::Symlink(link) => file_ops::symlink(section, step, link),
        OpKind::Remove(removed) => file_ops::remove(section, step, removed),
        OpKind::Env(change) => environment::lower(section, step, change),
        OpKind::Workdir(workdir) => {
            if let Some(path) = section.path(workdir, step.op.span) {
                section.make_directory(&path, step.op.span);
            }
        }
        // What is in force is said where a program runs, and in the end.
        OpKind::User(_) | OpKind::Shell(_) => {}
        // Steps are flattened.
        OpKind::Layer(_) | OpKind::By(_) => {}
    }
    if programs::come_with(section, &step.op.kind) {
        section.bare = false;
    }
    if programs::may_bring(&step.op.kind) {
        section.packages = None;
    }
    owners::forget_changed(section, &step.op.kind);
}

fn stage_comment(stage: &Stage) -> String {
    let phase = stage.phase.as_ref().map(|phase| format!(" in {}", phase.value)).unwrap_or_default();
    format!("stage {}{phase}", stage.name.value)
}

fn provenance_comment(by: &Provenance) -> String {
    match &by.at {
        Some((file, line)) => format!("by {}, {file}:{line}", by.block.value),
        None => format!("by {}", by.block.value),
    }
}
