//! What ends a command wherever it is: something that it had laid aside does not come back from the disk.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use cogpack_backends_contract::overflow::Lost;

use crate::failure::Failure;

/// Runs a command, and tells what unwinds out of it because a page is lost.
pub fn told(run: impl FnOnce() -> Result<u8, Failure>) -> Result<u8, Failure> {
    // Nothing is looked at afterwards that the command might have left half done.
    let unwound = match catch_unwind(AssertUnwindSafe(run)) {
        Ok(ended) => return ended,
        Err(unwound) => unwound,
    };
    match unwound.downcast::<Lost>() {
        Ok(lost) => {
            Err(Failure::of(&*lost).with_hint("TMPDIR says in which directory temporary files are kept"))
        }
        Err(mistake) => resume_unwind(mistake),
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn what_the_disk_has_lost_is_told_and_mistakes_go_on() {
        let lost = || resume_unwind(Box::new(Lost(io::Error::other("the disk is gone"))));
        let failure = told(lost).expect_err("it cannot go on");
        assert_eq!(failure.causes, ["the disk is gone"]);
        assert!(failure.hint.is_some_and(|hint| hint.contains("TMPDIR")));
        assert!(told(|| Ok(7)).is_ok_and(|code| code == 7));
        let mistake = catch_unwind(|| told(|| resume_unwind(Box::new("a mistake"))));
        let unwound = mistake.map(|_| ()).expect_err("it goes on");
        assert_eq!(unwound.downcast_ref(), Some(&"a mistake"));
    }
}
