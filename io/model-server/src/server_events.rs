//! Server-sent events, as output comes that a model streams.

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerEvent {
    /// Its kind, `output` for instance.
    pub kind: String,
    /// What it says.
    pub data: String,
}

/// The most that one line may have: outputs are files too, as text.
const LONGEST_LINE: usize = 512 << 20;

/// A line is longer than that.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the server sends a line of more than {} MiB", LONGEST_LINE >> 20)]
pub struct TooLong;

/// Finds events in bytes that come in any pieces.
#[derive(Debug, Default)]
pub struct ServerEvents {
    line: Vec<u8>,
    kind: String,
    data: Option<String>,
}

impl ServerEvents {
    /// Takes in some bytes, and gives the events that they complete.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Vec<ServerEvent>, TooLong> {
        let mut found = Vec::new();
        let mut rest = bytes;
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            self.line.extend_from_slice(&rest[..end]);
            rest = &rest[end + 1..];
            let line = std::mem::take(&mut self.line);
            let text = String::from_utf8_lossy(&line);
            found.extend(self.line(text.strip_suffix('\r').unwrap_or(&text)));
        }
        if self.line.len() + rest.len() > LONGEST_LINE {
            return Err(TooLong);
        }
        self.line.extend_from_slice(rest);
        Ok(found)
    }

    fn line(&mut self, line: &str) -> Option<ServerEvent> {
        if line.is_empty() {
            let kind = std::mem::take(&mut self.kind);
            return self.data.take().map(|data| ServerEvent { kind, data });
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.kind),
            "data" => match &mut self.data {
                Some(data) => {
                    data.push('\n');
                    data.push_str(value);
                }
                None => self.data = Some(value.to_owned()),
            },
            // A comment, which keeps the connection alive, or what no model's server sends.
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "event: start\ndata: {\"id\":\"p\"}\n\n: still here\n\nevent: output\r\ndata: a\r\ndata:b\r\n\r\n\
                        data: no kind\n\nevent: lost\ndata: no end\n";

    #[test]
    fn events_are_found_in_whatever_pieces_they_come() {
        let event = |kind: &str, data: &str| ServerEvent { kind: kind.to_owned(), data: data.to_owned() };
        let expected = [event("start", "{\"id\":\"p\"}"), event("output", "a\nb"), event("", "no kind")];
        for size in [1, 2, 7, TEXT.len()] {
            let mut events = ServerEvents::default();
            let pieces = TEXT.as_bytes().chunks(size);
            let found: Vec<_> = pieces.flat_map(|piece| events.push(piece).expect("is short")).collect();
            assert_eq!(found, expected, "in pieces of {size}");
        }
    }
}
