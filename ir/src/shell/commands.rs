//! From words to simple commands: what is called, with what.

use std::collections::BTreeMap;

use super::Extent;
use super::words::{Joint, Token, Word, tokens};

/// One simple command of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// The program's name without its directory: `pip` also for `python3 -m pip`.
    pub name: String,
    /// What is called, as it is written and with its directory: `/usr/bin/python3` for `/usr/bin/python3 -m pip`.
    pub program: Word,
    /// What stands behind the name.
    pub arguments: Vec<Word>,
    /// Variables that are set for it alone.
    pub env: BTreeMap<String, String>,
    /// Where it stands, from its first word to its last.
    pub extent: Extent,
    /// Whether something is done with what it reads or writes: a pipe or a redirection.
    pub is_redirected: bool,
    /// Whether it stands in the script itself, so that its places and those of its words are places there: not
    /// in a script within the script, nor in a list of words.
    pub is_in_script: bool,
}

/// Words of a shell that stand before a command.
const BEFORE_A_COMMAND: [&str; 10] = ["if", "then", "elif", "else", "while", "until", "do", "!", "{", "time"];

/// Words that end something and run nothing.
const ENDS: [&str; 4] = ["fi", "done", "esac", "}"];

/// How deep scripts in scripts (`sh -c '…'`) are looked into.
const DEEPEST: usize = 4;

/// The commands of a script, in the order they are written in.
pub fn commands_of(script: &str) -> Vec<Command> {
    within(script, 0)
}

/// The commands of a program that is called without a shell; what a shell gets by `-c` is a script. Its
/// words have no place of their own.
pub fn of_argv(argv: &[String]) -> Vec<Command> {
    let words = argv.iter().map(|word| Word { text: word.clone(), is_literal: true, extent: 0..0 });
    let mut found = Vec::new();
    command(words.collect(), false, 0, &mut found);
    // What a nested script says of places is about that script.
    for command in &mut found {
        (command.extent, command.is_in_script) = (0..0, false);
    }
    found
}

fn within(script: &str, depth: usize) -> Vec<Command> {
    let mut found = Vec::new();
    let mut words = Vec::new();
    let (mut is_redirected, mut reads_a_pipe) = (false, false);
    for token in tokens(script) {
        match token {
            Token::Word(word) => words.push(word),
            Token::Target => is_redirected = true,
            Token::Joint(joint) => {
                let is_pipe = joint == Joint::Pipe;
                command(
                    std::mem::take(&mut words),
                    is_redirected || reads_a_pipe || is_pipe,
                    depth,
                    &mut found,
                );
                (is_redirected, reads_a_pipe) = (false, is_pipe);
            }
        }
    }
    command(words, is_redirected || reads_a_pipe, depth, &mut found);
    found
}

/// Adds the command that these words are.
fn command(words: Vec<Word>, is_redirected: bool, depth: usize, found: &mut Vec<Command>) {
    let mut words = words.into_iter().peekable();
    while words.next_if(|word| BEFORE_A_COMMAND.contains(&word.text.as_str())).is_some() {}
    let mut env = BTreeMap::new();
    let mut name = loop {
        let Some(word) = words.next() else { return };
        if let Some((variable, value)) = assignment(&word) {
            env.insert(variable.to_owned(), value.to_owned());
            continue;
        }
        // Programs that run another one, which is what counts.
        let takes_a_value: &[&str] = match base_name(&word.text) {
            "sudo" => &["-u", "-g", "-h", "-p"],
            "env" => &["-u", "-C", "-S"],
            "nice" => &["-n"],
            "timeout" => &["-s", "-k"],
            "xargs" => &["-a", "-d", "-E", "-I", "-L", "-n", "-P", "-s"],
            "exec" | "command" | "nohup" | "eatmydata" | "builtin" => &[],
            _ => break word,
        };
        let runs = base_name(&word.text).to_owned();
        while let Some(option) = words.next_if(|word| word.text.starts_with('-')) {
            // It asks where a program is, and runs nothing.
            if runs == "command" && ["-v", "-V"].contains(&option.text.as_str()) {
                return;
            }
            if takes_a_value.contains(&option.text.as_str()) {
                words.next();
            }
        }
        if runs == "timeout" {
            words.next();
        }
    };
    if ENDS.contains(&name.text.as_str()) || !name.is_literal && !name.text.contains('/') {
        return;
    }
    let mut arguments: Vec<Word> = words.collect();
    let extent = name.extent.start..arguments.last().map_or(name.extent.end, |last| last.extent.end);
    let program = name.clone();
    name.text = base_name(&name.text).to_owned();
    let is_shell = is_shell(&name.text);
    if is_shell
        && depth < DEEPEST
        && let Some(script) = script_of(&arguments)
    {
        for mut command in within(&script.text, depth + 1) {
            (command.extent, command.is_in_script) = (script.extent.clone(), false);
            found.push(command);
        }
        return;
    }
    // `python3 -m pip install …`
    let is_python = name.text.starts_with("python");
    if is_python && arguments.len() > 1 && arguments[0].text == "-m" {
        name.text = arguments[1].text.clone();
        arguments.drain(..2);
    }
    let name = if is_pip(&name.text) { "pip".to_owned() } else { name.text };
    found.push(Command { name, program, arguments, env, extent, is_redirected, is_in_script: true });
}

/// Whether a program reads scripts as `/bin/sh` does, as far as words go.
pub fn is_shell(program: &str) -> bool {
    ["sh", "bash", "dash", "ash", "ksh", "zsh"].contains(&base_name(program))
}

/// The script behind `-c`, where it is all there.
fn script_of(arguments: &[Word]) -> Option<&Word> {
    let option = arguments.iter().position(|word| {
        word.text.starts_with('-') && !word.text.starts_with("--") && word.text.contains('c')
    })?;
    arguments.get(option + 1).filter(|script| script.is_literal)
}

fn is_pip(name: &str) -> bool {
    let version = name.strip_prefix("pip").unwrap_or("no");
    version.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn assignment(word: &Word) -> Option<(&str, &str)> {
    let (name, value) = word.text.split_once('=')?;
    let mut letters = name.bytes();
    let is_name = letters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == b'_');
    is_name.then_some((name, value))
}

impl Command {
    /// Whether an argument is this word, or `WORD=…`.
    pub fn has(&self, option: &str) -> bool {
        self.arguments.iter().any(|word| {
            word.text.strip_prefix(option).is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
        })
    }

    /// Whether a short option is among those that stand together, as `R` in `-fR`, or this long one.
    pub fn has_letter(&self, letter: char, long: &str) -> bool {
        self.arguments.iter().any(|word| {
            word.text == long
                || word
                    .text
                    .strip_prefix('-')
                    .is_some_and(|letters| !letters.starts_with('-') && letters.contains(letter))
        })
    }

    /// The arguments that are no options, without the values of `with_value`.
    pub fn operands(&self, with_value: &[&str]) -> Vec<&Word> {
        let mut operands = Vec::new();
        let mut words = self.arguments.iter();
        while let Some(word) = words.next() {
            if with_value.contains(&word.text.as_str()) {
                words.next();
            } else if !word.text.starts_with('-') || word.text == "-" {
                operands.push(word);
            }
        }
        operands
    }

    /// Whether its first operands are these words.
    pub fn begins(&self, words: &[&str], with_value: &[&str]) -> bool {
        let operands = self.operands(with_value);
        operands.len() >= words.len()
            && operands.iter().zip(words).all(|(operand, word)| operand.is_literal && operand.text == *word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(script: &str) -> Vec<String> {
        let line = |command: Command| {
            let words: Vec<&str> = command.arguments.iter().map(|word| word.text.as_str()).collect();
            format!("{} {}", command.name, words.join("|")).trim_end().to_owned()
        };
        commands_of(script).into_iter().map(line).collect()
    }

    #[test]
    fn commands_are_found_where_a_shell_finds_them() {
        for (script, expected) in [
            ("apt-get update && apt-get install -y a", vec!["apt-get update", "apt-get install|-y|a"]),
            ("echo 'apt-get update && x'; ls", vec!["echo apt-get update && x", "ls"]),
            ("echo \"a;b\" # pip install x\ntrue", vec!["echo a;b", "true"]),
            ("pip install \\\n  -r \\\n  a.txt", vec!["pip install|-r|a.txt"]),
            ("cat <<EOF > f\npip install x\nEOF\nls", vec!["cat", "ls"]),
            ("cat <<-'E'\n\tpip install x\n\tE\nls", vec!["cat", "ls"]),
            ("A=1 sudo -u me /usr/bin/pip3.12 install x", vec!["pip install|x"]),
            ("if command -v curl >/dev/null 2>&1; then curl x; fi", vec!["curl x"]),
            ("for p in curl wget; do echo $p; done", vec!["for p|in|curl|wget", "echo $p"]),
            ("python3 -m pip install x", vec!["pip install|x"]),
            ("bash -euc 'npm ci'", vec!["npm ci"]),
            ("x=$(curl y) && $x pip install", vec![]),
            ("(cd a; make) | tee log", vec!["cd a", "make", "tee log"]),
            ("echo ${A:-pip install}", vec!["echo ${A:-pip install}"]),
            ("timeout -k 5 60 curl x", vec!["curl x"]),
            ("grep -v x a.txt | xargs -n 1 pip install -q", vec!["grep -v|x|a.txt", "pip install|-q"]),
        ] {
            let found: Vec<String> = names(script);
            let found: Vec<&str> = found.iter().map(String::as_str).collect();
            assert_eq!(found, expected, "{script}");
        }
    }

    #[test]
    fn places_are_those_of_the_script() {
        let script = "true && pip install 'a b'";
        let command = commands_of(script).into_iter().nth(1).expect("there are two");
        assert_eq!(&script[command.extent.clone()], "pip install 'a b'");
        assert_eq!(&script[command.arguments[1].extent.clone()], "'a b'");
    }

    #[test]
    fn what_is_called_keeps_its_directory() {
        for (script, program) in [
            ("A=1 pip3.12 install x", "pip3.12"),
            ("sh -c '/opt/x/bin/python3 -m pip install x'", "/opt/x/bin/python3"),
            ("\"$HOME\"/bin/pip install x", "$HOME/bin/pip"),
        ] {
            let command = commands_of(script).remove(0);
            assert_eq!((command.name.as_str(), command.program.text.as_str()), ("pip", program), "{script}");
        }
    }

    #[test]
    fn whatever_is_written_is_read_to_its_end() {
        for script in
            ["'", "\"", "$(", "${", "`", "<<", ">", "\\", "a <<E\n", "&>", "é'é", "$", "a=`b", ";;", ">("]
        {
            commands_of(script);
        }
        // Every text of a few signs, by counting.
        const SIGNS: [&str; 16] =
            ["'", "\"", "$", "(", ")", "{", "}", "`", "<", ">", "\\", "\n", "&", "|", "é", " a"];
        for mut number in 0..200_000_usize {
            let mut script = String::new();
            while number > 0 {
                script += SIGNS[number % SIGNS.len()];
                number /= SIGNS.len();
            }
            for command in commands_of(&script) {
                assert!(script.get(command.extent.clone()).is_some(), "{script:?}");
            }
        }
    }

    #[test]
    fn options_and_operands_are_told_apart() {
        let command = commands_of("apt-get -o A=b install -yq jq").remove(0);
        assert!(command.begins(&["install"], &["-o"]) && !command.begins(&["install"], &[]));
        assert!(command.has_letter('q', "--quiet") && !command.has("-q"));
        assert_eq!(command.operands(&["-o"]).len(), 2);
    }
}
