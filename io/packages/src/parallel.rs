//! Does the same for many files, several at once.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use cogpack_content::threads::joined;

/// Waiting for servers costs nothing, so there may be more of them than cores.
const MOST_AT_ONCE: usize = 8;

/// Does `work` for each of `items`, several at once, and gives what came of each in their order.
pub fn in_parallel<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let workers = items.len().clamp(1, MOST_AT_ONCE);
    let mut done: Vec<(usize, R)> = thread::scope(|scope| {
        let run = || {
            let mut done = Vec::new();
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                let Some(item) = items.get(at) else { return done };
                done.push((at, work(item)));
            }
        };
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(run)).collect();
        workers.into_iter().flat_map(joined).collect()
    });
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, result)| result).collect()
}
