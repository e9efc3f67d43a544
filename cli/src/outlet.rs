//! Standard output, of which it must be known in the end whether all has arrived.

use std::io::{self, Write};

/// Passes bytes on, and keeps the first error.
#[derive(Debug)]
pub struct Outlet<W> {
    sink: W,
    lost: Option<io::Error>,
}

impl<W: Write> Outlet<W> {
    /// In front of `sink`.
    pub fn new(sink: W) -> Self {
        Self { sink, lost: None }
    }

    /// Why not all has arrived. A reader that went away (`| head`) has all that it wanted.
    pub fn lost(&mut self) -> Option<io::Error> {
        self.lost.take()
    }

    fn noted<T>(&mut self, answer: io::Result<T>) -> io::Result<T> {
        answer.inspect_err(|error| {
            let kind = error.kind();
            let went_away = matches!(kind, io::ErrorKind::BrokenPipe | io::ErrorKind::Interrupted);
            if !went_away && self.lost.is_none() {
                let kept = error.raw_os_error().map(io::Error::from_raw_os_error);
                self.lost = Some(kept.unwrap_or_else(|| io::Error::new(kind, error.to_string())));
            }
        })
    }
}

impl<W: Write> Write for Outlet<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let answer = self.sink.write(bytes);
        self.noted(answer)
    }

    fn flush(&mut self) -> io::Result<()> {
        let answer = self.sink.flush();
        self.noted(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fails(io::ErrorKind);

    impl Write for Fails {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_full_disk_is_remembered_and_a_reader_that_left_is_not() {
        for (kind, lost) in [
            (io::ErrorKind::StorageFull, Some(io::ErrorKind::StorageFull)),
            (io::ErrorKind::BrokenPipe, None),
        ] {
            let mut outlet = Outlet::new(Fails(kind));
            assert!(outlet.write(b"a").is_err());
            assert!(outlet.flush().is_ok());
            assert_eq!(outlet.lost().map(|error| error.kind()), lost);
        }
    }
}
