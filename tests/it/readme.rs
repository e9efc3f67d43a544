//! What the pages at the root say: commands that are understood and do what they say, plans that
//! are canonical, and paths that are there.

use std::path::Path;

use cogpack_ir::syntax;
use cogpack_tests::places::root;
use cogpack_tests::terminal::cogpackc;

/// The texts of blocks in this language.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let text = std::fs::read_to_string(root().join(page)).expect("the page is there");
    let mut blocks = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line == format!("```{language}") {
            let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            blocks.push(block.join("\n") + "\n");
        }
    }
    blocks
}

/// The command lines of `cogpackc` in a line of a shell, its `>FILE` apart.
fn command_lines(line: &str) -> Vec<Vec<&str>> {
    let of_a_pipe = line.split(" | ").map(|command| command.split(" >").next().unwrap_or_default());
    let words = of_a_pipe.map(|command| command.split(' ').collect::<Vec<_>>());
    words.filter(|words| words[0] == "cogpackc").collect()
}

#[test]
fn plans_on_the_first_page_are_canonical() {
    let plans: Vec<String> = blocks("README.md", "text");
    let plans: Vec<&String> = plans.iter().filter(|block| block.starts_with("cpk 1")).collect();
    assert_eq!(plans.len(), 1);
    for plan in plans {
        assert_eq!(syntax::format(plan).as_ref(), Ok(plan));
        let folder = cogpack_tests::plans::folder_with(&[("plan.cpk", plan)]);
        let answer = cogpackc(folder.path(), &["plan.cpk", "-o", "llb.txt"]);
        assert_eq!(answer.code, 0, "{}", answer.stderr);
    }
}

#[test]
fn commands_on_the_first_page_are_understood() {
    let mut seen = 0;
    for block in blocks("README.md", "sh") {
        for words in block.lines().flat_map(command_lines) {
            let understood = cogpack_cli::command().try_get_matches_from(&words);
            assert!(understood.is_ok(), "{words:?}: {}", understood.unwrap_err());
            seen += 1;
        }
    }
    assert!(seen >= 6, "only {seen} commands were found");
}

#[test]
fn what_needs_neither_a_network_nor_a_daemon_runs_word_by_word() {
    let out = tempfile::tempdir().expect("a temporary folder can be made");
    let mut ran = Vec::new();
    for words in blocks("README.md", "sh").iter().flat_map(|block| block.lines()).flat_map(command_lines) {
        // The plans of the example that lie there; what comes through a pipe asks an archive.
        let (Some(plan), Some(path)) = (words.get(1), words.last()) else { continue };
        let Some(name) =
            path.strip_prefix("/tmp/").filter(|_| plan.ends_with(".cpk") && words.contains(&"-O"))
        else {
            continue;
        };
        let place = out.path().join(name);
        let mut arguments = words[1..].to_vec();
        *arguments.last_mut().expect("has words") = place.to_str().expect("is text");
        let answer = cogpackc(&root().join("examples/language-detector"), &arguments);
        assert_eq!(answer.code, 0, "{words:?}: {}", answer.stderr);
        assert!(place.join("oci-layout").exists() || place.join("Dockerfile").exists(), "{words:?}");
        ran.push(plan.to_string());
    }
    assert_eq!(ran, ["app.cpk", "plan.cpk"]);
}

#[test]
fn contributing_takes_six_steps_at_most_and_names_what_is_there() {
    let text = std::fs::read_to_string(root().join("CONTRIBUTING.md")).expect("the page is there");
    let sections: Vec<&str> = text.split("\n## ").skip(1).collect();
    assert!(sections.len() >= 5, "an op, a pass, a block, a backend, a command");
    for section in sections {
        let title = section.lines().next().unwrap_or_default();
        let is_step =
            |line: &&str| line.split_once(". ").is_some_and(|(number, _)| number.parse::<u8>().is_ok());
        let steps = section.lines().filter(is_step).count();
        assert!((1..=6).contains(&steps), "`{title}` takes {steps} steps");
        // Front ends and passes arrive with their first member, and their folders with them.
        let comes_later =
            |path: &str| path.starts_with("compiler/src/") || path.starts_with("tests/cases/passes/");
        let named =
            section.split('`').skip(1).step_by(2).filter(|word| word.contains('/') && !word.contains(' '));
        for path in named.filter(|path| !path.contains("NAME") && !path.contains("::") && !comes_later(path))
        {
            let known = ["texts/cpk.family.name.md", "texts/lint.family.name.md"]
                .iter()
                .any(|end| path.ends_with(end));
            assert!(
                known || root().join(Path::new(path)).exists(),
                "`{title}` names {path}, which is not there"
            );
        }
    }
}
