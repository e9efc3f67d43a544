//! Lets programs use an ssh agent, and do no more with it than use it: they may ask which keys it
//! has and have it sign. What would add keys, take them away or lock the agent is answered by its
//! own "failure" and never reaches it.

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread::Scope;

/// The requests that are passed on: which keys there are, and to sign.
const USES: [u8; 2] = [11, 13];
/// What an agent answers to a request that it does not do.
const FAILURE: [u8; 5] = [0, 0, 0, 1, 5];
/// The most that a message of an agent has, in either direction.
const LARGEST_MESSAGE: u32 = 256 << 10;

/// A socket for one program, and the agent behind it.
pub struct Agent {
    listener: UnixListener,
    /// Where the agent itself listens.
    agent: PathBuf,
}

/// The connections of a program to agents, which end with it.
#[derive(Default)]
pub struct Connections(Mutex<Open>);

#[derive(Default)]
struct Open {
    is_over: bool,
    /// Those that are still used.
    streams: Vec<Weak<UnixStream>>,
}

impl Agent {
    /// Passes on what comes to this socket.
    pub fn new(listener: UnixListener, agent: PathBuf) -> Self {
        Self { listener, agent }
    }

    /// Serves the program until [`Connections::end`].
    pub fn serve<'scope>(&'scope self, scope: &'scope Scope<'scope, '_>, connections: &'scope Connections) {
        scope.spawn(move || {
            for stream in self.listener.incoming() {
                let Ok(stream) = stream else { return };
                let Some(stream) = connections.add(stream) else { return };
                scope.spawn(move || {
                    // That either side went away ends the connection, and is no matter of ours.
                    let _ = self.pass_on(&stream, connections);
                });
            }
        });
    }

    /// Wakes whoever serves, so that it sees that all is over.
    pub fn wake(&self) {
        if let Ok(address) = self.listener.local_addr() {
            let _ = UnixStream::connect_addr(&address);
        }
    }

    fn pass_on(&self, program: &UnixStream, connections: &Connections) -> io::Result<()> {
        match connections.add(UnixStream::connect(&self.agent)?) {
            Some(agent) => filter(program, &agent),
            None => Ok(()),
        }
    }
}

impl Connections {
    /// A stream that ends with the others; `None` when all is over.
    fn add(&self, stream: UnixStream) -> Option<Arc<UnixStream>> {
        let mut open = self.open();
        if open.is_over {
            return None;
        }
        let stream = Arc::new(stream);
        open.streams.retain(|other| other.strong_count() > 0);
        open.streams.push(Arc::downgrade(&stream));
        Some(stream)
    }

    /// Ends all connections, and lets nobody make more.
    pub fn end(&self) {
        let mut open = self.open();
        open.is_over = true;
        for stream in open.streams.drain(..).filter_map(|stream| stream.upgrade()) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    fn open(&self) -> std::sync::MutexGuard<'_, Open> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Passes requests on that only use the agent, and answers others in its place, until one of the
/// two goes away.
fn filter(mut program: &UnixStream, mut agent: &UnixStream) -> io::Result<()> {
    loop {
        let Some(request) = message(program)? else { return Ok(()) };
        if request.get(4).is_some_and(|kind| USES.contains(kind)) {
            agent.write_all(&request)?;
            let Some(answer) = message(agent)? else { return Ok(()) };
            program.write_all(&answer)?;
        } else {
            program.write_all(&FAILURE)?;
        }
    }
}

/// The next message with its length; `None` at the end.
fn message(mut stream: &UnixStream) -> io::Result<Option<Vec<u8>>> {
    let mut length = [0; 4];
    match stream.read_exact(&mut length) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    }
    let size = u32::from_be_bytes(length);
    if size == 0 || size > LARGEST_MESSAGE {
        return Err(io::Error::other("this is no message of an agent"));
    }
    let mut message = vec![0; 4 + size as usize];
    message[..4].copy_from_slice(&length);
    stream.read_exact(&mut message[4..])?;
    Ok(Some(message))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An agent that answers everything by a list of no keys, and gives what it was asked.
    fn agent(listener: &UnixListener) -> Vec<u8> {
        let (mut stream, _) = listener.accept().expect("somebody connects");
        let mut asked = Vec::new();
        while let Ok(Some(request)) = message(&stream) {
            asked.push(request[4]);
            stream.write_all(&[0, 0, 0, 5, 12, 0, 0, 0, 0]).expect("the other end is there");
        }
        asked
    }

    #[test]
    fn a_program_can_use_an_agent_and_do_no_more() {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let path = folder.path().join("agent");
        let real = UnixListener::bind(&path).expect("a socket can be made");
        let listener = UnixListener::bind(folder.path().join("program")).expect("a socket can be made");
        let address = listener.local_addr().expect("it has one");
        let (served, connections) = (Agent::new(listener, path), Connections::default());
        let asked = std::thread::scope(|scope| {
            served.serve(scope, &connections);
            let agent = scope.spawn(|| agent(&real));
            let mut program = UnixStream::connect_addr(&address).expect("is served");
            for (request, answer) in
                [(11, 12), (17, 5), (18, 5), (19, 5), (22, 5), (25, 5), (27, 5), (13, 12)]
            {
                program.write_all(&[0, 0, 0, 1, request]).expect("is served");
                let found = message(&program).expect("is answered").expect("is answered");
                assert_eq!(found[4], answer, "request {request}");
            }
            program.write_all(&[0xff; 8]).expect("is served");
            assert!(matches!(message(&program), Ok(None) | Err(_)), "no message is as long as that");
            // A program that stays connected does not keep the build from its end.
            let _idle = UnixStream::connect_addr(&address).expect("is served");
            connections.end();
            served.wake();
            agent.join().expect("does not panic")
        });
        assert_eq!(asked, [11, 13]);
    }
}
