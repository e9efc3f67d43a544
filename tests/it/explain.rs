//! `cogpackc explain`: the example that breaks a rule breaks it, the one that keeps it does not.

use cogpack_compiler::World;
use cogpack_ir::explain;
use miette::Diagnostic;

fn codes(text: &str) -> Vec<String> {
    let findings = match cogpack_compiler::parse(text) {
        Err(findings) => findings,
        Ok(plan) => match cogpack_compiler::compile(plan, &World::default()) {
            Err(findings) => findings,
            Ok(compiled) => compiled.warnings,
        },
    };
    findings.iter().map(|finding| finding.code().expect("every finding has a code").to_string()).collect()
}

#[test]
fn examples_do_what_they_say() {
    let mut count = 0;
    for explanation in explain::all() {
        count += 1;
        let breaking = codes(explanation.breaks);
        assert!(breaking.contains(&explanation.code.to_owned()), "{}: {breaking:?}", explanation.code);
        let keeping = codes(explanation.keeps);
        assert!(!keeping.contains(&explanation.code.to_owned()), "{}: {keeping:?}", explanation.code);
    }
    assert!(count > 40, "only {count} codes are explained");
}
