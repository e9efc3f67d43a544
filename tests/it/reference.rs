//! `grammar/cpk.md`: every example is a plan, and every word of the grammar is in one.

use std::collections::BTreeSet;

use cogpack_ir::finding::Finding;
use cogpack_ir::plan::Plan;
use cogpack_ir::resolve::{self, KnownConfigs};
use cogpack_ir::{json, syntax, verify};
use cogpack_tests::places::root;

/// What stands around the statements of a `fragment stage`.
const STAGE: (&str, &str) = (
    "cpk 1\n\
     image @base = \"docker.io/library/debian:bookworm\" env PATH = \"/usr/bin:/bin\"\n\
     context @source = dir \".\"\n\
     secret token\n\
     cache pip\n\
     stage %build from image @base\n\
     stage %app from image @base {\n",
    "\n}\nexport from %app\n",
);

/// One fenced block: the line it begins on, what stands behind the fence, and what is in it.
struct Example {
    line: usize,
    kind: String,
    text: String,
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn examples(page: &str) -> Vec<Example> {
    let mut examples: Vec<Example> = Vec::new();
    let mut is_open = false;
    // The comment at the top explains the fences and shows some.
    let start = page.find("-->").expect("the page begins with a comment");
    let before = page[..start].matches('\n').count();
    for (index, line) in page[start..].lines().enumerate() {
        match (line.strip_prefix("```"), is_open) {
            (Some(kind), false) => {
                let (line, kind) = (before + index + 1, kind.to_owned());
                examples.push(Example { line, kind, text: String::new() });
                is_open = true;
            }
            (Some(rest), true) => {
                assert_eq!(rest, "", "line {}: a fence in a fence", before + index + 1);
                is_open = false;
            }
            (None, true) => {
                let example = examples.last_mut().expect("a block is open");
                example.text.push_str(line);
                example.text.push('\n');
            }
            (None, false) => {}
        }
    }
    assert!(!is_open, "a block is not closed");
    examples
}

/// The plan in `text`, which has no finding but warnings.
fn plan(text: &str) -> Result<Plan, Vec<Finding>> {
    let parsed = syntax::parse(text);
    if !parsed.findings.is_empty() {
        return Err(parsed.findings);
    }
    verify::verify(parsed.plan).map(verify::Verified::into_plan)
}

fn resolved(plan: &Plan) -> Result<String, Vec<Finding>> {
    let verified = verify::verify(plan.clone())?;
    let resolved = resolve::resolve(verified, &KnownConfigs::new())?;
    Ok(syntax::print(resolved.plan()))
}

/// The differences between an example and what it should be; empty where there are none.
fn differences(expected: &str, example: &Example) -> String {
    if expected == example.text {
        return String::new();
    }
    format!("line {}: this should be\n{expected}\n", example.line)
}

#[test]
fn every_example_is_what_it_says() {
    let mut wrong = String::new();
    let mut last: Option<Plan> = None;
    let mut count = 0;
    for example in examples(&read("grammar/cpk.md")) {
        let Example { line, kind, text } = &example;
        let before = |what: &str| last.clone().unwrap_or_else(|| panic!("line {line}: {what} of no plan"));
        let whole = match kind.as_str() {
            "cpk" => text.clone(),
            "cpk fragment top" => format!("cpk 1\n{text}"),
            "cpk fragment stage" => format!("{}{text}{}", STAGE.0, STAGE.1),
            "cpk resolved" => {
                let resolved = resolved(&before("the resolution"));
                let resolved = resolved.unwrap_or_else(|findings| panic!("line {line}: {findings:#?}"));
                wrong.push_str(&differences(&resolved, &example));
                continue;
            }
            "json" => {
                wrong.push_str(&differences(&json::write(&before("the JSON form")), &example));
                continue;
            }
            other => panic!("line {line}: there is no kind `{other}` of examples"),
        };
        count += 1;
        match plan(&whole) {
            Err(findings) => wrong.push_str(&format!("line {line}: {findings:#?}\n")),
            Ok(plan) if kind == "cpk" => {
                if let Err(findings) = resolved(&plan) {
                    wrong.push_str(&format!("line {line}: {findings:#?}\n"));
                }
                let formatted = syntax::format(text);
                let formatted = formatted.unwrap_or_else(|findings| panic!("line {line}: {findings:#?}"));
                wrong.push_str(&differences(&formatted, &example));
                last = Some(plan);
            }
            Ok(_) => {}
        }
    }
    assert!(count > 30, "the search for examples found only {count}");
    assert!(wrong.is_empty(), "grammar/cpk.md:\n{wrong}");
}

/// The words of the grammar: what rules such as `kw_stage = @{ "stage" ~ !word_char }` stand for.
fn words() -> BTreeSet<String> {
    let grammar = read("grammar/cpk.pest");
    let keyword = |line: &str| {
        let (_, form) = line.strip_prefix("kw_")?.split_once("= @{ \"")?;
        Some(form.split_once('"')?.0.to_owned())
    };
    grammar.lines().filter_map(keyword).collect()
}

#[test]
fn every_word_of_the_grammar_is_in_an_example() {
    let page = read("grammar/cpk.md");
    let shown = examples(&page);
    let is_word = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    let used: BTreeSet<&str> = shown
        .iter()
        .filter(|example| example.kind.starts_with("cpk"))
        // What is in strings and comments is no word of the language.
        .flat_map(|example| example.text.lines())
        .flat_map(|line| line.split('#').next().unwrap_or_default().split('"').step_by(2))
        .flat_map(|outside| outside.split(|c| !is_word(c)))
        .collect();
    let words = words();
    assert!(words.len() > 80, "the search for words found only {words:?}");
    let missing: Vec<_> = words.iter().filter(|word| !used.contains(word.as_str())).collect();
    assert!(missing.is_empty(), "no example says {missing:?}");
}

#[test]
fn links_of_the_page_lead_somewhere() {
    let page = read("grammar/cpk.md");
    let anchors: BTreeSet<String> = page
        .lines()
        .filter_map(|line| line.strip_prefix('#'))
        .map(|heading| heading.trim_start_matches('#').trim().to_lowercase())
        .map(|heading| {
            heading.chars().filter(|c| c.is_alphanumeric() || " -".contains(*c)).collect::<String>()
        })
        .map(|heading| heading.replace(' ', "-"))
        .collect();
    let mut count = 0;
    for link in page.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
        count += 1;
        match link.strip_prefix('#') {
            Some(anchor) => assert!(anchors.contains(anchor), "`{link}` leads nowhere: {anchors:?}"),
            None => assert!(root().join("grammar").join(link).exists(), "`{link}` leads nowhere"),
        }
    }
    assert!(count > 20, "the search for links found only {count}");
}
