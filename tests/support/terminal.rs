//! Runs one command line in this process, with streams that a test can read.

use std::ffi::OsString;
use std::io::Cursor;
use std::path::Path;

use cogpack_cli::{Console, Environment};

/// What a command left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The exit code.
    pub code: u8,
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: String,
}

impl Answer {
    /// Standard output as text.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.stdout).expect("the command writes text")
    }
}

/// Runs `cogpackc` with `arguments` in `directory`.
pub fn cogpackc(directory: &Path, arguments: &[&str]) -> Answer {
    cogpackc_with_input(directory, arguments, "")
}

/// The same, with something on standard input.
pub fn cogpackc_with_input(directory: &Path, arguments: &[&str], input: &str) -> Answer {
    run(directory, arguments, input, Environment::default())
}

/// The same, in an environment.
pub fn cogpackc_in(environment: Environment, directory: &Path, arguments: &[&str]) -> Answer {
    run(directory, arguments, "", environment)
}

/// The same, with something on standard input.
pub fn cogpackc_in_with_input(
    environment: Environment,
    directory: &Path,
    arguments: &[&str],
    input: &str,
) -> Answer {
    run(directory, arguments, input, environment)
}

/// The same, where a person looks at both streams.
pub fn cogpackc_on_terminal(environment: Environment, directory: &Path, arguments: &[&str]) -> Answer {
    run_in(directory, arguments, "", environment, true)
}

fn run(directory: &Path, arguments: &[&str], input: &str, environment: Environment) -> Answer {
    run_in(directory, arguments, input, environment, false)
}

fn run_in(
    directory: &Path,
    arguments: &[&str],
    input: &str,
    environment: Environment,
    is_terminal: bool,
) -> Answer {
    let mut stdin = Cursor::new(input.as_bytes());
    let mut stdout = Vec::new();
    let mut stderr = Vec::new();
    let mut console = Console {
        stdin: &mut stdin,
        stdout: &mut stdout,
        stderr: &mut stderr,
        directory: directory.to_owned(),
        environment,
        stdout_is_terminal: is_terminal,
        stderr_is_terminal: is_terminal,
    };
    let words = std::iter::once("cogpackc").chain(arguments.iter().copied()).map(OsString::from);
    let code = cogpack_cli::run(words, &mut console);
    Answer { code, stdout, stderr: String::from_utf8(stderr).expect("talk is text") }
}
