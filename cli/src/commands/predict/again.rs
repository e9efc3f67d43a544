//! When a container is started again whose server found the address of its own socket in use.
//!
//! [`is_address_taken`](cogpack_io_model_server::setup::is_address_taken) says how that comes about. It
//! passes: the other server gives the address up when its model's process is there. Nothing better is to be
//! had from outside: the server makes the name up by itself, its number is 1 in every container of its own
//! processes, and a network of its own is what such a container is to do without.

use std::time::Duration;

/// The shortest pauses before each start but the first. An address is in use for half a second or so, and
/// many may want it.
const PAUSES: [Duration; 6] = [
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(8),
];

/// The pauses that are left.
pub struct Again {
    pauses: std::slice::Iter<'static, Duration>,
    time: Duration,
    /// By how much of themselves pauses are longer, in 1/256: those that collided are not to do it again.
    longer: u32,
}

impl Again {
    /// All of them, for a model that has so much time to get ready, by a process of this number.
    pub fn new(time: Duration, process: u32) -> Self {
        // Multiples of the golden ratio lie far apart for numbers that follow each other.
        Self { pauses: PAUSES.iter(), time, longer: process.wrapping_mul(0x9e37_79b9) >> 24 }
    }

    /// The pause before the next start, if there is to be one, so long after the first.
    pub fn next(&mut self, since: Duration) -> Option<Duration> {
        let pause = self.pauses.next()?;
        let pause = *pause + *pause * self.longer / 256;
        (since + pause < self.time).then_some(pause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_come_to_an_end_and_differ_between_processes() {
        let pauses = |process, time| {
            let mut again = Again::new(time, process);
            std::iter::from_fn(|| again.next(Duration::ZERO)).collect::<Vec<_>>()
        };
        let time = Duration::from_secs(60);
        assert_eq!(pauses(0, time), PAUSES);
        assert!(pauses(7, time).windows(2).all(|two| two[0] < two[1]));
        // A start that comes later than a model may be ready is none.
        assert_eq!(pauses(0, Duration::from_secs(2)), PAUSES[..3]);
        // Processes that were started together are far enough apart to see each other gone in the end.
        let mut last: Vec<Duration> = (1000..1008).map(|process| pauses(process, time)[5]).collect();
        last.sort();
        assert!(last.windows(2).all(|two| two[1] - two[0] > Duration::from_millis(500)), "{last:?}");
    }
}
