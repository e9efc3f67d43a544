//! Writes the plan that benchmarks measure to standard output: `write-chain STAGES`.

use std::process::ExitCode;

fn main() -> ExitCode {
    match std::env::args().nth(1).and_then(|stages| stages.parse().ok()) {
        Some(stages) => {
            print!("{}", cogpack_benches::chain(stages));
            ExitCode::SUCCESS
        }
        None => {
            eprintln!("usage: write-chain STAGES");
            ExitCode::from(2)
        }
    }
}
