//! Python files, as far as names, signatures and constants go.

pub mod expressions;
pub mod parse;
pub mod statements;
pub mod strings;
pub mod syntax;

use syntax::{Expr, Module};

/// The names of a file.
pub fn read(text: &str) -> Result<Module, parse::Unparsed> {
    let tree = parse::parse(text)?;
    Ok(statements::module(tree.root_node(), text))
}

/// The expression that a text is, as in `x: "list[int]"`; `None` where it is none.
pub fn expression(text: &str) -> Option<Expr> {
    let tree = parse::parse(text).ok()?;
    match expressions::children(tree.root_node()).as_slice() {
        [statement] if statement.kind() == "expression_statement" => {
            Some(expressions::expression(*statement, text))
        }
        _ => None,
    }
}
