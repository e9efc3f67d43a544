//! `cogpackc opt PLAN…`: plans rewritten so that their images cost less and are the same.

pub mod arguments;
pub mod pins;
mod told;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use arguments::Optimise;
use cogpack_ir::plan::{InputName, Plan, order};
use cogpack_ir::resolve::Resolved;
use cogpack_ir::{json, syntax};
use cogpack_passes::facts::Pin;
use cogpack_passes::passes::across;
use cogpack_passes::{
    Broken, Facts, Level, Optimised, PASSES, Pass, Sizes, Step, judge, named, of_level, optimise,
};

use crate::bases::Bases;
use crate::commands::diff;
use crate::console::Console;
use crate::failure::Failure;
use crate::front::Front;
use crate::plan_file::{self, PlanFile};
use crate::progress::text::counted;
use crate::report::Format;
use crate::{DONE, FINDINGS, emit, front};

/// One plan and what was made of it.
struct Made {
    file: PlanFile,
    before: Resolved,
    optimised: Optimised,
    /// By pass: in how many worlds its plan was built and compared.
    judged: BTreeMap<&'static str, u64>,
}

/// Rewrites plans.
pub fn run(arguments: &Optimise, console: &mut Console<'_>) -> Result<u8, Failure> {
    if arguments.list {
        console.data(told::passes().as_bytes());
        return Ok(DONE);
    }
    let passes = passes(arguments)?;
    if arguments.plans.iter().filter(|path| *path == Path::new("-")).count() > 1 {
        return Err(Failure::new("standard input can be read once, and `-` stands for it twice"));
    }
    let (several, target) =
        (arguments.plans.len() > 1, arguments.path.as_deref().filter(|path| *path != Path::new("-")));
    if several && target.is_none() && arguments.format == Format::Text {
        return Err(Failure::new("several plans cannot share standard output")
            .with_hint("`-O DIR` writes each under its own name"));
    }
    let mut plans = Vec::with_capacity(arguments.plans.len());
    for path in &arguments.plans {
        let file = plan_file::read_for("opt", path, console)?;
        match front::unwarned(&file, &arguments.layouts, arguments.format, console)? {
            Some(Front { resolved, bases }) => plans.push((file, resolved, bases)),
            None => return Ok(FINDINGS),
        }
    }
    let sizes = sizes(&plans, arguments, console)?;
    let pins = pins(&plans, &passes, console)?;
    let known = sizes.into_iter().zip(pins).map(|(sizes, pins)| Facts { sizes, pins, ..Facts::default() });
    let all = made(plans, &passes, known.collect(), arguments)?;
    for made in &all {
        front::warn(&pins::warnings(&made.before, &made.optimised), &made.file, arguments.format, console);
    }
    if arguments.print_after_all && arguments.format == Format::Text {
        all.iter().for_each(|made| console.talk(&told::after_each(made)));
    }
    if (arguments.stats || arguments.verify_passes) && arguments.format == Format::Text {
        all.iter().for_each(|made| console.talk(&told::stats(made, arguments.stats)));
    }
    write(&all, target, several, arguments.format, console)?;
    Ok(DONE)
}

fn write(
    all: &[Made],
    target: Option<&Path>,
    several: bool,
    format: Format,
    console: &mut Console<'_>,
) -> Result<(), Failure> {
    let Some(target) = target else {
        let text = match format {
            Format::Json => told::as_json(all),
            Format::Text => all.iter().map(|made| syntax::print(made.after().plan())).collect(),
        };
        console.data(text.as_bytes());
        return Ok(());
    };
    let target = console.directory.join(target);
    let mut places: Vec<PathBuf> = Vec::with_capacity(all.len());
    for made in all {
        let place = if several { target.join(made.file.own_name()) } else { target.clone() };
        made.file.spare(&place)?;
        if places.contains(&place) {
            let failure = Failure::new(format!("two of the plans would become `{}`", place.display()));
            return Err(failure.with_hint("rename one of them"));
        }
        places.push(place);
    }
    if several {
        std::fs::create_dir_all(&target).map_err(|error| Failure::no_directory(&target, &error))?;
    }
    for (made, place) in all.iter().zip(&places) {
        let plan = made.after().plan();
        let is_json = place.extension().is_some_and(|ending| ending == "json");
        let text = if is_json { json::write(plan) } else { syntax::print(plan) };
        emit::write_file(place, text.as_bytes())?;
    }
    if format == Format::Json {
        console.data(told::as_json(all).as_bytes());
    }
    Ok(())
}

impl Made {
    /// The plan at the end.
    fn after(&self) -> &Resolved {
        self.optimised.plan().unwrap_or(&self.before)
    }
}

/// The passes that were asked for.
fn passes(arguments: &Optimise) -> Result<Vec<&'static dyn Pass>, Failure> {
    if arguments.passes.is_empty() {
        return Ok(of_level(arguments.level.unwrap_or_default().into()));
    }
    let pass = |name: &String| {
        named(name).ok_or_else(|| {
            let failure = Failure::new(format!("there is no pass `{name}`"));
            match cogpack_ir::suggest::nearest(name, PASSES.iter().map(|pass| pass.name())) {
                Some(near) => failure.with_hint(format!("did you mean `{near}`?")),
                None => failure.with_hint("`cogpackc opt --list` lists them"),
            }
        })
    };
    arguments.passes.iter().map(pass).collect()
}

/// What the passes make of the plans: `dedupe-stages` of all of them together, the others of each.
fn made(
    plans: Vec<(PlanFile, Resolved, Bases)>,
    passes: &[&'static dyn Pass],
    known: Vec<Facts>,
    arguments: &Optimise,
) -> Result<Vec<Made>, Failure> {
    let is_wide = arguments.level.is_some_and(|level| Level::from(level) >= Level::Layers);
    let facts = Facts {
        budget: arguments.budget,
        shares_prefixes: is_wide || !arguments.passes.is_empty(),
        ..Facts::default()
    };
    let several = plans.len() > 1;
    let mut together = Vec::new();
    if several && passes.iter().any(|pass| pass.name() == DEDUPE) {
        let homes: Vec<String> =
            plans.iter().map(|(file, ..)| file.directory.to_string_lossy().into_owned()).collect();
        let read: Vec<(&Resolved, &str)> =
            plans.iter().zip(&homes).map(|((_, resolved, _), home)| (resolved, home.as_str())).collect();
        together = across(&read, &facts);
    }
    let alone: Vec<&dyn Pass> =
        passes.iter().copied().filter(|pass| together.is_empty() || pass.name() != DEDUPE).collect();
    let mut together = together.into_iter();
    let mut all = Vec::with_capacity(plans.len());
    for ((file, before, bases), known) in plans.into_iter().zip(known) {
        let facts = Facts { sizes: known.sizes, pins: known.pins, ..facts.clone() };
        let world = bases.world();
        let again = |plan: Plan| cogpack_compiler::compile(plan, &world);
        let mut steps = Vec::new();
        if let Some(rewrite) = together.next() {
            let after = rewrite.plan.map(|mut plan| {
                order::canonicalise(&mut plan);
                again(plan).map_err(|findings| mistake(&Broken { pass: DEDUPE, findings }))
            });
            steps.push(Step { pass: DEDUPE, notes: rewrite.notes, after: after.transpose()? });
        }
        let start = steps.last().and_then(|step| step.after.as_ref()).unwrap_or(&before);
        let optimised = optimise(start, &alone, &facts, &again).map_err(|broken| mistake(&broken))?;
        steps.extend(optimised.steps);
        let optimised = Optimised { steps };
        let judged = if arguments.verify_passes { judged(&before, &optimised)? } else { BTreeMap::new() };
        all.push(Made { file, before, optimised, judged });
    }
    Ok(all)
}

/// How large the layers of each plan's image are, where somebody names them.
fn sizes(
    plans: &[(PlanFile, Resolved, Bases)],
    arguments: &Optimise,
    console: &Console<'_>,
) -> Result<Vec<Sizes>, Failure> {
    let images = &arguments.sizes;
    if images.is_empty() {
        return Ok(vec![Sizes::default(); plans.len()]);
    }
    if images.len() != plans.len() {
        let (named, wanted) = (counted(images.len() as u64, "image"), counted(plans.len() as u64, "plan"));
        return Err(Failure::new(format!("`--sizes` names {named} for {wanted}"))
            .with_hint("say `--sizes` once for each plan, in their order, or leave it out"));
    }
    let sizes = plans.iter().zip(images).map(|((_, plan, _), image)| {
        let layers = Sizes::layers_of(plan);
        let blobs = diff::sizes::blobs(image, plan.plan(), layers, console)?;
        Ok(Sizes::of_layers(plan, &blobs[blobs.len() - layers..]))
    });
    sizes.collect()
}

/// What the images of each plan are at the moment, where a pass wants to know.
fn pins(
    plans: &[(PlanFile, Resolved, Bases)],
    passes: &[&'static dyn Pass],
    console: &Console<'_>,
) -> Result<Vec<BTreeMap<InputName, Pin>>, Failure> {
    if !passes.iter().any(|pass| pass.name() == pins::PASS) {
        return Ok(vec![BTreeMap::new(); plans.len()]);
    }
    plans.iter().map(|(_, plan, bases)| pins::of(plan, bases, console)).collect()
}

/// The pass that looks at several plans at once.
const DEDUPE: &str = "dedupe-stages";

/// Compares what the plan means before and after each pass that changed it.
fn judged(before: &Resolved, optimised: &Optimised) -> Result<BTreeMap<&'static str, u64>, Failure> {
    let mut judged = BTreeMap::new();
    let mut before = before;
    for step in &optimised.steps {
        let (Some(after), Some(pass)) = (&step.after, named(step.pass)) else { continue };
        // With its digest an image is another one to whoever does not know the registry.
        if pass.level() < Level::Named {
            let built = judge::kept(pass, before, after).map_err(|difference| {
                Failure::new(format!("the pass `{}` changes what the plan means: {difference}", step.pass))
                    .with_hint(
                        "this is a mistake of ours, please report it; leave the pass out with `--pass`",
                    )
            })?;
            judged.insert(step.pass, built);
        }
        before = after;
    }
    Ok(judged)
}

fn mistake(broken: &Broken) -> Failure {
    Failure::new(broken.to_string())
        .with_hint("this is a mistake of ours, please report it; leave the pass out with `--pass`")
}
