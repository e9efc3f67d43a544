//! How builders read Dockerfiles, as data: what they agree on is in the code beside this, what
//! they differ in stands here.

/// One builder's rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// For messages.
    pub name: &'static str,
    /// Whether `RUN`, `COPY` and `ADD` may be followed by here-documents.
    pub heredocs: bool,
    /// Whether `\\` at the end of a line joins it with the next, as `\` does. Newer readers take
    /// the first for an escape of the second.
    pub doubled_escape_continues: bool,
    /// Whether `$@`, `$$` and others of their kind are variables (that nobody sets).
    pub special_variables: bool,
    /// Whether all digits after a `$` are one name, or the first alone.
    pub long_positions: bool,
    /// Whether `${name+word}` is read without a colon.
    pub bare_modifiers: bool,
    /// Whether options of `--mount` are comma-separated values with quotes; else they are cut at
    /// each comma.
    pub quoted_mounts: bool,
    /// Whether a flag is a word, with quotes, escapes and variables, as a whole.
    pub flags_are_words: bool,
    /// Whether spaces around a volume are taken off after it was read as a word, so that not even
    /// quotes keep them.
    pub volumes_trimmed_late: bool,
    /// Whether it reads an ignore file that is the Dockerfile's own without being told.
    pub own_ignore_file: bool,
    /// What `RUN` may be told.
    pub run_flags: &'static [&'static str],
    /// What `COPY` may be told.
    pub copy_flags: &'static [&'static str],
}

/// BuildKit's frontend from version 1.4 on, up to what the versions after it still share.
pub const BUILDKIT: Rules = Rules {
    name: "BuildKit",
    heredocs: true,
    doubled_escape_continues: false,
    special_variables: true,
    long_positions: true,
    bare_modifiers: true,
    quoted_mounts: true,
    flags_are_words: false,
    volumes_trimmed_late: false,
    own_ignore_file: true,
    run_flags: &["mount", "network", "security"],
    copy_flags: &["from", "chown", "chmod", "link", "parents", "exclude"],
};

/// The frontend that is built into Docker Engine 20.10.
pub const BUILDKIT_OF_20_10: Rules = Rules {
    name: "BuildKit of 20.10",
    heredocs: false,
    doubled_escape_continues: true,
    bare_modifiers: false,
    copy_flags: &["from", "chown", "chmod"],
    ..BUILDKIT
};

/// The classic builder of Docker Engine 20.10, and kaniko, which has the same reader.
pub const CLASSIC: Rules = Rules {
    name: "the classic builder",
    own_ignore_file: false,
    run_flags: &[],
    copy_flags: &["from", "chown"],
    ..BUILDKIT_OF_20_10
};

/// buildah 1.28: an older copy of the same reader, with words of its own.
pub const BUILDAH: Rules = Rules {
    name: "buildah",
    own_ignore_file: false,
    special_variables: false,
    long_positions: false,
    quoted_mounts: false,
    flags_are_words: true,
    volumes_trimmed_late: true,
    run_flags: &["mount", "network"],
    copy_flags: &["from", "chown", "chmod"],
    ..BUILDKIT_OF_20_10
};
