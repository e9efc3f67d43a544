//! `cogpackc explain`: the example that breaks a rule breaks it, the one that keeps it does not.

use cogpack_compiler::World;
use cogpack_ir::explain::{self, Explanation};
use cogpack_ir::json;
use cogpack_tests::plans::folder_with;
use cogpack_tests::terminal::cogpackc;
use miette::Diagnostic;

fn codes(text: &str) -> Vec<String> {
    let read = match text.starts_with(['{', '[']) {
        true => json::read(text),
        false => cogpack_compiler::parse(text),
    };
    let findings = match read {
        Err(findings) => findings,
        Ok(plan) => match cogpack_compiler::compile(plan, &World::default()) {
            Err(findings) => findings,
            Ok(resolved) => resolved.warnings().to_vec(),
        },
    };
    findings.iter().map(|finding| finding.code().expect("every finding has a code").to_string()).collect()
}

#[test]
fn examples_do_what_they_say() {
    let mut count = 0;
    for explanation in explain::all() {
        count += 1;
        if explanation.breaks.is_empty() {
            // A few codes need a plan that is too large to print, or one that no text can say.
            assert!(explanation.keeps.is_empty() && !explanation.text.is_empty(), "{}", explanation.code);
            continue;
        }
        let of_backends = ["cpk::unsupported::", "cpk::oci::", "cpk::llb::"];
        if of_backends.iter().any(|family| explanation.code.starts_with(family)) {
            refused_and_taken(explanation);
            continue;
        }
        let breaking = codes(explanation.breaks);
        assert!(breaking.contains(&explanation.code.to_owned()), "{}: {breaking:?}", explanation.code);
        let keeping = codes(explanation.keeps);
        assert!(!keeping.contains(&explanation.code.to_owned()), "{}: {keeping:?}", explanation.code);
    }
    assert!(count > 40, "only {count} codes are explained");
}

/// What a backend refuses or warns of: some backend says the code to the plan that breaks the rule, and none
/// to the one that keeps it. Both may read `files`, a folder with a file, a directory and a link, and `ignoring` with an ignore file.
fn refused_and_taken(explanation: &Explanation) {
    let folder = folder_with(&[
        ("files/a.txt", "a"),
        ("files/b.txt", "b"),
        ("files/tree/c.txt", "c"),
        ("ignoring/.dockerignore", "*.log"),
    ]);
    std::os::unix::fs::symlink("a.txt", folder.path().join("files/link")).expect("a link can be made");
    let said = |text: &str| {
        std::fs::write(folder.path().join("plan.cpk"), text).expect("can be written");
        let mut said = String::new();
        for format in [&["llb"][..], &["dockerfile"], &["dockerfile", "--dialect", "legacy"], &["oci"]] {
            let answer = cogpackc(folder.path(), &[&["plan.cpk", "-O", "out/", "-o"], format].concat());
            said.push_str(&answer.stderr);
        }
        said
    };
    let line = format!("{}\n", explanation.code);
    assert!(said(explanation.breaks).contains(&line), "{}: {}", explanation.code, said(explanation.breaks));
    assert!(!said(explanation.keeps).contains(&line), "{}: {}", explanation.code, said(explanation.keeps));
}
