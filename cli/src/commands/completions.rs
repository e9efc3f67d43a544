//! `cogpackc completions SHELL`.

use clap::builder::PossibleValuesParser;
use cogpack_ir::explain;

use crate::DONE;
use crate::console::Console;

/// Prints the completions of a shell.
pub fn run(shell: clap_complete::Shell, console: &mut Console<'_>) -> u8 {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut with_codes(), "cogpackc", &mut script);
    if shell == clap_complete::Shell::Bash {
        script.extend_from_slice(BASH_COLONS.as_bytes());
    }
    console.data(&script);
    DONE
}

/// bash takes a word apart at its colons, of which codes have many, and puts a completion in the place
/// of the last part alone.
const BASH_COLONS: &str = r#"
_cogpackc_with_colons() {
    local words=() at word last=-1 glued=""
    for ((at = 0; at <= COMP_CWORD; at++)); do
        word=${COMP_WORDS[at]}
        if [[ at -gt 0 && ( $word == :* || $glued == *: ) ]]; then
            words[last]+=$word
        else
            last=$((last + 1))
            words[last]=$word
        fi
        glued=${words[last]}
    done
    COMP_WORDS=("${words[@]}")
    COMP_CWORD=$last
    _cogpackc "$1" "$glued" "${words[last > 0 ? last - 1 : 0]}"
    if [[ $glued == *:* && $COMP_WORDBREAKS == *:* ]]; then
        COMPREPLY=("${COMPREPLY[@]#"${glued%"${glued##*:}"}"}")
    fi
}

if [[ "${BASH_VERSINFO[0]}" -eq 4 && "${BASH_VERSINFO[1]}" -ge 4 || "${BASH_VERSINFO[0]}" -gt 4 ]]; then
    complete -F _cogpackc_with_colons -o nosort -o bashdefault -o default cogpackc
else
    complete -F _cogpackc_with_colons -o bashdefault -o default cogpackc
fi
"#;

/// The command line with every code that `explain` knows. The command itself takes any word, and
/// says better than a list of them which one was meant.
fn with_codes() -> clap::Command {
    let codes = || PossibleValuesParser::new(explain::all().map(|explanation| explanation.code));
    crate::command()
        .mut_subcommand("explain", |explain| explain.mut_arg("code", |code| code.value_parser(codes())))
}
