//! A server that answers each request as a function says, and remembers what it was asked.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What was asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request {
    /// The server, `HOST:PORT`.
    pub server: String,
    /// `GET` and the like.
    pub method: String,
    /// With the query.
    pub path: String,
    /// The header of that name, or nothing.
    pub authorization: String,
    /// The header of that name, or nothing.
    pub range: String,
    /// What came after the headers.
    pub body: String,
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    /// How much of the body is sent before the connection breaks.
    sent: usize,
}

impl Answer {
    pub fn ok(body: &[u8]) -> Self {
        Self { status: 200, headers: Vec::new(), body: body.to_owned(), sent: body.len() }
    }

    pub fn status(status: u16) -> Self {
        Self { status, ..Self::ok(b"") }
    }

    /// The same with another status.
    pub fn under(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    pub fn with(mut self, header: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((header, value.into()));
        self
    }

    /// The connection breaks after so many bytes.
    pub fn breaking_after(mut self, sent: usize) -> Self {
        self.sent = sent;
        self
    }
}

/// A server on this machine, until the tests end.
pub struct Server {
    pub address: String,
    asked: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    pub fn start(answer: impl Fn(&Request) -> Answer + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("there is a port");
        let address = listener.local_addr().expect("it has an address").to_string();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (remembered, server) = (Arc::clone(&asked), address.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let Some(request) = read(&stream, &server) else { continue };
                let answer = answer(&request);
                // That a client looks whether we speak plain HTTP is no question of its own.
                if request.path != "/v2/" {
                    remembered.lock().expect("nobody panicked").push(request);
                }
                write(stream, &answer);
            }
        });
        Self { address, asked }
    }

    /// What was asked so far.
    pub fn asked(&self) -> Vec<Request> {
        self.asked.lock().expect("nobody panicked").clone()
    }

    /// The same, as `METHOD PATH`.
    pub fn lines(&self) -> Vec<String> {
        self.asked().iter().map(|request| format!("{} {}", request.method, request.path)).collect()
    }
}

fn read(stream: &TcpStream, server: &str) -> Option<Request> {
    let mut lines = BufReader::new(stream);
    let mut line = String::new();
    lines.read_line(&mut line).ok()?;
    let mut words = line.split_whitespace().map(str::to_owned);
    let mut request = Request {
        server: server.to_owned(),
        method: words.next()?,
        path: words.next()?,
        ..Request::default()
    };
    let mut length = 0;
    loop {
        let mut line = String::new();
        lines.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        match name.to_ascii_lowercase().as_str() {
            "authorization" => request.authorization = value.to_owned(),
            "range" => request.range = value.to_owned(),
            "content-length" => length = value.parse().ok()?,
            _ => {}
        }
    }
    let mut body = vec![0; length];
    lines.read_exact(&mut body).ok()?;
    request.body = String::from_utf8(body).ok()?;
    Some(request)
}

fn write(mut stream: TcpStream, answer: &Answer) {
    let mut text = format!("HTTP/1.1 {} so\r\nConnection: close\r\n", answer.status);
    for (name, value) in &answer.headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str(&format!("Content-Length: {}\r\n\r\n", answer.body.len()));
    let written =
        stream.write_all(text.as_bytes()).and_then(|()| stream.write_all(&answer.body[..answer.sent]));
    // Whoever has heard enough may hang up.
    let _ = written;
}
