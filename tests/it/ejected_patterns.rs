//! Wildcards and `include` in a Dockerfile that reads the user's directory: `COPY` says the pattern
//! where all that it matches there is files of the context; anything else is gathered.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use cogpack_tests::terminal::cogpackc;

const WILDCARD: &str = "copy \"*.py\" from @source into \"/src\"";
/// Changes a project.
type Change<'c> = &'c dyn Fn(&Path);

const INCLUDED: &str =
    "copy \"lib\" from @source to \"/lib-of-it\" {\n  include \"*.py\"\n  include \"b.txt\"\n}";

/// What the eject of a project says to copy, when `prepare` has changed the project; what is said of
/// one that is refused.
fn copied(copy: &str, destination: &str, prepare: impl Fn(&Path)) -> Result<String, String> {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let folder = folder.path();
    let plan = format!(
        "cpk 1\ncontext @source = dir \".\" {{\n  exclude \"secret.*\"\n}}\nimage @base = \"base\"\n  \
         env PATH = \"/bin\"\nstage %app from image @base {{\n{copy}\n}}\nexport from %app\n"
    );
    fs::create_dir(folder.join("lib")).expect("can be made");
    for (path, text) in [
        ("plan.cpk", plan.as_str()),
        ("a.py", "a\n"),
        ("b.py", "b\n"),
        ("lib/a.py", "a\n"),
        ("lib/b.txt", "b\n"),
    ] {
        fs::write(folder.join(path), text).expect("can be written");
    }
    prepare(folder);
    // Twice, for what the first time leaves there must change nothing.
    let mut texts = Vec::new();
    for _ in 0..2 {
        let answer = cogpackc(folder, &["plan.cpk", "-o", "dockerfile", "-O", destination]);
        if answer.code != 0 {
            return Err(answer.stderr);
        }
        let text = fs::read_to_string(folder.join(destination).join("Dockerfile")).expect("it is written");
        let copies: Vec<&str> = text.lines().filter(|line| line.starts_with("COPY")).collect();
        texts.push(copies.join("\n"));
    }
    assert_eq!(texts[0], texts[1]);
    Ok(texts.remove(0))
}

#[test]
fn patterns_that_match_files_stand_in_the_dockerfile() {
    let contents = INCLUDED.replace("copy", "copy contents");
    let same_file_twice = "copy \"*.py\" \"a.*\" from @source into \"/src\"";
    for (copy, destination, expected) in [
        (WILDCARD, "deploy", "COPY --link *.py /src/"),
        (WILDCARD, ".", "COPY --link *.py /src/"),
        (INCLUDED, "deploy", "COPY --link lib/*.py lib/b.txt /lib-of-it/"),
        (contents.as_str(), "deploy", "COPY --link lib/*.py lib/b.txt /lib-of-it/"),
        (same_file_twice, "deploy", "COPY *.py a.* /src/\nCOPY --link --from=app-layer / /"),
    ] {
        assert_eq!(copied(copy, destination, |_| {}).as_deref(), Ok(expected), "{copy} in {destination}");
    }
}

#[test]
fn what_builders_would_copy_otherwise_is_gathered() {
    let nothing = |_: &Path| {};
    let link = |folder: &Path| symlink("a.py", folder.join("c.py")).expect("can be made");
    let only_files = |folder: &Path| fs::remove_dir_all(folder.join("lib")).expect("can be removed");
    let left_out = |folder: &Path| {
        for name in ["s.py", "secret.txt"] {
            fs::write(folder.join(name), "x\n").expect("can be written");
        }
    };
    let linked_directory = |folder: &Path| {
        fs::rename(folder.join("lib"), folder.join("real")).expect("can be renamed");
        symlink("real", folder.join("lib")).expect("can be made");
    };
    let all = WILDCARD.replace("*.py", "*");
    // Where an image may have links nobody knows which the files must replace.
    let into_the_system = WILDCARD.replace("/src", "/lib");
    let contents = INCLUDED.replace("copy", "copy contents");
    let gathered: [(&str, &str, Change<'_>, &str); 6] = [
        (WILDCARD, "deploy", &link, "COPY --link deploy/copies/app/src/ /src/"),
        (&into_the_system, "deploy", &nothing, "COPY deploy/copies/app/lib/ /lib/"),
        (&contents, "deploy", &linked_directory, "COPY --link deploy/copies/app/lib-of-it/lib/ /lib-of-it/"),
        (&WILDCARD.replace("*.py", "s*"), "deploy", &left_out, "COPY --link deploy/copies/app/src/ /src/"),
        // What is written there would be matched too.
        (&all, "deploy", &only_files, "COPY --link deploy/copies/app/src/ /src/"),
        (&all, ".", &only_files, "COPY --link copies/app/src/ /src/"),
    ];
    for (copy, destination, prepare, expected) in gathered {
        assert_eq!(copied(copy, destination, prepare).as_deref(), Ok(expected), "{copy} in {destination}");
    }
    let directory = |folder: &Path| fs::create_dir(folder.join("c.py")).expect("can be made");
    let refused = copied(WILDCARD, "deploy", directory).expect_err("`COPY` takes what is in it");
    assert!(refused.contains("`c.py` is a directory"), "{refused}");
}

#[test]
fn named_files_are_copied_together() {
    let nothing = |_: &Path| {};
    let several = "copy \"a.py\" \"lib/b.txt\" from @source into \"/src\"";
    assert_eq!(copied(several, "deploy", nothing).as_deref(), Ok("COPY --link a.py lib/b.txt /src/"));
    let (owned, onto) = (format!("{several} owner 5:6"), several.replace("/src", "/etc"));
    for (copy, prepare, expected) in [
        (owned.as_str(), &nothing as Change<'_>, "COPY --chown=5:6 a.py /src/a.py"),
        (&onto, &nothing, "COPY a.py lib/b.txt /etc/"),
        // `COPY` would take the content of a directory, and one of two files of one name.
        (&several.replace("lib/b.txt", "lib"), &nothing, "COPY lib /src/lib"),
        (&several.replace("b.txt", "a.py"), &nothing, ""),
    ] {
        let said = copied(copy, "deploy", prepare);
        let is_said = said.as_ref().is_ok_and(|said| !expected.is_empty() && said.contains(expected));
        assert!(is_said || (expected.is_empty() && said.is_err()), "{copy}: {said:?}");
    }
}
