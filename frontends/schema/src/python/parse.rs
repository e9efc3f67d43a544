//! From text to a tree, by tree-sitter's grammar of Python.
//!
//! tree-sitter mends what it cannot read and goes on, so a mistake is found in the tree. The tree may
//! be as deep as the text is long, so it is walked by a cursor and never by recursion, and parsing
//! ends after a number of steps that grows with the text.

use std::ops::ControlFlow;

use tree_sitter::{Node, ParseOptions, ParseState, Parser, Tree};

use super::syntax::Span;

/// Longest Python file that is read, in bytes.
pub const LONGEST: usize = 1 << 20;

/// Times that tree-sitter may report its progress: each is some hundred steps. A file of 400 KiB
/// without mistakes takes about 20,000, and one that is nothing but mistakes many times that.
const MOST_REPORTS: usize = 200_000;

/// Why a text is no tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unparsed {
    /// The first mistake: where, and what would mend it, where tree-sitter knows that.
    Mistake(Span, Option<String>),
    /// It takes too long.
    Endless,
}

/// The tree of a text without mistakes.
pub fn parse(text: &str) -> Result<Tree, Unparsed> {
    let mut parser = Parser::new();
    // The grammar and the library are pinned together; their versions are compared by a test.
    if parser.set_language(&tree_sitter_python::LANGUAGE.into()).is_err() {
        return Err(Unparsed::Endless);
    }
    let mut reports = 0_usize;
    let mut progress = |_: &ParseState| {
        reports += 1;
        if reports > MOST_REPORTS { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let options = ParseOptions::new().progress_callback(&mut progress);
    let bytes = text.as_bytes();
    let mut read = |at: usize, _| bytes.get(at..).unwrap_or_default();
    let tree = parser.parse_with_options(&mut read, None, Some(options)).ok_or(Unparsed::Endless)?;
    match first_mistake(tree.root_node(), text) {
        Some((at, missing)) => Err(Unparsed::Mistake(at, missing)),
        None => Ok(tree),
    }
}

fn first_mistake(root: Node<'_>, text: &str) -> Option<(Span, Option<String>)> {
    if !root.has_error() {
        return None;
    }
    let mut cursor = root.walk();
    loop {
        let node = cursor.node();
        if node.is_missing() {
            return Some((one_line(node.byte_range(), text), Some(node.kind().to_owned())));
        }
        // The innermost mistake that is not a whole block of lines.
        if node.is_error() && !has_inner_mistake(node) {
            return Some((one_line(node.byte_range(), text), None));
        }
        let goes_down = (node.has_error() || node.is_error()) && cursor.goto_first_child();
        if goes_down {
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                // A tree that has an error somewhere and shows none: all of it is guilty.
                return Some((one_line(root.byte_range(), text), None));
            }
        }
    }
}

fn has_inner_mistake(node: Node<'_>) -> bool {
    let mut cursor = node.walk();
    node.children(&mut cursor).any(|child| child.has_error() || child.is_missing())
}

/// The part of a span on its first line with a letter, at least one character where there is one.
fn one_line(at: Span, text: &str) -> Span {
    let blank = text[at.clone()].find(|letter: char| !letter.is_whitespace()).unwrap_or_default();
    let start = at.start + blank;
    let length = text[start..at.end].find('\n').unwrap_or(at.end - start);
    start..start + length
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_is_where_it_is() {
        let at = |text: &str| match parse(text) {
            Err(Unparsed::Mistake(at, missing)) => (text[at].to_owned(), missing),
            other => panic!("{other:?}"),
        };
        assert_eq!(at("x = 1\ny = = 2\n"), ("=".to_owned(), None));
        assert!(parse("x = 1\n").is_ok());
        assert!(parse("").is_ok());
        assert_eq!(at("def f(:\n  pass\n").1, Some(")".to_owned()));
    }

    #[test]
    fn the_grammar_is_one_that_the_library_reads() {
        let language = tree_sitter::Language::from(tree_sitter_python::LANGUAGE);
        assert!(Parser::new().set_language(&language).is_ok());
    }

    #[test]
    fn texts_that_are_deep_or_nothing_but_mistakes_come_to_an_end() {
        for opening in ["(", "[", "{1:", "-", "not ", "x[", "lambda:", "f(", "\"", "if x:\n ", "a."] {
            let text = opening.repeat(20_000);
            let _ = parse(&text);
        }
    }
}
