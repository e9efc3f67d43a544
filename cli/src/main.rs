//! The binary: real streams and arguments in, an exit code out. All else is in the library, so
//! that tests run commands in their own process.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use cogpack_cli::{Console, Outlet};

/// A plan is hundreds of thousands of small values; this gives and takes them a quarter faster
/// than the system's allocator does.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    std::panic::set_hook(Box::new(|panic| {
        let _ = write!(io::stderr(), "{}", cogpack_cli::mistake(panic));
        let trace = Backtrace::capture();
        if trace.status() == BacktraceStatus::Captured {
            let _ = writeln!(io::stderr(), "\n{trace}");
        }
    }));
    let mut stdin = io::stdin().lock();
    // Not locked: what a daemon sends to standard output is written by another thread.
    let mut stdout = io::BufWriter::new(Outlet::new(io::stdout()));
    let mut stderr = io::stderr();
    let mut console = Console {
        stdin: &mut stdin,
        stdout: &mut stdout,
        stderr: &mut stderr,
        directory: std::env::current_dir().unwrap_or_default(),
        environment: cogpack_cli::Environment::of_the_process(),
        stdout_is_terminal: io::stdout().is_terminal(),
        stderr_is_terminal: io::stderr().is_terminal(),
    };
    let code = cogpack_cli::run(std::env::args_os(), &mut console);
    // What becomes of it is known to the outlet.
    let _ = stdout.flush();
    match stdout.get_mut().lost() {
        None => ExitCode::from(code),
        Some(error) => {
            let _ =
                writeln!(stderr, "error: not all could be written to standard output\n\ncaused by: {error}");
            ExitCode::from(cogpack_cli::COULD_NOT_RUN)
        }
    }
}
