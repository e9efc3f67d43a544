//! One prediction from a container that has just been started to the answer, with a person watching who
//! may lose patience. Whatever happens, the container goes.

use std::cell::RefCell;
use std::path::Path;
use std::time::{Duration, Instant};

use cogpack_frontends_schema::{Misfit, Signature};
use cogpack_io_model_server::client::News;
use cogpack_io_model_server::prediction::Outcome;
use cogpack_io_model_server::setup::NotReady;
use serde_json::Value;

use super::again::Again;
use super::arguments::{Predict, Streaming};
use super::before;
use super::chatter::Chatter;
use super::form::OutputForm;
use super::given::Inputs;
use super::output::{self, Left};
use super::place::{Place, Running};
use crate::commands::build::watch::Interrupts;
use crate::console::Console;
use crate::failure::Failure;
use crate::progress::text::plain;
use crate::report::{self, Format};
use crate::{DONE, FINDINGS};

/// Every container answers one question only.
const ID: &str = "cogpackc";
/// For how long the end of a container is waited for that has hung up.
const ENDING: Duration = Duration::from_secs(2);
/// For how long a server that has failed may still say why.
const LAST_WORDS: Duration = Duration::from_millis(300);
/// What is said when a container is started again.
const AGAIN: &str = "another model starts on this machine's network, whose server has the same address: starting this one again";
/// What shells say of a program that Ctrl-C ended.
pub const INTERRUPTED: u8 = 130;

/// What is to be asked, and how it is to be shown.
pub struct Question<'q> {
    /// The command line.
    pub arguments: &'q Predict,
    /// The inputs.
    pub inputs: &'q Inputs,
    /// The OpenAPI document that the image has for a label.
    pub document: Option<Value>,
}

/// What came of it, before the container goes.
enum Asked {
    NotReady(NotReady),
    Interrupted,
    Mistake(Failure),
    Misfits(Vec<Misfit>),
    Ended { outcome: Outcome, form: OutputForm, was_streamed: bool },
}

impl Question<'_> {
    /// Starts a container, asks, takes the container away, and tells what came of it.
    pub async fn conduct(
        &self,
        place: &Place<'_>,
        interrupts: &mut Interrupts,
        console: &mut Console<'_>,
    ) -> Result<u8, Failure> {
        let (first, time) = (Instant::now(), Duration::from_secs(self.arguments.setup_timeout));
        let mut again = Again::new(time, std::process::id());
        let mut is_told = false;
        loop {
            let mut running = place.start().await?;
            let left = time.saturating_sub(first.elapsed());
            let mut chatter = Chatter::new(self.arguments.format);
            let asked = self.listen(&mut running, &mut chatter, left, interrupts, console).await;
            let how = ended(&mut running, &asked).await;
            let stopped = running.stop().await;
            while let Some(said) = running.said.recv().await {
                chatter.push(&said, console);
            }
            chatter.finish(console);
            let is_address_taken = matches!(asked, Asked::NotReady(NotReady::AddressTaken(_)));
            let pause = match is_address_taken && place.is_on_the_machines_network() {
                true => again.next(first.elapsed()),
                false => None,
            };
            let Some(pause) = pause else {
                let code = self.tell(asked, how, &mut chatter, console)?;
                return stopped.map(|()| code);
            };
            stopped?;
            if !is_told {
                is_told = true;
                report::remark(AGAIN, self.arguments.format, console);
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = interrupts.next() => return self.cancelled(console),
            }
        }
    }

    /// Asks, while what the container writes is shown.
    async fn listen(
        &self,
        running: &mut Running,
        chatter: &mut Chatter,
        left: Duration,
        interrupts: &mut Interrupts,
        console: &mut Console<'_>,
    ) -> Asked {
        let shared = RefCell::new(console);
        let (server, ended) = (running.server, running.ended.clone());
        let said = &mut running.said;
        let listening = async {
            while let Some(said) = said.recv().await {
                chatter.push(&said, &mut shared.borrow_mut());
            }
            std::future::pending::<Asked>().await
        };
        tokio::select! {
            asked = self.ask(server, ended, left, interrupts, &shared) => asked,
            asked = listening => asked,
        }
    }

    async fn ask(
        &self,
        server: cogpack_io_model_server::client::Server,
        mut ends: tokio::sync::watch::Receiver<Option<String>>,
        left: Duration,
        interrupts: &mut Interrupts,
        console: &RefCell<&mut Console<'_>>,
    ) -> Asked {
        let arguments = self.arguments;
        let ended = async {
            match ends.wait_for(Option::is_some).await {
                Ok(how) => how.clone().unwrap_or_default(),
                Err(_) => "ended, nobody knows how".to_owned(),
            }
        };
        let ready = server.ready(left, ended);
        let ready = tokio::select! {
            ready = ready => ready,
            () = interrupts.next() => return Asked::Interrupted,
        };
        if let Err(reason) = ready {
            // Its last words may be on their way still.
            tokio::time::sleep(LAST_WORDS).await;
            return Asked::NotReady(reason);
        }
        let document = match &self.document {
            Some(document) => Some(document.clone()),
            None => server.openapi().await,
        };
        let input = match self.input(document.as_ref(), &console.borrow().directory) {
            Ok(Ok(input)) => input,
            Ok(Err(misfits)) => return Asked::Misfits(misfits),
            Err(failure) => return Asked::Mistake(failure),
        };
        let is_shown = arguments.format == Format::Text && arguments.output.is_none();
        let form = document.as_ref().map(OutputForm::of).unwrap_or_default();
        let mut was_streamed = false;
        let mut tell = |news: News| match news {
            News::Piece(piece) if is_shown => {
                was_streamed = true;
                output::print_piece(&piece, form, &mut console.borrow_mut());
            }
            News::Piece(_) => {}
            News::Cancelling => {
                let what = "cancelling the prediction (Ctrl-C again does not wait for the model)";
                report::remark(what, arguments.format, &mut console.borrow_mut());
            }
        };
        let in_pieces = arguments.stream == Streaming::Auto;
        let outcome =
            server.predict(ID, &input, in_pieces, &mut tell, &mut async || interrupts.next().await).await;
        Asked::Ended { outcome, form, was_streamed }
    }

    /// What is sent, now that the server has said what there is to know; or all that does not fit.
    fn input(
        &self,
        document: Option<&Value>,
        directory: &Path,
    ) -> Result<Result<Value, Vec<Misfit>>, Failure> {
        match (self.inputs, document.and_then(Signature::of_document)) {
            (Inputs::Judged(input), _) => Ok(Ok(input.clone())),
            (Inputs::Open(given), Some(signature)) => given.judged(&signature, directory),
            (Inputs::Open(given), None) => Ok(Ok(given.as_texts())),
        }
    }

    fn tell(
        &self,
        asked: Asked,
        how: Option<String>,
        chatter: &mut Chatter,
        console: &mut Console<'_>,
    ) -> Result<u8, Failure> {
        let (outcome, form, was_streamed) = match asked {
            Asked::NotReady(reason) => return Err(self.not_ready(reason, chatter, console)),
            Asked::Interrupted => return self.cancelled(console),
            Asked::Mistake(failure) => return Err(failure),
            Asked::Misfits(misfits) => {
                before::show(&misfits, self.arguments, console);
                return Ok(FINDINGS);
            }
            Asked::Ended { outcome, form, was_streamed } => (outcome, form, was_streamed),
        };
        match outcome {
            // Either way the model went with its container.
            Outcome::Cancelled | Outcome::Abandoned => self.cancelled(console),
            Outcome::Inputs(problems) => {
                let mut failure = Failure::new("the model does not take these inputs");
                failure.causes = problems;
                let failure = failure.with_hint("correct them; the model's own code says what it takes");
                report::failure(&failure, self.arguments.format, console);
                Ok(FINDINGS)
            }
            Outcome::Refused { status, message } => Err(self.with_log(
                Failure::new(format!("the model's server refuses ({status}): {message}")),
                chatter,
                console,
            )),
            Outcome::Broken(why) => {
                let failure = match how {
                    Some(how) => {
                        Failure::new(format!("the model's container {how} in the middle of the prediction"))
                            .with_hint("look whether it has enough memory; its log says more")
                    }
                    None => Failure::new(format!("the model's server cannot be talked to: {why}")),
                };
                Err(self.with_log(failure, chatter, console))
            }
            Outcome::Answered(answer) => {
                if chatter.shown() == 0 && self.arguments.format == Format::Text {
                    // A server that writes no log still answers with one.
                    chatter.show(&answer.logs, console);
                }
                let is_done = answer.status == "succeeded";
                let left = match (&self.arguments.output, is_done) {
                    (Some(to), true) => output::write(&answer.output, form, to, &console.directory)?,
                    (None, true) if !was_streamed => {
                        Left { printed: Some(output::text_of(&answer.output, form)), ..Left::default() }
                    }
                    (None, true) if form == OutputForm::Pieces => {
                        Left { printed: Some("\n".to_owned()), ..Left::default() }
                    }
                    (Some(_) | None, _) => Left::default(),
                };
                match self.arguments.format {
                    Format::Json => {
                        let files: Vec<String> =
                            left.files.iter().map(|path| path.display().to_string()).collect();
                        let document = serde_json::json!({
                            "version": report::json::VERSION,
                            "status": answer.status,
                            "output": answer.output,
                            "error": answer.error,
                            "logs": answer.logs,
                            "metrics": answer.metrics,
                            "files": files,
                        });
                        console.data(report::json::text(&document).as_bytes());
                    }
                    Format::Text => {
                        console.data(left.printed.unwrap_or_default().as_bytes());
                        for file in &left.files {
                            console.say(&format!("wrote `{}`", file.display()));
                        }
                        if !is_done {
                            let error = answer.error.unwrap_or_else(|| "it does not say why".to_owned());
                            console.say(&format!("error: the prediction failed: {}", plain(&error)));
                        }
                    }
                }
                Ok(if is_done { DONE } else { FINDINGS })
            }
        }
    }

    fn cancelled(&self, console: &mut Console<'_>) -> Result<u8, Failure> {
        report::remark("cancelled: the model's container is gone", self.arguments.format, console);
        Ok(INTERRUPTED)
    }

    fn not_ready(&self, reason: NotReady, chatter: &mut Chatter, console: &mut Console<'_>) -> Failure {
        let failure = match reason {
            NotReady::SetupFailed(log) => {
                let last = log.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default().trim();
                let mut failure = Failure::new("the model's setup failed");
                failure.causes.extend((!last.is_empty()).then(|| last.to_owned()));
                failure.with_hint(
                    "correct what its log tells of; `-e NAME=VALUE` gives it a variable that it lacks",
                )
            }
            NotReady::AddressTaken(said) => {
                let mut failure = Failure::new("the model's server cannot talk to the model's own process");
                failure.causes.push(said.trim().to_owned());
                failure.causes.push(
                    "cog's server names a socket after its process number, which is the same in many \
                     containers, and on one network only one of them has it at a time"
                        .to_owned(),
                );
                failure.with_hint(
                    "try again when no other model starts on this machine's network (`@coglet-` in \
                     /proc/net/unix), or in an Engine, in a container with a network of its own",
                )
            }
            NotReady::Defunct(_) => Failure::new("the model's server has given the model up, as DEFUNCT")
                .with_hint("its log says why"),
            NotReady::Ended(how) => {
                Failure::new(format!("the model's container {how} before the model was ready")).with_hint(
                    "the image has to start cog's server: `cmd [\"python\", \"-m\", \"cog.server.http\"]`",
                )
            }
            NotReady::Late(last) => {
                let seconds = self.arguments.setup_timeout;
                let mut failure = Failure::new(format!("the model was not ready within {seconds} s"));
                failure.causes.push(match last {
                    Some(status) => format!("its server says {status}"),
                    None => "its server does not answer".to_owned(),
                });
                failure.with_hint("`--setup-timeout SECONDS` gives it more time; its log says what it does")
            }
        };
        self.with_log(failure, chatter, console)
    }

    /// A failure with the end of the container's log: for people before it, for programs in it.
    fn with_log(&self, mut failure: Failure, chatter: &Chatter, console: &mut Console<'_>) -> Failure {
        let end = chatter.end();
        match self.arguments.format {
            Format::Json => failure.causes.extend(end),
            Format::Text if end.is_empty() => {}
            Format::Text => {
                console.say("the end of its log:");
                end.iter().for_each(|line| console.say(&format!("  │ {}", plain(line))));
            }
        }
        failure
    }
}

/// How a container has ended whose server has hung up.
async fn ended(running: &mut Running, asked: &Asked) -> Option<String> {
    if !matches!(asked, Asked::Ended { outcome: Outcome::Broken(_), .. }) {
        return None;
    }
    let ended = tokio::time::timeout(ENDING, running.ended.wait_for(Option::is_some)).await;
    ended.ok()?.ok()?.clone()
}
