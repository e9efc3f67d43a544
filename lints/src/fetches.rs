//! What a call of `curl` or `wget` fetches, and into which file: where every word of it is understood, and is
//! known to leave what comes as it is.

use std::borrow::Cow;

use cogpack_ir::shell::{Command, Word};

/// A file that is fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fetch {
    /// Its address.
    pub(crate) url: String,
    /// Where it goes, as the command names it.
    pub(crate) file: String,
    /// Whether another address that the server names counts as well.
    pub(crate) is_followed: bool,
}

/// Why that is not known.
type Unknown = Cow<'static, str>;

/// What a program takes.
struct Program {
    /// Short options without a value that change nothing of what comes.
    letters: &'static str,
    /// Long ones.
    words: &'static [&'static str],
    /// Short options with a value that change nothing.
    letters_with_value: &'static str,
    /// Long ones.
    words_with_value: &'static [&'static str],
    /// The option that names the file.
    output: (char, &'static str),
    /// Where the last part of the address names it.
    output_by_name: Option<(char, &'static str)>,
    /// Whether an option follows to other addresses, or all calls do.
    follows: Option<(char, &'static str)>,
    /// Whether the value of a long option may be joined to it.
    joins_values: bool,
    /// Signs of an address that stand for several.
    several: &'static [char],
}

const CURL: Program = Program {
    letters: "fsSkv46#gNR",
    words: &[
        "--fail",
        "--fail-with-body",
        "--silent",
        "--show-error",
        "--insecure",
        "--verbose",
        "--ipv4",
        "--ipv6",
        "--progress-bar",
        "--no-progress-meter",
        "--globoff",
        "--no-buffer",
        "--remote-time",
        "--create-dirs",
        "--tlsv1.2",
        "--tlsv1.3",
        "--http1.1",
        "--http2",
        "--retry-connrefused",
        "--retry-all-errors",
        "--ssl-reqd",
    ],
    letters_with_value: "m",
    words_with_value: &[
        "--retry",
        "--retry-delay",
        "--retry-max-time",
        "--connect-timeout",
        "--max-time",
        "--proto",
        "--proto-redir",
        "--max-redirs",
        "--limit-rate",
        "--cacert",
    ],
    output: ('o', "--output"),
    output_by_name: Some(('O', "--remote-name")),
    follows: Some(('L', "--location")),
    joins_values: false,
    several: &['{', '}', '[', ']'],
};

const WGET: Program = Program {
    letters: "qv46",
    words: &[
        "--quiet",
        "--verbose",
        "--no-verbose",
        "-nv",
        "--show-progress",
        "--no-check-certificate",
        "--https-only",
        "--retry-connrefused",
        "--no-hsts",
        "--no-cache",
        "--inet4-only",
        "--inet6-only",
    ],
    letters_with_value: "tTw",
    words_with_value: &[
        "--tries",
        "--timeout",
        "--wait",
        "--waitretry",
        "--progress",
        "--connect-timeout",
        "--read-timeout",
        "--dns-timeout",
        "--limit-rate",
        "--secure-protocol",
        "--ca-certificate",
    ],
    output: ('O', "--output-document"),
    output_by_name: None,
    follows: None,
    joins_values: true,
    several: &[],
};

/// What a command fetches.
pub(crate) fn fetch(command: &Command) -> Result<Fetch, Unknown> {
    let program = match command.name.as_str() {
        "curl" => &CURL,
        "wget" => &WGET,
        _ => return Err("it is no program that fetches a file".into()),
    };
    let mut read = Reading {
        program,
        url: None,
        file: None,
        by_name: program.output_by_name.is_none(),
        follows: program.follows.is_none(),
    };
    let mut words = command.arguments.iter();
    while let Some(word) = words.next() {
        if !word.is_literal {
            return Err(format!("what `{}` stands for only running tells", word.text).into());
        }
        read.word(&word.text, &mut words)?;
    }
    read.fetch()
}

struct Reading<'c> {
    program: &'static Program,
    url: Option<&'c str>,
    file: Option<String>,
    by_name: bool,
    follows: bool,
}

impl<'c> Reading<'c> {
    fn word(&mut self, text: &'c str, rest: &mut std::slice::Iter<'c, Word>) -> Result<(), Unknown> {
        let program = self.program;
        let unknown = || Err(format!("what `{text}` does to what comes is not known here").into());
        let Some(option) = text.strip_prefix('-').filter(|option| !option.is_empty()) else {
            return match self.url.replace(text) {
                None => Ok(()),
                Some(_) => Err("it fetches several files at once".into()),
            };
        };
        if program.words.contains(&text) {
            return Ok(());
        }
        if option.starts_with('-') {
            let (name, joined) = match text.split_once('=').filter(|_| program.joins_values) {
                Some((name, value)) => (name, Some(value)),
                None => (text, None),
            };
            if program.follows.is_some_and(|(_, follows)| follows == name) {
                self.follows = true;
            } else if program.output_by_name.is_some_and(|(_, by_name)| by_name == name) {
                self.by_name = true;
            } else if name == program.output.1 {
                self.file = Some(value(joined, rest)?.to_owned());
            } else if program.words_with_value.contains(&name) {
                value(joined, rest)?;
            } else {
                return unknown();
            }
            return Ok(());
        }

        for (at, letter) in option.char_indices() {
            // What stands behind a letter with a value is the value.
            let joined = Some(&option[at + letter.len_utf8()..]).filter(|joined| !joined.is_empty());
            if letter == program.output.0 {
                self.file = Some(value(joined, rest)?.to_owned());
                return Ok(());
            } else if program.letters_with_value.contains(letter) {
                value(joined, rest)?;
                return Ok(());
            } else if program.follows.is_some_and(|(follows, _)| follows == letter) {
                self.follows = true;
            } else if program.output_by_name.is_some_and(|(by_name, _)| by_name == letter) {
                self.by_name = true;
            } else if !program.letters.contains(letter) {
                return unknown();
            }
        }
        Ok(())
    }

    fn fetch(self) -> Result<Fetch, Unknown> {
        let url = self.url.ok_or("it names no address")?;
        let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
        let rest = rest.ok_or("only addresses with `http://` or `https://` are asked")?;
        if rest.split(['/', '?', '#']).next().is_some_and(|authority| authority.contains('@')) {
            return Err("its address has a login, and none is sent".into());
        }
        if url.contains(self.program.several) {
            return Err("its address may stand for several".into());
        }
        let file = match self.file {
            Some(file) => file,
            None if self.by_name => {
                let name =
                    rest.split_once('/').map_or("", |(_, path)| path).rsplit('/').next().unwrap_or_default();
                if name.is_empty() || name.contains(['?', '#', '%']) {
                    return Err("which file it becomes only the program knows: name one".into());
                }
                name.to_owned()
            }
            None => String::new(),
        };
        if ["", "-"].contains(&file.as_str()) || file.starts_with("/dev/") {
            return Err(TO_NO_FILE.into());
        }
        if file.contains(['\'', '\\', '\n', '\r']) || file.ends_with('/') {
            return Err("the name of its file cannot be written in a list of hashes".into());
        }
        Ok(Fetch { url: url.to_owned(), file, is_followed: self.follows })
    }
}

/// What is piped on is nothing that could be compared before it is used.
pub(crate) const TO_NO_FILE: &str =
    "it names no file, as by `-o FILE`, that could be compared before it is used";

fn value<'c>(joined: Option<&'c str>, rest: &mut std::slice::Iter<'c, Word>) -> Result<&'c str, Unknown> {
    if let Some(joined) = joined {
        return Ok(joined);
    }
    let word = rest.next().ok_or("its last option lacks a value")?;
    match word.is_literal {
        true => Ok(&word.text),
        false => Err(format!("what `{}` stands for only running tells", word.text).into()),
    }
}

#[cfg(test)]
mod tests {
    use cogpack_ir::shell::commands_of;

    use super::*;

    fn of(script: &str) -> String {
        match fetch(&commands_of(script)[0]) {
            Ok(fetch) => format!(
                "{} {}{}",
                fetch.url,
                fetch.file,
                if fetch.is_followed { " or where it is now" } else { "" }
            ),
            Err(why) => why.into_owned(),
        }
    }

    #[test]
    fn what_is_fetched_is_known_or_not_said() {
        let known = "http://a.example/b/c.tar";
        for (script, expected) in [
            ("curl -o x http://a.example/b/c.tar", "x"),
            ("curl -fsSLo /x http://a.example/b/c.tar", "/x or where it is now"),
            ("curl -fsSL -ox http://a.example/b/c.tar", "x or where it is now"),
            (
                "curl --fail --location --output 'a b' --retry 3 -m 5 http://a.example/b/c.tar",
                "a b or where it is now",
            ),
            ("curl http://a.example/b/c.tar -sO", "c.tar"),
            ("wget http://a.example/b/c.tar", "c.tar or where it is now"),
            ("wget -qO/x http://a.example/b/c.tar", "/x or where it is now"),
            ("wget -nv --tries=3 --output-document=x -T 5 http://a.example/b/c.tar", "x or where it is now"),
        ] {
            assert_eq!(of(script), format!("{known} {expected}"), "{script}");
        }
        for (script, expected) in [
            ("curl -fsSL http://a.example/b", TO_NO_FILE),
            ("wget -qO- http://a.example/b", TO_NO_FILE),
            ("curl -o - http://a.example/b", TO_NO_FILE),
            ("curl -o /dev/stdout http://a.example/b", TO_NO_FILE),
            ("curl -o x http://a.example/b http://a.example/c", "it fetches several files at once"),
            ("curl -o x 'http://a.example/[1-3]'", "its address may stand for several"),
            ("curl -o x \"http://a.example/$V\"", "what `http://a.example/$V` stands for only running tells"),
            ("curl -o \"$F\" http://a.example/b", "what `$F` stands for only running tells"),
            ("curl -o x -H 'Accept: a' http://a.example/b", "what `-H` does to what comes is not known here"),
            (
                "curl --oauth2-bearer=x -o x http://a.example/b",
                "what `--oauth2-bearer=x` does to what comes is not known here",
            ),
            ("wget -P /x http://a.example/b", "what `-P` does to what comes is not known here"),
            ("curl -O 'http://a.example/b?c'", "which file it becomes only the program knows: name one"),
            ("wget http://a.example/", "which file it becomes only the program knows: name one"),
            ("curl -o x http://me:word@a.example/b", "its address has a login, and none is sent"),
            ("curl -o x ftp://a.example/b", "only addresses with `http://` or `https://` are asked"),
            (
                "curl -o \"a'b\" http://a.example/b",
                "the name of its file cannot be written in a list of hashes",
            ),
            ("curl http://a.example/b -o", "its last option lacks a value"),
        ] {
            assert_eq!(of(script), expected, "{script}");
        }
    }
}
