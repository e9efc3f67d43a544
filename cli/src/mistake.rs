//! What is said where the mistake is ours: what happened and where, and that we want to hear of it.

use std::panic::PanicHookInfo;

use crate::failure::Failure;

/// What to say of a panic.
pub fn of(panic: &PanicHookInfo<'_>) -> Failure {
    let place = panic.location().map(|place| (place.file(), place.line()));
    told(panic.payload_as_str().unwrap_or("it does not say what"), place)
}

fn told(what: &str, place: Option<(&str, u32)>) -> Failure {
    let place = place.map(|(file, line)| format!("{}:{line}: ", without_machine(file))).unwrap_or_default();
    let mut failure = Failure::new("cogpackc has made a mistake, which is not yours").with_hint(
        "please report these lines, together with the command line and, if you can, the plan; \
         with RUST_BACKTRACE=1 there are more of them",
    );
    failure.causes.push(format!("{place}{what}"));
    failure
}

/// A source file without what only says where it was on the machine that compiled it: from the
/// crate's own directory on.
fn without_machine(file: &str) -> &str {
    if !file.starts_with('/') {
        return file;
    }
    let before_source = file.rfind("/src/").and_then(|source| file[..source].rfind('/'));
    let name = before_source.or_else(|| file.rfind('/')).map_or(0, |slash| slash + 1);
    &file[name..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_happened_is_told_and_not_where_it_was_compiled() {
        for (file, shown) in [
            ("ir/src/verify/mod.rs", "ir/src/verify/mod.rs"),
            (
                "/home/me/.cargo/registry/src/index-1/miette-7.6.0/src/handlers/graphical.rs",
                "miette-7.6.0/src/handlers/graphical.rs",
            ),
            ("/rustc/0123abcd/library/core/src/option.rs", "core/src/option.rs"),
            ("/tmp/build/main.rs", "main.rs"),
        ] {
            let failure = told("index out of bounds", Some((file, 7)));
            assert_eq!(failure.causes, [format!("{shown}:7: index out of bounds")]);
            assert!(failure.hint.is_some_and(|hint| hint.contains("report")));
        }
        assert_eq!(told("x", None).causes, ["x"]);
    }
}
