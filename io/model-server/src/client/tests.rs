//! The driver with servers of our own on the loopback address, which say what cog's server says.

use std::sync::{Arc, Mutex};

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::Notify;

use super::*;

/// Reads one request, its body included.
async fn request(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    loop {
        let mut bytes = [0; 1024];
        let count = stream.read(&mut bytes).await.expect("can be read");
        text.extend_from_slice(&bytes[..count]);
        let said = String::from_utf8_lossy(&text).into_owned();
        let Some((head, body)) = said.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
        if count == 0 || body.len() >= length.unwrap_or(0) {
            return said;
        }
    }
}

fn answer(status: &str, kind: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\r\n{body}")
}

/// A server that takes two health checks to be ready, streams nothing, and answers a prediction only
/// when it is cancelled. What it was asked is kept.
async fn serve(listener: TcpListener, asked: Arc<Mutex<Vec<String>>>) {
    let cancelled = Arc::new(Notify::new());
    loop {
        let (mut stream, _) = listener.accept().await.expect("somebody connects");
        let (asked, cancelled) = (Arc::clone(&asked), Arc::clone(&cancelled));
        tokio::spawn(async move {
            let said = request(&mut stream).await;
            let line = said.lines().next().unwrap_or_default().replace(" HTTP/1.1", "");
            let count = {
                let mut asked = asked.lock().expect("nobody panics");
                asked.push(line.clone());
                asked.len()
            };
            let answer = match line.as_str() {
                "GET /health-check" => {
                    let status = if count == 1 { "STARTING" } else { "READY" };
                    answer("200 OK", "application/json", &json!({ "status": status }).to_string())
                }
                "POST /predictions" if said.contains("text/event-stream") => {
                    answer("406 Not Acceptable", "application/json", r#"{"error":"no streams"}"#)
                }
                "POST /predictions" => {
                    assert!(said.ends_with(r#"{"id":"p","input":{"s":"a"}}"#), "{said}");
                    cancelled.notified().await;
                    answer("200 OK", "application/json", r#"{"id":"p","status":"canceled"}"#)
                }
                "POST /predictions/p/cancel" => {
                    cancelled.notify_one();
                    answer("200 OK", "application/json", "{}")
                }
                other => answer("404 Not Found", "text/plain", other),
            };
            stream.write_all(answer.as_bytes()).await.expect("can be written");
        });
    }
}

#[tokio::test]
async fn a_model_gets_ready_is_asked_and_cancelled() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let server = Server { port: listener.local_addr().expect("it has one").port() };
    let asked = Arc::new(Mutex::new(Vec::new()));
    let serving = tokio::spawn(serve(listener, Arc::clone(&asked)));
    let ready = server.ready(Duration::from_secs(60), std::future::pending()).await;
    assert_eq!(ready, Ok(()));
    assert_eq!(server.openapi().await, None);
    let mut news = Vec::new();
    let mut patience = 1;
    let plainly_asked = || {
        let asked = asked.lock().expect("nobody panics");
        asked.iter().filter(|line| *line == "POST /predictions").count() == 2
    };
    let mut interrupted = async || {
        // Ctrl-C is pressed once, when the model has been asked the second time.
        while patience == 0 || !plainly_asked() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        patience -= 1;
    };
    let input = json!({"s": "a"});
    let outcome = server.predict("p", &input, true, &mut |it| news.push(it), &mut interrupted).await;
    assert_eq!((outcome, news), (Outcome::Cancelled, vec![News::Cancelling]));
    serving.abort();
    let asked = asked.lock().expect("nobody panics").clone();
    let expected = [
        "GET /health-check",
        "GET /health-check",
        "GET /openapi.json",
        "POST /predictions",
        "POST /predictions",
        "POST /predictions/p/cancel",
    ];
    assert_eq!(asked, expected);
}

#[tokio::test]
async fn a_container_that_ends_and_a_server_that_is_silent_are_told() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let server = Server { port: listener.local_addr().expect("it has one").port() };
    drop(listener);
    let ended = async { "ended with exit code 1".to_owned() };
    let ready = server.ready(Duration::from_secs(60), ended).await;
    assert_eq!(ready, Err(NotReady::Ended("ended with exit code 1".to_owned())));
    let ready = server.ready(Duration::ZERO, std::future::pending()).await;
    assert_eq!(ready, Err(NotReady::Late(None)));
    let mut never = async || std::future::pending().await;
    let outcome = server.predict("p", &json!({}), false, &mut |_| {}, &mut never).await;
    assert!(matches!(outcome, Outcome::Broken(_)), "{outcome:?}");
}
