//! What a file of a server hashes to at the moment. It is read to its end and not kept, and no login is sent.

use std::io::{self, Read};
use std::time::Duration;

use cogpack_content::Digest;
use cogpack_io_web::Trust;
use sha2::{Digest as _, Sha256};
use ureq::Agent;
use url::Url;

use crate::web::without_secrets;

/// How a file is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// How often the server may name another address.
    pub redirects: u32,
    /// The most bytes that it may be long.
    pub bytes: u64,
    /// The longest time until all of it is here.
    pub time: Duration,
}

impl Bounds {
    /// Four gigabytes and ten minutes: more than what a script downloads, and an end to a server that has none.
    pub const USUAL: Self = Self { redirects: 20, bytes: 4 << 30, time: Duration::from_secs(600) };
    /// For those that take the answer of the address itself, whatever it is.
    pub const THERE: Self = Self { redirects: 0, ..Self::USUAL };
}

/// A file that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hashed {
    /// How long it is.
    pub bytes: u64,
    /// What it hashes to.
    pub digest: Digest,
}

/// Why it is not known.
#[derive(Debug, thiserror::Error)]
pub enum HashError {
    /// The server's answer.
    #[error("`{from}` answers {status}")]
    Status {
        /// Who was asked, without what may be secret.
        from: String,
        /// The HTTP status.
        status: u16,
    },
    /// No answer, or none to its end.
    #[error("nothing came from `{from}`")]
    Transport {
        /// Who was asked, without what may be secret.
        from: String,
        /// What happened.
        #[source]
        source: io::Error,
    },
    /// It has no end, or a far one.
    #[error("what `{from}` gives is longer than {most} bytes")]
    TooLong {
        /// Who was asked, without what may be secret.
        from: String,
        /// The most that is read.
        most: u64,
    },
}

/// Reads a file of a server; `told` hears how many bytes have come.
pub fn hashed(url: &Url, bounds: Bounds, told: &mut dyn FnMut(u64)) -> Result<Hashed, HashError> {
    let from = || without_secrets(url);
    let transport = |source| HashError::Transport { from: from(), source };
    let agent: Agent = Trust::of_machine()
        .config()
        .max_redirects(bounds.redirects)
        .max_redirects_will_error(false)
        .timeout_global(Some(bounds.time))
        .build()
        .into();
    let mut answer =
        agent.get(url.as_str()).header("accept", "*/*").call().map_err(|error| transport(error.into_io()))?;
    let status = answer.status();
    if !status.is_success() {
        return Err(HashError::Status { from: from(), status: status.as_u16() });
    }
    let mut body = answer.body_mut().as_reader();
    let (mut hash, mut bytes) = (Sha256::new(), 0_u64);
    let mut buffer = vec![0; 1 << 16];
    loop {
        let count = match body.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(transport(error)),
        };
        bytes += count as u64;
        if bytes > bounds.bytes {
            return Err(HashError::TooLong { from: from(), most: bounds.bytes });
        }
        hash.update(&buffer[..count]);
        told(bytes);
    }
    Ok(Hashed { bytes, digest: Digest::from_sha256(hash.finalize().into()) })
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Write};
    use std::net::TcpListener;
    use std::sync::{Arc, Mutex};

    use super::*;

    /// A server that gives `/file`, sends `/moved` there and `/away` to a file of the machine, and never ends
    /// `/endless`; and the lines that it was asked with.
    fn server() -> (String, Arc<Mutex<Vec<String>>>) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("there is a port");
        let address = format!("http://{}", listener.local_addr().expect("it has one"));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.expect("somebody calls");
                let lines = BufReader::new(stream.try_clone().expect("is open")).lines();
                let lines: Vec<String> =
                    lines.map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
                let path = lines[0].split(' ').nth(1).unwrap_or_default().to_owned();
                heard.lock().expect("nobody fails with it").extend(lines);
                let moved = |to: &str| {
                    format!(
                        "HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                    )
                };
                let answer =
                    match path.as_str() {
                        "/file" => "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello"
                            .to_owned(),
                        "/short" => "HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\nhello"
                            .to_owned(),
                        "/moved" => moved("/file"),
                        "/away" => moved("file:///etc/hostname"),
                        "/endless" => "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".to_owned(),
                        _ => "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                            .to_owned(),
                    };
                // Whoever has read enough hangs up.
                let _ = stream.write_all(answer.as_bytes());
                while path == "/endless" && stream.write_all(&[b'x'; 4096]).is_ok() {}
            }
        });
        (address, asked)
    }

    fn ask(address: &str, path: &str, bounds: Bounds) -> Result<Hashed, String> {
        let url = Url::parse(&format!("{address}{path}?key=word")).expect("is one");
        hashed(&url, bounds, &mut |_| {}).map_err(|error| error.to_string().replace(address, ""))
    }

    #[test]
    fn a_file_is_hashed_as_it_comes() {
        let (address, asked) = server();
        let path = "/file";
        let url = Url::parse(&format!("{address}{path}")).expect("is one");
        let hello = Hashed { bytes: 5, digest: Digest::of(b"hello") };
        let mut seen = Vec::new();
        assert_eq!(hashed(&url, Bounds::USUAL, &mut |bytes| seen.push(bytes)).expect("is there"), hello);
        assert_eq!(seen.last(), Some(&5));
        let asked = asked.lock().expect("nobody fails with it").join("\n").to_lowercase();
        assert!(!asked.contains("authorization") && !asked.contains("cookie"), "{asked}");
    }

    #[test]
    fn what_is_not_the_file_is_told_by_its_server() {
        let (address, _) = server();
        let plain = |path: &str, bounds| {
            let url = Url::parse(&format!("{address}{path}")).expect("is one");
            hashed(&url, bounds, &mut |_| {})
        };
        let hello = Hashed { bytes: 5, digest: Digest::of(b"hello") };
        assert_eq!(plain("/moved", Bounds::USUAL).expect("is followed"), hello);
        let status = |found: Result<Hashed, HashError>| match found {
            Err(HashError::Status { status, .. }) => Some(status),
            Ok(_) | Err(HashError::Transport { .. } | HashError::TooLong { .. }) => None,
        };
        assert_eq!(status(plain("/moved", Bounds::THERE)), Some(302));
        assert_eq!(status(plain("/nothing", Bounds::USUAL)), Some(404));
        // A file of the machine is none of a server, which is asked for one of that name.
        assert_eq!(status(plain("/away", Bounds::USUAL)), Some(404));
        assert!(matches!(plain("/short", Bounds::USUAL), Err(HashError::Transport { .. })));
        let short = Bounds { bytes: 100_000, ..Bounds::USUAL };
        assert!(matches!(plain("/endless", short), Err(HashError::TooLong { most: 100_000, .. })));
        // What stands behind a question mark may be a key.
        assert_eq!(ask(&address, "/nothing", Bounds::USUAL), Err("`/nothing` answers 404".to_owned()));
        let closed = Url::parse("http://127.0.0.1:9/").expect("is one");
        let refused = hashed(&closed, Bounds::USUAL, &mut |_| {}).expect_err("nobody listens");
        assert_eq!(refused.to_string(), "nothing came from `http://127.0.0.1:9/`");
    }
}
