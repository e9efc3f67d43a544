//! What git says of itself, as it may be shown: what is wrong and not how far it is, without logins, and
//! without characters that do something to a terminal.

/// More than git says when something is wrong.
const LONGEST: usize = 1 << 14;

/// What the system says of disks that take no more, in no language of its own.
const FULL: [&str; 2] = ["No space left on device", "Disk quota exceeded"];

/// What a program has said last.
#[derive(Debug, Default)]
pub struct Words(Vec<u8>);

impl Words {
    /// Adds what it says next.
    pub fn add(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
        let surplus = self.0.len().saturating_sub(LONGEST);
        self.0.drain(..surplus);
    }

    /// Whether it has failed because a disk of this machine takes no more. That of a server may be full too.
    pub fn tell_of_a_full_disk(&self) -> bool {
        let text = String::from_utf8_lossy(&self.0);
        let ours = text.lines().filter(|line| {
            !["remote:", "fatal: remote error", "ERR "].iter().any(|start| line.starts_with(start))
        });
        ours.into_iter().any(|line| FULL.iter().any(|words| line.contains(words)))
    }

    /// What speaks of the failure; else what was said last.
    pub fn of_failure(&self) -> Option<String> {
        let text = String::from_utf8_lossy(&self.0);
        // How far it is ends in a carriage return, and is said again in the same place.
        let lines = text.lines().filter_map(|line| line.rsplit('\r').find(|part| !part.trim().is_empty()));
        let lines: Vec<String> = lines.map(|line| shown(line.trim())).collect();
        let is_told = |line: &&String| {
            ["fatal: ", "error: ", "remote: fatal: ", "remote: error: ", "ERR "]
                .iter()
                .any(|start| line.starts_with(start))
        };
        let told: Vec<&str> = lines.iter().filter(is_told).map(|line| without_start(line)).collect();
        match told.is_empty() {
            false => Some(told.join("; ")),
            true => lines.last().cloned(),
        }
    }
}

fn without_start(line: &str) -> &str {
    ["fatal: ", "error: "].iter().find_map(|start| line.strip_prefix(start)).unwrap_or(line)
}

/// A text without logins in its addresses, and without control characters.
pub fn shown(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, behind) = rest.split_at(at + 3);
        shown.push_str(before);
        let is_end = |letter: char| letter == '/' || letter.is_whitespace() || "'\"`".contains(letter);
        let host = behind.find(is_end).unwrap_or(behind.len());
        rest = match behind[..host].rfind('@') {
            Some(login) => {
                shown.push('…');
                &behind[login..]
            }
            None => behind,
        };
    }
    shown.push_str(rest);
    shown.chars().filter(|letter| !letter.is_control()).collect()
}

/// What is before and behind the first of these bytes.
pub fn split(bytes: &[u8], at: u8) -> Option<(&[u8], &[u8])> {
    let place = bytes.iter().position(|byte| *byte == at)?;
    Some((&bytes[..place], &bytes[place + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(said: &[u8]) -> Option<String> {
        let mut words = Words::default();
        words.add(said);
        words.of_failure()
    }

    #[test]
    fn what_is_wrong_is_told_without_how_far_it_was() {
        assert_eq!(
            told(b"remote: Counting: 10%\rremote: Counting: 20%\nfatal: no such ref\nhint: look\n")
                .as_deref(),
            Some("no such ref")
        );
        assert_eq!(
            told(b"error: one\nfatal: two \x1b[2Jthree\n").as_deref(),
            Some("one; two [2Jthree"),
            "nothing is done to a terminal"
        );
        assert_eq!(
            told(b"Permission denied (publickey).\n").as_deref(),
            Some("Permission denied (publickey).")
        );
        assert_eq!(told(b" \n"), None);
        let mut words = Words::default();
        (0..LONGEST).for_each(|_| words.add(b"noise\n"));
        words.add(b"fatal: at last");
        assert_eq!((words.of_failure().as_deref(), words.0.len()), (Some("at last"), LONGEST));
    }

    #[test]
    fn only_a_disk_of_this_machine_is_told_to_be_full() {
        for (said, is_full) in [
            ("error: file write error: No space left on device\nfatal: unpack-objects failed\n", true),
            ("fatal: cannot create directory at 'a': Disk quota exceeded", true),
            ("remote: fatal: write error: No space left on device\nfatal: early EOF", false),
            ("fatal: remote error: No space left on device", false),
            ("fatal: early EOF\n", false),
        ] {
            let mut words = Words::default();
            words.add(said.as_bytes());
            assert_eq!(words.tell_of_a_full_disk(), is_full, "{said}");
        }
    }

    #[test]
    fn logins_of_addresses_are_not_shown() {
        assert_eq!(
            shown("unable to access 'https://me:a@b@example.org/x@y': see http://token@c d@e"),
            "unable to access 'https://…@example.org/x@y': see http://…@c d@e"
        );
        assert_eq!(shown("https://example.org/a@b"), "https://example.org/a@b");
    }
}
