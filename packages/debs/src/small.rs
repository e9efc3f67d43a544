//! Small things that scripts do, each with its place in the table of scripts: a group, a file that is
//! to be there, a mode.

use std::io;

use cogpack_ir::plan::Mode;

use crate::accounts::system_group;
use crate::root::{Bytes, Root};

/// What a script does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Small {
    /// A group of the system, and a file that is given to it with a mode.
    Group {
        /// The group.
        name: String,
        /// The file.
        file: Option<(String, Mode)>,
    },
    /// A file that has to be there.
    Empty(String),
    /// A directory that has to be there.
    Directory(String),
    /// A mode.
    Mode(String, Mode),
    /// A program that is to be setuid where there is no `setcap` that could give it less.
    Setuid(String),
    /// What `git lfs install --system` writes.
    GitLfs,
}

/// Why it cannot be done.
#[derive(Debug, thiserror::Error)]
pub enum SmallProblem {
    /// A group, in a root without any.
    #[error("it makes the group `{0}`, and there are no groups yet: add `base-passwd` to the set")]
    Accounts(String),
    /// A capability, which is no part of a set's files.
    #[error(
        "it gives `/{0}` capabilities by `setcap`, which is left undone: take `libcap2-bin` out of the set"
    )]
    Capability(String),
    /// A file that something is made of.
    #[error(transparent)]
    Read(#[from] io::Error),
}

/// The filters that git-lfs asks for.
const GIT_LFS: &str = "[filter \"lfs\"]\n\tclean = git-lfs clean -- %f\n\tsmudge = git-lfs smudge -- %f\n\tprocess = git-lfs filter-process\n\trequired = true\n";

impl Small {
    /// What a word of the table means: `group=NAME[:PATH:MODE]`, `empty=PATH`, `directory=PATH`, `mode=PATH:MODE`,
    /// `setuid=PATH` or `git-lfs`; `TRIPLET` in a path is the machine's name.
    pub fn of_word(word: &str) -> Option<Self> {
        let mode = |text: &str| Mode::new(u32::from_str_radix(text, 8).ok()?);
        let file = |text: &str| {
            let (path, bits) = text.split_once(':')?;
            Some((path.to_owned(), mode(bits)?))
        };
        let Some((kind, rest)) = word.split_once('=') else {
            return (word == "git-lfs").then_some(Self::GitLfs);
        };
        match kind {
            "group" => Some(match rest.split_once(':') {
                Some((name, rest)) => Self::Group { name: name.to_owned(), file: Some(file(rest)?) },
                None => Self::Group { name: rest.to_owned(), file: None },
            }),
            "empty" => Some(Self::Empty(rest.to_owned())),
            "directory" => Some(Self::Directory(rest.to_owned())),
            "mode" => file(rest).map(|(path, mode)| Self::Mode(path, mode)),
            "setuid" => Some(Self::Setuid(rest.to_owned())),
            _ => None,
        }
    }

    /// Does it.
    pub fn make(&self, root: &mut Root, bytes: &dyn Bytes) -> Result<(), SmallProblem> {
        match self {
            Self::Group { name, file } => {
                let group = system_group(root, bytes, name)?;
                let group = group.ok_or_else(|| SmallProblem::Accounts(name.clone()))?;
                if let Some((path, mode)) = file {
                    change(root, path, Some(group), |_| *mode);
                }
            }
            Self::Empty(path) if !root.has(path) => root.make(path, ""),
            Self::Empty(_) => {}
            Self::Directory(path) => root.directory(path),
            Self::Mode(path, mode) => change(root, path, None, |_| *mode),
            Self::Setuid(path) if root.leads("usr/sbin/setcap") => {
                return Err(SmallProblem::Capability(path.clone()));
            }
            Self::Setuid(path) => {
                change(root, path, None, |mode| Mode::new(mode.bits() | 0o4000).unwrap_or(mode));
            }
            Self::GitLfs if root.has("etc/gitconfig") => {}
            Self::GitLfs => root.make("etc/gitconfig", GIT_LFS),
        }
        Ok(())
    }
}

/// Changes mode and group of what stands at a path, if something does.
fn change(root: &mut Root, path: &str, group: Option<u32>, mode: impl Fn(Mode) -> Mode) {
    for triplet in ["x86_64-linux-gnu", "aarch64-linux-gnu"] {
        let path = path.replace("TRIPLET", triplet);
        if let Some(placed) = root.placed.get_mut(path.as_bytes()) {
            placed.attributes.mode = mode(placed.attributes.mode);
            if let Some(group) = group {
                placed.attributes.ids.group = group;
                // Which number it is depends on who else has groups, so it is no part of what a
                // package brings.
                placed.package = None;
            }
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::root::PlacedKind;

    /// Nothing is read but what was made.
    struct NoPackages;

    impl Bytes for NoPackages {
        fn read_at(&self, _: usize, _: u64, _: usize) -> io::Result<Vec<u8>> {
            Err(io::ErrorKind::NotFound.into())
        }
    }

    fn done(root: &mut Root, word: &str) -> Result<(), String> {
        Small::of_word(word)
            .expect("is a word")
            .make(root, &NoPackages)
            .map_err(|problem| problem.to_string())
    }

    fn text(root: &Root, path: &str) -> String {
        String::from_utf8(root.read(path.as_bytes(), &NoPackages).expect("can be read").unwrap_or_default())
            .expect("is text")
    }

    #[test]
    fn a_group_has_the_first_number_that_is_free() {
        let mut root = Root::default();
        root.make("usr/bin/agent", "agent");
        let word = "group=_ssh:usr/bin/agent:2755";
        assert!(done(&mut root, word).expect_err("there are no accounts").contains("base-passwd"));
        root.make("etc/group", "root:x:0:\nusers:x:100:\n_x:x:102:\n");
        root.make("etc/gshadow", "root:*::\n");
        done(&mut root, word).expect("can be done");
        done(&mut root, "group=rdma").expect("can be done");
        done(&mut root, "group=rdma").expect("is there already");
        let groups = text(&root, "etc/group");
        assert_eq!(groups, "root:x:0:\nusers:x:100:\n_x:x:102:\n_ssh:x:101:\nrdma:x:103:\n");
        assert_eq!(text(&root, "etc/gshadow"), "root:*::\n_ssh:!::\nrdma:!::\n");
        let agent = &root.placed[&b"usr/bin/agent"[..]];
        assert_eq!((agent.attributes.ids.group, agent.attributes.mode.bits()), (101, 0o2755));
    }

    #[test]
    fn files_and_modes_are_made() {
        let mut root = Root::default();
        root.make("usr/bin/ping", "ping");
        root.make("etc/there", "kept");
        for word in
            ["empty=etc/there", "empty=etc/new", "mode=etc/there:0440", "setuid=usr/bin/ping", "git-lfs"]
        {
            done(&mut root, word).expect("can be done");
        }
        assert_eq!((text(&root, "etc/there"), text(&root, "etc/new")), ("kept".to_owned(), String::new()));
        let mode = |path: &str| root.placed[path.as_bytes()].attributes.mode.bits();
        assert_eq!((mode("etc/there"), mode("usr/bin/ping")), (0o440, 0o4644));
        assert!(matches!(&root.placed[&b"etc/gitconfig"[..]].kind, PlacedKind::Made(_)));
        root.make("usr/sbin/setcap", "");
        assert!(done(&mut root, "setuid=usr/bin/ping").is_err());
        assert_eq!(Small::of_word("mode=etc/there:9"), None);
    }
}
