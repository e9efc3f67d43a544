//! What does not fit together: who wants what, and what each of them would have to want instead.

use std::collections::{BTreeMap, BTreeSet};

use cogpack_catalogue::frameworks::{Build, Release};
use cogpack_content::Platform;
use cogpack_frontends_source::InFile;
use miette::{Diagnostic, SourceSpan};
use pep440_rs::Version;

use super::Asked;
use super::space::{BASE, CUDA, CUDNN, Known, PYTHON, Space};
use super::wishes::{About, Wish};
use crate::stacks::solve::Need;

/// What is wrong, or worth knowing, about what is asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Diagnostic)]
pub enum FitFinding {
    /// Wishes that nothing keeps together.
    #[error("no {what} fits all that is asked for: {chain}")]
    #[diagnostic(code("project::fit::conflict"), help("{way_out}"))]
    Conflict {
        /// What there is none of.
        what: String,
        /// Who wants what.
        chain: String,
        /// What helps.
        way_out: String,
        /// The last of the wishes that stands in a file.
        #[label("wanted here")]
        place: Option<SourceSpan>,
        /// Another in the same file.
        #[label("and here")]
        other: Option<SourceSpan>,
    },
    /// A platform that the table is not about.
    #[error("which builds there are of `{wanted}` for {platform} is not known: one is chosen as for {taken}")]
    #[diagnostic(
        code("project::fit::other-platform"),
        severity(Warning),
        help(
            "`cogpackc lock` refuses what has no wheel for {platform}; for a GPU see that the wheel in the lock is made \
             for it, or plan by a lock file of the project's own, which is taken as it is"
        )
    )]
    OtherPlatform {
        /// The requirement.
        wanted: String,
        /// The platform.
        platform: Platform,
        /// The one that it is taken for.
        taken: Platform,
        /// Where it is required.
        #[label("the table of frameworks is of other platforms")]
        place: SourceSpan,
    },
    /// A CUDA that nobody uses.
    #[error("`build.{key}` has no effect: {why}")]
    #[diagnostic(
        code("project::fit::without-gpu"),
        severity(Warning),
        help("write `gpu: true` beside it, where the model is to use a GPU; or take it away")
    )]
    WithoutGpu {
        /// `cuda` or `cudnn`.
        key: &'static str,
        /// What says that there is no GPU.
        why: &'static str,
        /// Where it is written.
        #[label("for a GPU alone")]
        place: SourceSpan,
    },
    /// A release that the table does not have.
    #[error("nothing is known of a release that fits `{wanted}`: the newest known one is {newest}")]
    #[diagnostic(
        code("project::fit::unknown-release"),
        severity(Warning),
        help(
            "it is planned without looking whether its Python and CUDA fit: see that they do, or take a release that \
             is known"
        )
    )]
    UnknownRelease {
        /// The requirement.
        wanted: String,
        /// The newest release that is known.
        newest: String,
        /// Where it is required.
        #[label("not in the table of frameworks")]
        place: SourceSpan,
    },
}

/// The finding for wishes that have no solution.
pub(super) fn of(asked: &Asked<'_>, space: &Space<'_>, wishes: &[Wish]) -> InFile<FitFinding> {
    let needs: Vec<Vec<Need>> = wishes.iter().map(|wish| wish.needs.clone()).collect();
    let core = space.choices.conflict(&needs);
    let guilty: Vec<&Wish> = core.iter().map(|place| &wishes[*place]).collect();
    let (disputed, is_of_bases) = disputed(space, &guilty);
    let mut chain: Vec<String> = guilty.iter().map(|wish| told(space, wish, &guilty, &disputed)).collect();
    if is_of_bases {
        chain.extend(of_bases(space, &guilty));
    }
    let outs: Vec<String> = core.iter().filter_map(|place| way_out(space, wishes, &needs, *place)).collect();
    let way_out = match outs.as_slice() {
        [] => "ask for less of it; more than one of these must change".to_owned(),
        [one] => format!("this helps: {one}"),
        several => format!("any of these helps: {}", several.join("; ")),
    };
    let last = guilty.iter().rev().find_map(|wish| wish.at.as_ref());
    let (file, place) = match last {
        Some((file, place)) => (file, Some(*place)),
        None => (asked.config, None),
    };
    let placed = guilty.iter().filter_map(|wish| wish.at.as_ref());
    let mut others = placed.filter(|(of, at)| of == file && Some(*at) != place).map(|(_, at)| (*at).into());
    let other = others.next_back();
    let what = if is_of_bases { vec!["base image"] } else { disputed.iter().map(name_of).collect() };
    let finding = FitFinding::Conflict {
        what: what.join(" and no "),
        chain: chain.join("; "),
        way_out,
        place: place.map(Into::into),
        other,
    };
    InFile::new(file, finding)
}

fn name_of(of: &usize) -> &'static str {
    match *of {
        PYTHON => "Python",
        CUDA => "CUDA",
        CUDNN => "cuDNN",
        _ => "release",
    }
}

/// The things that the wishes leave no choice of, taken one by one; all that they speak of where each
/// by itself has one.
fn disputed(space: &Space<'_>, guilty: &[&Wish]) -> (BTreeSet<usize>, bool) {
    let mut spoken: BTreeMap<usize, Vec<BTreeSet<usize>>> = BTreeMap::new();
    for need in guilty.iter().flat_map(|wish| &wish.needs).filter(|need| need.of < BASE) {
        spoken.entry(need.of).or_default().push(need.choices.clone());
    }
    let mut builds: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    for need in guilty.iter().flat_map(|wish| &wish.needs) {
        if space.framework_at(need.of).is_some() {
            let left = builds.entry(need.of).or_insert_with(|| need.choices.clone());
            *left = left.intersection(&need.choices).copied().collect();
        }
    }
    let mut disputed = BTreeSet::new();
    for (of, left) in &builds {
        if left.is_empty() {
            disputed.insert(*of);
        }
        for (thing, values) in values(space, *of, left) {
            spoken.entry(thing).or_default().push(values);
        }
    }
    if !disputed.is_empty() {
        return (disputed, false);
    }
    let without_choice = |sets: &[BTreeSet<usize>]| {
        let mut sets = sets.iter();
        let first = sets.next().cloned().unwrap_or_default();
        sets.fold(first, |left, set| left.intersection(set).copied().collect()).is_empty()
    };
    let several = || spoken.iter().filter(|(_, sets)| sets.len() > 1);
    let none: BTreeSet<usize> =
        several().filter(|(_, sets)| without_choice(sets)).map(|(of, _)| *of).collect();
    match none.is_empty() {
        // Each by itself has a choice, so it is no base that has all of them.
        true => (spoken.keys().copied().collect(), true),
        false => (none, false),
    }
}

/// What the bases have that the wishes leave.
fn of_bases(space: &Space<'_>, guilty: &[&Wish]) -> Option<String> {
    let mut left: BTreeSet<usize> = (0..space.bases.len()).collect();
    for need in guilty.iter().flat_map(|wish| &wish.needs) {
        let of_builds = space.framework_at(need.of).map(|_| {
            let needs = need.choices.iter().flat_map(|build| &space.choices.things[need.of].choices[*build]);
            let of_bases = needs.filter(|need| need.of == BASE);
            of_bases.flat_map(|need| need.choices.iter().copied()).collect::<BTreeSet<usize>>()
        });
        let of_bases: BTreeSet<usize> = match of_builds {
            // What a build does not ask of a base rules none out.
            Some(of_builds) if of_builds.is_empty() => continue,
            Some(of_builds) => of_builds,
            None if need.of == BASE => need.choices.clone(),
            None => continue,
        };
        left = left.intersection(&of_bases).copied().collect();
    }
    let needs = left.iter().flat_map(|base| &space.choices.things[BASE].choices[*base]);
    let pythons: BTreeSet<u64> =
        needs.flat_map(|need| &need.choices).map(|python| space.pythons[*python]).collect();
    let words: Vec<String> = pythons.into_iter().map(|minor| format!("3.{minor}")).collect();
    Some(match words.as_slice() {
        [] => "no base image that is known is left by that".to_owned(),
        _ => format!("base images that are left by that have Python {}", either(&words)),
    })
}

/// What the builds of a framework leave of Pythons, CUDAs and cuDNNs; nothing of what a build leaves open.
fn values(space: &Space<'_>, of: usize, builds: &BTreeSet<usize>) -> BTreeMap<usize, BTreeSet<usize>> {
    let mut values: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    let mut counted: BTreeMap<usize, usize> = BTreeMap::new();
    for need in builds.iter().flat_map(|build| &space.choices.things[of].choices[*build]) {
        if need.of < BASE {
            values.entry(need.of).or_default().extend(&need.choices);
            *counted.entry(need.of).or_default() += 1;
        }
    }
    values.retain(|thing, _| counted.get(thing) == Some(&builds.len()));
    values
}

/// `cog.yaml:3 wants Python 3.13`
fn told(space: &Space<'_>, wish: &Wish, guilty: &[&Wish], disputed: &BTreeSet<usize>) -> String {
    let wants = match (&wish.at, &wish.about) {
        (Some((file, place)), _) => format!("{file}:{} wants {}", place.line, wish.words),
        (None, About::Gpu { is_wanted: false }) => wish.words.clone(),
        (None, _) => format!("whoever plans wants {}", wish.words),
    };
    let About::Framework(package) = &wish.about else { return wants };
    let Some(known) = space.place_of(package).and_then(|of| space.framework_at(of)) else { return wants };
    let of_all = |about: &About| {
        guilty.iter().filter(|other| other.about == *about).flat_map(|other| &other.needs).collect::<Vec<_>>()
    };
    let mut needs: Vec<&Need> = wish.needs.iter().collect();
    needs.extend(of_all(&About::Gpu { is_wanted: true }));
    needs.extend(of_all(&About::Gpu { is_wanted: false }));
    let is_left = |choice: &usize| {
        needs.iter().all(|need| {
            space.framework_at(need.of).is_none_or(|other| other.package != *package)
                || need.choices.contains(choice)
        })
    };
    let left: Vec<usize> = (0..known.builds.len()).filter(is_left).collect();
    let all: Vec<usize> = wish.needs.iter().flat_map(|need| need.choices.iter().copied()).collect();
    if all.is_empty() {
        return format!("{wants}, of which there is no build for {}", platforms(space));
    }
    let left = if left.is_empty() { all } else { left };
    let said: Vec<String> = disputed.iter().filter_map(|of| made_for(known, &left, *of)).collect();
    let is_usual = space.platforms.iter().all(|platform| *platform == Platform::linux_amd64());
    let on = if is_usual { String::new() } else { format!(" on {}", platforms(space)) };
    match said.is_empty() {
        true => wants,
        false => format!("{wants}, which is made for {}{on}", said.join(" and ")),
    }
}

/// `linux/arm64`, `both linux/amd64 and linux/arm64`
fn platforms(space: &Space<'_>) -> String {
    let words: Vec<String> = space.platforms.iter().map(ToString::to_string).collect();
    match words.as_slice() {
        [one] => one.clone(),
        [one, other] => format!("both {one} and {other}"),
        several => format!("all of {}", several.join(", ")),
    }
}

/// What builds are made for, in words.
fn made_for(known: &Known<'_>, builds: &[usize], of: usize) -> Option<String> {
    let of_builds = || builds.iter().map(|build| known.builds[*build]);
    match of {
        PYTHON => {
            let all: BTreeSet<&Version> = of_builds().flat_map(|(release, _)| &release.pythons).collect();
            let (first, last) = (all.first()?, all.last()?);
            Some(if first == last { format!("Python {first}") } else { format!("Python {first} to {last}") })
        }
        CUDA => {
            let ranges =
                |(_, build): (&Release, &Build)| build.cuda.as_ref().map(|cuda| plain(&cuda.to_string()));
            let all: BTreeSet<Option<String>> = of_builds().map(ranges).collect();
            let cudas: Vec<String> = all.iter().flatten().cloned().collect();
            let cpu = all.contains(&None).then(|| "the CPU".to_owned());
            let cuda = (!cudas.is_empty()).then(|| format!("CUDA {}", either(&cudas)));
            Some(cpu.into_iter().chain(cuda).collect::<Vec<_>>().join(" or "))
        }
        CUDNN => {
            let all: BTreeSet<String> = of_builds()
                .filter_map(|(_, build)| build.cudnn.as_ref())
                .map(|it| plain(&it.to_string()))
                .collect();
            let words: Vec<String> = all.into_iter().collect();
            (!words.is_empty()).then(|| format!("cuDNN {}", either(&words)))
        }
        // About the releases themselves: for what they are made, that is.
        _ => made_for(known, builds, CUDA),
    }
}

/// `11.8, 12.1 or 12.4`
fn either(all: &[String]) -> String {
    match all {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

/// `12.1` of `==12.1.*`, and a range as it is.
fn plain(range: &str) -> String {
    match range.strip_prefix("==") {
        Some(one) => one.trim_end_matches(".*").to_owned(),
        None => range.to_owned(),
    }
}

/// What one wish would have to be for all others to be kept.
fn way_out(space: &Space<'_>, wishes: &[Wish], needs: &[Vec<Need>], place: usize) -> Option<String> {
    let wish = &wishes[place];
    let others = needs.iter().enumerate().filter(|(at, _)| *at != place).map(|(_, needs)| needs.clone());
    let mut others: Vec<Vec<Need>> = others.collect();
    if let About::Framework(package) = &wish.about {
        // Another release of it, and not none.
        others.push(
            space
                .builds_where(package, |_, _| true)
                .map(|need| Need { takes: true, ..need })
                .into_iter()
                .collect(),
        );
    }
    let taken = space.best(&others)?;
    let choice = |of: usize| taken.get(&of).copied();
    let instead = match &wish.about {
        About::Python => format!("Python 3.{}", space.pythons[choice(PYTHON)?]),
        About::Cuda => match choice(CUDA) {
            Some(cuda) => format!("CUDA {}", space.cudas[cuda]),
            None => "no `cuda`".to_owned(),
        },
        About::Cudnn => match choice(CUDNN) {
            Some(cudnn) => format!("cuDNN {}", space.cudnns[cudnn]),
            None => "no `cudnn`".to_owned(),
        },
        About::Gpu { is_wanted: true } => "no GPU".to_owned(),
        About::Gpu { is_wanted: false } => "`gpu: true` below `build`".to_owned(),
        About::Base => "another base".to_owned(),
        About::Framework(package) => {
            let of = space.place_of(package)?;
            format!("{package} {}", space.framework_at(of)?.builds[choice(of)?].0.version)
        }
    };
    Some(match &wish.at {
        Some((file, at)) => format!("{instead} ({file}:{})", at.line),
        None => instead,
    })
}
