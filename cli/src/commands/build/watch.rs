//! A build with a person watching who may lose patience.

use std::time::{Duration, Instant};

use cogpack_build::failure::BuildError;
use cogpack_build::outcome::Outcome;
use cogpack_build::progress::Progress;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio_util::sync::CancellationToken;

use crate::console::Console;
use crate::failure::Failure;
use crate::progress::Show;
use crate::report::{self, Format};

/// How often the picture is painted.
const PAINT_INTERVAL: Duration = Duration::from_millis(100);

/// Most events that are taken in before something else gets a turn.
const EVENTS_AT_ONCE: usize = 1000;

/// What came of waiting for something that a person may interrupt.
pub enum Waited<T> {
    /// It ended.
    Ended(T),
    /// Ctrl-C was pressed twice.
    Abandoned,
}

/// Shows a build until it is over. The first Ctrl-C cancels it, as is then said, the second one waits no longer.
pub async fn watch(
    building: impl Future<Output = Result<Outcome, BuildError>>,
    mut happened: UnboundedReceiver<Progress>,
    show: &mut Show,
    cancel: &CancellationToken,
    interrupts: &mut Interrupts,
    started: Instant,
    console: &mut Console<'_>,
) -> Waited<Result<Outcome, BuildError>> {
    let mut building = std::pin::pin!(building);
    let mut ticks = tokio::time::interval(PAINT_INTERVAL);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    let mut batch = Vec::new();
    loop {
        tokio::select! {
            count = happened.recv_many(&mut batch, EVENTS_AT_ONCE), if !happened.is_closed() || !happened.is_empty() => {
                if count > 0 {
                    batch.drain(..).for_each(|event| show.take(&event, started.elapsed(), console.stderr));
                }
            }
            _ = ticks.tick() => show.paint(started.elapsed(), console.window(), console.stderr),
            () = interrupts.next() => {
                if cancel.is_cancelled() {
                    return Waited::Abandoned;
                }
                cancel.cancel();
                show.clear(console.window(), console.stderr);
                report::remark(interrupts.cancelling, interrupts.format, console);
            }
            ended = &mut building => {
                while let Ok(event) = happened.try_recv() {
                    show.take(&event, started.elapsed(), console.stderr);
                }
                return Waited::Ended(ended);
            }
        }
    }
}

/// Ctrl-C, and the signal by which others ask a program to end.
pub struct Interrupts {
    /// What is said when the first one comes.
    cancelling: &'static str,
    format: Format,
    interrupt: Signal,
    terminate: Signal,
}

impl Interrupts {
    /// Listens for them from now on; the first one is answered by `cancelling`.
    pub fn new(cancelling: &'static str, format: Format) -> Result<Self, Failure> {
        let listen =
            |kind| signal(kind).map_err(|error| Failure::new(format!("cannot listen for Ctrl-C: {error}")));
        Ok(Self {
            cancelling,
            format,
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
        })
    }

    /// Waits for the next one.
    pub async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// A failure of the builder, with its way out.
pub fn failure_of(error: &BuildError) -> Failure {
    let failure = Failure::of(error);
    match error.help() {
        Some(help) => failure.with_hint(help),
        None => failure,
    }
}
