//! Tests: whatever a plan says, a picture of it is a well-formed document that says it.

use std::fmt::Write;

use proptest::prelude::*;

use super::{dot, mermaid, svg};
use crate::arbitrary;
use crate::plan::Plan;
use crate::syntax;

pub(super) fn plan(text: &str) -> Plan {
    let parsed = syntax::parse(text);
    assert!(parsed.findings.is_empty(), "{:#?}", parsed.findings);
    parsed.plan
}

/// A plan of `count` stages that read each other in ways that `seed` decides; in `phases` where
/// there are some. Some read what comes after them, and some what is not there.
pub(super) fn tangled(count: u32, phases: &[&str], seed: u32) -> Plan {
    let mut state = seed;
    let mut next = |below: u32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) % below
    };
    let mut text = String::from("cpk 1\nimage @a = \"debian:12\"\nimage @b = \"alpine\"\n");
    text.push_str("context @c = dir \"c\"\ncontext @d = dir \"d\"\n");
    for (index, phase) in phases.iter().enumerate() {
        let after = index.checked_sub(1).map(|before| format!(" after {}", phases[before]));
        let parallel = if next(3) == 0 { " parallel" } else { "" };
        writeln!(text, "phase {phase}{parallel}{}", after.unwrap_or_default()).expect("a text grows");
    }
    for stage in 0..count {
        let other = next(count + 1);
        let place = usize::try_from(stage).map_or(0, |stage| stage * phases.len() / count as usize);
        let phase = phases.get(place).map(|phase| format!(" in {phase}")).unwrap_or_default();
        let from = match next(4) {
            0 => " from image @a".to_owned(),
            1 => format!(" from %s{other}"),
            _ => String::new(),
        };
        writeln!(text, "stage %s{stage}{phase}{from} {{").expect("a text grows");
        for op in 0..next(9) * next(3) {
            let other = next(count + 1);
            let line = match next(6) {
                0 => format!("copy \"/x\" from %s{other} to \"/x{op}\""),
                1 => format!("run \"work\" {{ mount %s{other} at /m mount @c at /c mount image @b at /b }}"),
                2 => format!("layer l{op} {{ copy contents \".\" from @d to \"/d\" run \"in a layer\" }}"),
                3 if !phases.is_empty() => format!("copy \"/p\" from phase {} to \"/p\"", phases[0]),
                _ => format!("env V{op} = \"{other}\""),
            };
            writeln!(text, "  {line}").expect("a text grows");
        }
        text.push_str("}\n");
    }
    writeln!(text, "export from %s{} {{ cmd [\"run\"] }}", count - 1).expect("a text grows");
    plan(&text)
}

/// What somebody might write who wants a picture to say something else.
const HOSTILE: &str = r##"cpk 1
context @c = dir "a\"]; evil [label=\"x" { exclude "<script>" }
stage %s from scratch {
  run "</text><script>alert('&amp;')</script>\\N ]]> --> end\u{0}\u{202e}\u{ffff}"
  copy "#quot;\"]" from @c to "/a\\" { exclude "%%" }
  file "/${A}`|;{}()" = "text"
  env A = "ünïcödé 日本語 \u{1f600}"
}
export from %s { label "\"><svg onload='evil()'>" = "\" evil \"" }
"##;

#[test]
fn an_svg_is_well_formed_and_keeps_strange_texts_as_texts() {
    let text = svg(&plan(HOSTILE));
    let document = roxmltree::Document::parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let elements = ["svg", "title", "style", "rect", "text", "path", "g", "circle"];
    for node in document.descendants().filter(|node| node.is_element()) {
        assert!(elements.contains(&node.tag_name().name()), "{:?}", node.tag_name());
        for attribute in node.attributes() {
            assert!(!attribute.name().starts_with("on"), "{attribute:?}");
        }
    }
    let said: String = document.descendants().filter_map(|node| node.text()).collect();
    assert!(said.contains("run </text><script>alert('&amp;')</script>"), "{said}");
    assert!(said.contains("ünïcödé 日本語 😀"), "{said}");
    for character in ['\0', '\u{202e}', '\u{ffff}'] {
        assert!(!text.contains(character), "{character:?}");
    }
}

/// `text` without what is between double quotes; a backslash takes the next character with it.
fn without_quoted(text: &str) -> String {
    let mut outside = String::new();
    let (mut is_quoted, mut characters) = (false, text.chars());
    while let Some(character) = characters.next() {
        match character {
            '"' => is_quoted = !is_quoted,
            '\\' if is_quoted => drop(characters.next()),
            _ if !is_quoted => outside.push(character),
            _ => {}
        }
    }
    assert!(!is_quoted, "a quote is left open");
    outside
}

#[test]
fn a_dot_keeps_strange_texts_inside_their_quotes() {
    let text = dot(&plan(HOSTILE));
    assert!(text.contains("evil"), "{text}");
    let outside = without_quoted(&text);
    for word in ["evil", "script", "N", "<", "日"] {
        assert!(!outside.contains(word), "`{word}` is outside of quotes:\n{outside}");
    }
    assert_eq!(outside.matches('{').count(), outside.matches('}').count());
}

#[test]
fn a_mermaid_label_is_made_of_plain_characters() {
    let text = mermaid(&plan(HOSTILE));
    let mut labels = 0;
    for line in text.lines().filter(|line| line.contains('[')) {
        let label = line.split_once("[\"").and_then(|(_, rest)| rest.rsplit_once("\"]"));
        let (label, _) = label.unwrap_or_else(|| panic!("no label in {line}"));
        let plain = label.replace("<b>", "").replace("</b>", "").replace("<br/>", "");
        assert!(!plain.contains(['"', '<', '>', '[', ']', '`', '\\', '{', '}', '(', ')', '|']), "{line}");
        labels += 1;
    }
    assert!(labels >= 3, "{text}");
}

#[test]
fn equal_plans_have_equal_pictures() {
    let one = plan("cpk 1\nstage %a from scratch\nstage %b from %a\ncontext @x = dir \".\"\n");
    let other = plan("cpk 1\ncontext @x = dir \".\"\nstage %b from %a\nstage %a from scratch\n");
    assert_eq!(one, other);
    for draw in [svg, dot, mermaid] {
        assert_eq!(draw(&one), draw(&other));
    }
}

#[test]
fn every_stage_source_and_reading_is_in_every_picture() {
    let plan = plan(
        "cpk 1\nimage @i = \"debian\"\ncontext @c = dir \".\"\n\
         stage %one from image @i { copy \"/a\" from @c to \"/a\" }\n\
         stage %two from %one { run \"x\" { mount @c at /m } }\n\
         export from %two\n",
    );
    let (svg, dot, mermaid) = (svg(&plan), dot(&plan), mermaid(&plan));
    for name in ["@i", "@c", "%one", "%two", "export"] {
        assert!(svg.contains(&format!(">{name}<")), "{name} in {svg}");
        assert!(dot.contains(&format!("label=\"{name}\\l")), "{name} in {dot}");
    }
    assert!(svg.contains("<title>%one: copy /a, from @c</title>"), "{svg}");
    assert_eq!(dot.matches(" -> ").count(), 5, "{dot}");
    assert_eq!(mermaid.matches("==>").count(), 3, "{mermaid}");
    assert_eq!(mermaid.matches("|copy|").count(), 1, "{mermaid}");
    assert_eq!(mermaid.matches("|mount|").count(), 1, "{mermaid}");
}

#[test]
fn plans_with_breaches_are_drawn_as_well() {
    let circle = plan("cpk 1\nstage %a from %b\nstage %b from %a\nstage %c from %ghost\nexport from %c\n");
    let text = svg(&circle);
    assert!(text.contains("nothing declares it"), "{text}");
    assert!(text.contains("%a starts from %b") && text.contains("%b starts from %a"), "{text}");
    assert!(dot(&plan("cpk 1\n")).starts_with("digraph"));
    assert!(roxmltree::Document::parse(&svg(&Plan::empty())).is_ok());
}

#[test]
fn what_a_phase_gives_is_drawn_as_an_edge_from_where_it_comes() {
    let plan = plan(
        "cpk 1\nphase base\nphase tools parallel after base\nphase app after tools\n\
         stage %base in base from scratch\nstage %x in tools\nstage %y in tools\nstage %app in app\n\
         export from phase app\n",
    );
    let text = svg(&plan);
    for edge in [
        "%x starts from %base",
        "%y starts from %base",
        "phase tools merges %x",
        "%app starts from phase tools",
        "the image is %app",
    ] {
        assert!(text.contains(&format!("<title>{edge}</title>")), "{edge} in {text}");
    }
    assert!(!text.contains("class=\"edge guess\" d=\"M5"), "nothing here has to be guessed");
}

proptest! {
    #[test]
    fn any_plan_can_be_drawn(plan in arbitrary::plan()) {
        let text = svg(&plan);
        if let Err(error) = roxmltree::Document::parse(&text) {
            return Err(TestCaseError::fail(format!("{error}\n{text}")));
        }
        let outside = without_quoted(&dot(&plan));
        prop_assert!(outside.chars().all(|character| character.is_ascii() && character != '<'), "{}", outside);
        for line in mermaid(&plan).lines().filter(|line| line.contains('[')) {
            prop_assert_eq!(line.matches('"').count(), 2, "{}", line);
        }
    }
}
