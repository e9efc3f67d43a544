//! The programs that are made for a wheel's entry points, and first lines of scripts.
//!
//! The text of a launcher is, byte for byte, what `uv pip install` leaves, so that an environment
//! made here and one made there are the same files.

use crate::scripts::EntryPoint;

/// As the kernel has it: what is longer is cut off, and something else is run.
const LONGEST_FIRST_LINE: usize = 127;

/// What makes a file run by this interpreter, without the line break at its end. Kernels split the
/// first line at spaces and cut it off, so that a path which would suffer is run by way of a shell:
/// to that shell the three lines are one `exec`, to Python they are a text that nobody reads.
pub fn first_line(interpreter: &str) -> String {
    let line = format!("#!{interpreter}");
    if line.len() < LONGEST_FIRST_LINE && !interpreter.contains(' ') {
        return line;
    }
    let quoted = interpreter.replace('\'', r#"'"'"'"#);
    format!("#!/bin/sh\n'''exec' '{quoted}' \"$0\" \"$@\"\n' '''")
}

/// The program of an entry point.
pub fn launcher(interpreter: &str, entry_point: &EntryPoint) -> String {
    let EntryPoint { module, function, .. } = entry_point;
    let imported = function.split('.').next().unwrap_or(function);
    format!(
        "{}
# -*- coding: utf-8 -*-
import sys
from {module} import {imported}
if __name__ == \"__main__\":
    if sys.argv[0].endswith(\"-script.pyw\"):
        sys.argv[0] = sys.argv[0][:-11]
    elif sys.argv[0].endswith(\".exe\"):
        sys.argv[0] = sys.argv[0][:-4]
    sys.exit({function}())
",
        first_line(interpreter)
    )
}

/// What a script that comes with a wheel says first where it is to be run by the Python that it
/// is installed for.
pub const PLACEHOLDER: &[u8] = b"#!python";

/// A script with its placeholder replaced.
pub fn with_interpreter(script: &[u8], interpreter: &str) -> Vec<u8> {
    let end = script.iter().position(|byte| matches!(byte, b'\n' | b'\r')).unwrap_or(script.len());
    [first_line(interpreter).as_bytes(), &script[end..]].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_interpreters_and_those_with_spaces_are_run_by_way_of_a_shell() {
        assert_eq!(first_line("/usr/bin/python3"), "#!/usr/bin/python3");
        let longest = format!("/{}", "p".repeat(123));
        assert_eq!(first_line(&longest), format!("#!{longest}"));
        assert!(first_line(&format!("{longest}p")).starts_with("#!/bin/sh\n'''exec' '/pp"));
        assert_eq!(
            first_line("/it's mine/python"),
            "#!/bin/sh\n'''exec' '/it'\"'\"'s mine/python' \"$0\" \"$@\"\n' '''"
        );
    }

    #[test]
    fn placeholders_are_replaced_up_to_the_end_of_their_line() {
        for (script, expected) in
            [("#!python\nx\n", "#!/p\nx\n"), ("#!pythonw -E\r\nx\r\n", "#!/p\r\nx\r\n"), ("#!python", "#!/p")]
        {
            assert_eq!(with_interpreter(script.as_bytes(), "/p"), expected.as_bytes());
        }
    }
}
