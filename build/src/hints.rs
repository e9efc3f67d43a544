//! Ways out of what daemons say when an op fails, where what they say leads nowhere.

use crate::progress::StepOutline;

/// What daemons say of a path that they do not find.
const NOTHING_THERE: &str = "no such file or directory";

/// The way out of a failed step, where one can be told.
pub fn of(step: Option<&StepOutline>, message: &str) -> Option<&'static str> {
    let is_remove = step.is_some_and(|step| step.name.starts_with("remove "));
    // Newer daemons look for what a link points to, and on their own machine.
    (is_remove && message.trim_end().ends_with(NOTHING_THERE)).then_some(
        "`remove … optional` is content where nothing is. Newer daemons say the same of a link that is there, where \
         what it points to is not on their own machine: `optional` removes such a link as well",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_that_seems_not_to_be_there_is_explained() {
        let step = |name: &str| StepOutline { name: name.to_owned(), ..StepOutline::default() };
        let message = "failed to solve: lstat /etc/b: no such file or directory";
        assert!(of(Some(&step("remove /etc/b")), message).is_some_and(|help| help.contains("optional")));
        assert_eq!(of(Some(&step("remove /etc/b")), "permission denied"), None);
        assert_eq!(of(Some(&step("copy a to /etc/b")), message), None);
        assert_eq!(of(None, message), None);
    }
}
