//! Two halves of one piece of work, side by side.
//!
//! What comes out must not depend on which half is done first, so a half shares nothing with the
//! other that either changes, and their results keep their places.

use std::thread::{self, ScopedJoinHandle};

/// Does `here` and `there`; where it is `worth_a_thread`, `there` on one of its own. Starting a
/// thread costs about as much as a hundred lines of a plan, so that small work is done in turn.
pub fn both<A, B: Send>(
    worth_a_thread: bool,
    here: impl FnOnce() -> A,
    there: impl FnOnce() -> B + Send,
) -> (A, B) {
    if !worth_a_thread {
        return (here(), there());
    }
    thread::scope(|scope| {
        let there = scope.spawn(there);
        (here(), joined(there))
    })
}

/// What a thread comes to. Its panic goes on in the one that waits for it.
pub fn joined<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_keep_their_places() {
        let me = || thread::current().id();
        assert_eq!(both(false, me, me), (me(), me()));
        let (here, there) = both(true, me, me);
        assert_eq!(here, me());
        assert_ne!(there, me());
    }

    #[test]
    fn a_panic_is_not_lost() {
        let caught = std::panic::catch_unwind(|| both(true, || 1, || std::panic::panic_any("there")));
        let panic = caught.expect_err("the other half has panicked");
        assert_eq!(panic.downcast_ref(), Some(&"there"));
    }
}
