//! What blocks ask for becomes one plan, whoever asks first.

use std::collections::{BTreeMap, BTreeSet};

use cogpack_frontends_source::SourcePath;
use cogpack_ir::plan::context::DebsContext;
use cogpack_ir::plan::{ContextKind, Input, OpKind, Spanned, Template};
use cogpack_ir::syntax;
use miette::Diagnostic as _;

use super::*;

fn workdir(path: &str) -> OpKind {
    OpKind::Workdir(Spanned::nowhere(Template::literal(path)))
}

fn parts(path: &str) -> StageParts {
    StageParts { from: None, provides: BTreeSet::new(), ops: vec![(workdir(path), None)] }
}

fn base() -> StageParts {
    StageParts { from: Some(Input::Scratch), ..parts("/") }
}

fn block(name: &str, requires: &[&str], provides: &[&str]) -> BlockOrder {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    BlockOrder {
        name: name.to_owned(),
        requires: words(requires),
        after: BTreeSet::new(),
        provides: words(provides),
    }
}

fn context(kind: ContextKind) -> Context {
    Context { kind, span: Span::NOWHERE }
}

fn told(composer: Composer) -> Vec<String> {
    composer.finish().err().unwrap_or_default().iter().map(with_code).collect()
}

fn with_code(finding: &ComposeFinding) -> String {
    let code = finding.code().expect("every finding has a code");
    format!("{code}: {finding}")
}

#[test]
fn stages_stand_by_phase_and_then_by_the_turns_of_their_blocks() {
    let mut composer = Composer::new(BTreeSet::new(), None);
    composer.desk("one").stage("export.app", "first", parts("/one"));
    let mut two = composer.desk("two");
    two.at(Some((SourcePath::new("cog.yaml").unwrap(), 4)));
    two.stage("export.base", "base", base());
    two.stage("export.app", "second", parts("/two"));
    let plan = composer.finish().unwrap();
    let text = syntax::print(&plan);
    insta::assert_snapshot!(text, @r#"
    cpk 1

    platform linux/amd64

    stage %base in export.base from scratch {
      by two at "cog.yaml":4
      workdir "/"
    }

    stage %first in export.app {
      by one
      workdir "/one"
    }

    stage %second in export.app {
      by two at "cog.yaml":4
      workdir "/two"
    }

    export from phase export.config
    "#);
    assert_eq!(syntax::parse(&text).plan, plan);
}

#[test]
fn what_no_line_asks_for_is_asked_for_by_the_file_that_makes_it_a_project() {
    let place = |file: &str, line| Some((SourcePath::new(file).unwrap(), line));
    let mut composer = Composer::new(BTreeSet::new(), place("main.py", 1));
    let mut one = composer.desk("one");
    one.stage("export.base", "base", base());
    one.at(place("cog.yaml", 4)).stage("export.app", "first", parts("/one"));
    one.at(None);
    let block = one.origin().block;
    let ops = vec![
        (workdir("/two"), None),
        (workdir("/three"), Some(Origin { block: block.clone(), at: None })),
        (workdir("/four"), Some(Origin { block, at: place("cog.yaml", 5) })),
    ];
    one.stage("export.app", "second", StageParts { ops, ..parts("/") });
    let text = syntax::print(&composer.finish().unwrap());
    let (_, stages) = text.split_once("stage %base").unwrap();
    insta::assert_snapshot!(format!("stage %base{stages}"), @r#"
    stage %base in export.base from scratch {
      by one at "main.py":1
      workdir "/"
    }

    stage %first in export.app {
      by one at "cog.yaml":4
      workdir "/one"
    }

    stage %second in export.app {
      by one at "main.py":1
      workdir "/two"
      workdir "/three"
      by one at "cog.yaml":5
      workdir "/four"
    }

    export from phase export.config
    "#);
}

#[test]
fn what_cannot_both_be_is_told_with_both_origins() {
    let mut composer = Composer::new(BTreeSet::new(), None);
    let yaml = SourcePath::new("cog.yaml").unwrap();
    let mut one = composer.desk("one");
    one.at(Some((yaml.clone(), 2))).stage("export.app", "app", parts("/"));
    one.export().workdir("/src".to_owned()).label("a", "1".to_owned());
    one.stage("export.nowhere", "x", parts("/"));
    one.stage("build.complete", "y", parts("/"));
    one.context("same", context(ContextKind::Files(Default::default())));
    let mut two = composer.desk("two");
    two.at(Some((yaml, 9))).stage("build.base", "app", parts("/"));
    two.add("app", vec![workdir("/")]);
    two.add("none", vec![workdir("/")]);
    two.export().workdir("/app".to_owned()).label("a", "1".to_owned()).label("a", "2".to_owned());
    two.stage("export.app", "no name", parts("/"));
    let debs = DebsContext {
        suite: None,
        packages: BTreeMap::new(),
        archives: BTreeMap::new(),
        certificates: BTreeMap::new(),
    };
    two.context("same", context(ContextKind::Debs(debs)));
    insta::assert_snapshot!(told(composer).join("\n"), @r#"
    project::compose::unknown-phase: the block `one` (cog.yaml:2) puts the stage `x` into the phase `export.nowhere`, which is not there
    project::compose::complete: the block `one` (cog.yaml:2) puts the stage `y` into `build.complete`, which never holds one
    project::compose::stage-twice: the block `one` (cog.yaml:2) and the block `two` (cog.yaml:9) both make the stage `app`
    project::compose::foreign-stage: the block `two` (cog.yaml:9) adds to the stage `app`, which the block `one` (cog.yaml:2) makes
    project::compose::foreign-stage: the block `two` (cog.yaml:9) adds to the stage `none`, which nobody makes
    project::compose::name: the block `two` (cog.yaml:9) uses the name `no name`: it has only ASCII letters, digits, `.`, `_` and `-`
    project::compose::input-twice: the block `one` (cog.yaml:2) and the block `two` (cog.yaml:9) mean different things by the input `@same`
    project::compose::export: the block `one` (cog.yaml:2) and the block `two` (cog.yaml:9) want the image's working directory to be different
    project::compose::export: the block `one` (cog.yaml:2) and the block `two` (cog.yaml:9) want the image's label `a` to be different
    "#);
}

#[test]
fn a_block_may_add_to_its_own_stage_and_share_an_equal_input() {
    let mut composer = Composer::new(BTreeSet::new(), None);
    let files = || context(ContextKind::Files(Default::default()));
    let mut one = composer.desk("one");
    one.stage("export.base", "base", base());
    one.add("base", vec![workdir("/later")]);
    one.context("same", files());
    let mut two = composer.desk("two");
    two.context("same", files());
    let plan = composer.finish().unwrap();
    assert_eq!(plan.contexts.len(), 1);
    // `by one`, and the two ops after it.
    assert_eq!(plan.stages[0].ops.len(), 3);
}

#[test]
fn blocks_wait_for_what_they_require_and_otherwise_go_by_name() {
    let blocks = [
        block("source", &["packages"], &[]),
        block("apt", &["base"], &["system"]),
        block("packages", &["python", "base"], &["packages"]),
        block("python", &["base"], &["python"]),
        block("base", &[], &["base"]),
    ];
    let names = |order: Vec<usize>, blocks: &[BlockOrder]| -> Vec<String> {
        order.into_iter().map(|place| blocks[place].name.clone()).collect()
    };
    let expected = ["base", "apt", "python", "packages", "source"];
    assert_eq!(names(block_order(&blocks).unwrap(), &blocks), expected);
    let mut reversed = blocks;
    reversed.reverse();
    assert_eq!(names(block_order(&reversed).unwrap(), &reversed), expected);
}

#[test]
fn an_order_that_cannot_be_is_told_as_a_path() {
    let blocks = [
        block("a", &["b"], &["a"]),
        block("b", &["c"], &["b"]),
        block("c", &["a"], &["c"]),
        block("d", &["pyton"], &["python"]),
        block("e", &["python"], &["a"]),
        block("f", &["python", "pithon"], &[]),
    ];
    let told: Vec<String> = block_order(&blocks).unwrap_err().iter().map(with_code).collect();
    insta::assert_snapshot!(told.join("\n"), @r#"
    project::compose::provided-twice: the blocks `a` and `e` both provide `a`
    project::compose::nobody-provides: the block `d` needs `pyton`, which no block of this project provides
    project::compose::nobody-provides: the block `f` needs `pithon`, which no block of this project provides
    "#);
}

#[test]
fn blocks_that_wait_for_each_other_are_told_as_a_circle() {
    let blocks = [block("a", &["b"], &["a"]), block("b", &["c"], &["b"]), block("c", &["a"], &["c"])];
    let told: Vec<String> = block_order(&blocks).unwrap_err().iter().map(with_code).collect();
    insta::assert_snapshot!(told.join("\n"), @"project::compose::cycle: blocks wait for each other in a circle: a needs `b` of b needs `c` of c needs `a` of a");
}
