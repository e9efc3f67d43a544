//! The kinds of places where statements stand, each with the words its statements begin with.

use super::grammar::Rule;
use super::scan;

/// Where in a text something was expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Outside all blocks.
    Declaration,
    /// After an image's reference.
    Image,
    /// In a `dir` context or a copy.
    Rules,
    /// In an `http` context.
    Http,
    /// In a `git` context.
    Git,
    /// In an `oci` context.
    Oci,
    /// In a `files` context.
    Files,
    /// In a `wheels` context.
    Wheels,
    /// In a `debs` context.
    Debs,
    /// In a wheel or a deb.
    Locked,
    /// In a stage.
    Stage,
    /// In a layer.
    Layer,
    /// In a `run` or `exec`.
    Execution,
    /// In the export.
    Export,
}

impl Kind {
    /// The rule for any number of such statements.
    pub(super) fn statements(self) -> Rule {
        match self {
            Self::Declaration => Rule::strict_declaration,
            Self::Image => Rule::image_statements,
            Self::Rules => Rule::rules_statements,
            Self::Http => Rule::http_statements,
            Self::Git => Rule::git_statements,
            Self::Oci => Rule::oci_statements,
            Self::Files => Rule::files_statements,
            Self::Wheels => Rule::wheels_statements,
            Self::Debs => Rule::debs_statements,
            Self::Locked => Rule::locked_statements,
            Self::Stage => Rule::stage_statements,
            Self::Layer => Rule::layer_statements,
            Self::Execution => Rule::execution_statements,
            Self::Export => Rule::export_statements,
        }
    }

    /// What such a statement is called.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Declaration => "a declaration",
            Self::Image => "a property of the image",
            Self::Rules => "`include` or `exclude`",
            Self::Http => "a statement of an `http` context",
            Self::Git => "a statement of a `git` context",
            Self::Oci => "a statement of an `oci` context",
            Self::Files => "a `file`",
            Self::Wheels => "a statement of a `wheels` context",
            Self::Debs => "a statement of a `debs` context",
            Self::Locked => "`hash` or `url`",
            Self::Stage => "a statement of a stage",
            Self::Layer => "a statement of a layer",
            Self::Execution => "a setting of the `run` or `exec`",
            Self::Export => "a statement of the export",
        }
    }

    /// What such statements are called as a list.
    pub(super) fn plural(self) -> &'static str {
        if self == Self::Declaration { "declarations" } else { "statements here" }
    }

    /// The words that such statements begin with.
    pub(super) fn words(self) -> &'static [&'static str] {
        match self {
            Self::Declaration => &scan::DECLARATIONS,
            Self::Image => &[
                "digest",
                "config",
                "env",
                "workdir",
                "user",
                "entrypoint",
                "cmd",
                "shell",
                "expose",
                "volume",
                "label",
                "stop-signal",
                "healthcheck",
            ],
            Self::Rules => &["include", "exclude"],
            Self::Http => &["checksum", "name", "mode"],
            Self::Git => &["commit", "subdir"],
            Self::Oci => &["digest", "tag"],
            Self::Files => &["file"],
            Self::Wheels => &["python", "interpreter", "wheel"],
            Self::Debs => &["suite", "deb", "archive", "certificate"],
            Self::Locked => &["hash", "url"],
            Self::Stage => &[
                "by", "copy", "env", "exec", "file", "layer", "mkdir", "provides", "remove", "run", "shell",
                "symlink", "unset", "user", "workdir",
            ],
            Self::Layer => &[
                "by", "copy", "env", "exec", "file", "mkdir", "remove", "run", "shell", "symlink", "unset",
                "user", "workdir",
            ],
            Self::Execution => &["mount", "network", "user", "env", "workdir"],
            Self::Export => &[
                "entrypoint",
                "cmd",
                "user",
                "workdir",
                "expose",
                "volume",
                "label",
                "annotation",
                "stop-signal",
                "healthcheck",
                "clear",
            ],
        }
    }
}

#[cfg(test)]
mod tests {
    use pest::Parser;

    use super::*;
    use crate::syntax::grammar::Grammar;
    use crate::syntax::words;

    /// The grammar and the lists here must name the same words, or messages lie.
    #[test]
    fn the_words_of_each_kind_are_those_of_the_grammar() {
        for kind in [
            Kind::Declaration,
            Kind::Image,
            Kind::Rules,
            Kind::Http,
            Kind::Git,
            Kind::Oci,
            Kind::Files,
            Kind::Wheels,
            Kind::Debs,
            Kind::Locked,
            Kind::Stage,
            Kind::Layer,
            Kind::Execution,
            Kind::Export,
        ] {
            let error = Grammar::parse(kind.statements(), "?").expect_err("no statement begins so");
            let pest::error::ErrorVariant::ParsingError { positives, .. } = error.variant else {
                panic!("{kind:?} is parsed by the grammar alone");
            };
            let mut expected: Vec<&str> = positives.iter().filter_map(|rule| words::keyword(*rule)).collect();
            expected.sort_unstable();
            let mut listed = kind.words().to_vec();
            listed.sort_unstable();
            assert_eq!(listed, expected, "{kind:?}");
        }
    }
}
