//! Statements, from tree-sitter's nodes to names and what they are bound to.
//!
//! Blocks are gone through with a list of what is still to be done, so their depth does not matter.

use std::rc::Rc;

use tree_sitter::Node;

use super::expressions::{children, expression, text_of};
use super::syntax::{Binding, Bound, Class, Expr, Function, Kind, Module, ModuleName, Parameter};

/// Methods that change the list, dict or set that they are called on.
const CHANGING: &[&str] = &[
    "add",
    "append",
    "clear",
    "discard",
    "extend",
    "insert",
    "pop",
    "popitem",
    "remove",
    "reverse",
    "setdefault",
    "sort",
    "update",
];

/// How deep classes may stand in classes.
const DEEPEST_CLASS: usize = 8;

/// The names of a file.
pub fn module(root: Node<'_>, text: &str) -> Module {
    Module { bindings: block(root, text, 0) }
}

fn block(root: Node<'_>, text: &str, depth: usize) -> Vec<Binding> {
    let mut bindings = Vec::new();
    let mut waiting: Vec<(Node<'_>, bool)> = inner(root, false);
    while let Some((node, conditional)) = waiting.pop() {
        let mut bind = |name: &str, at: Node<'_>, to: Bound| {
            bindings.push(Binding { name: name.to_owned(), at: at.byte_range(), conditional, to });
        };
        match node.kind() {
            "import_statement" => imports(node, text, &mut bind),
            "import_from_statement" => imports_from(node, text, &mut bind),
            "expression_statement" => {
                if let Some(statement) = children(node).into_iter().next() {
                    simple(statement, text, &mut bind);
                }
            }
            "type_alias_statement" => alias(node, text, &mut bind),
            "class_definition" | "function_definition" => define(node, &[], text, depth, &mut bind),
            "decorated_definition" => {
                let decorators: Vec<Expr> = children(node)
                    .into_iter()
                    .filter(|child| child.kind() == "decorator")
                    .filter_map(|child| children(child).into_iter().next())
                    .map(|child| expression(child, text))
                    .collect();
                if let Some(definition) = node.child_by_field_name("definition") {
                    define(definition, &decorators, text, depth, &mut bind);
                }
            }
            "for_statement" => {
                if let Some(left) = node.child_by_field_name("left") {
                    every_name(left, text, &mut bind);
                }
                waiting.extend(inner(node, true));
            }
            "with_statement" | "block" => waiting.extend(inner(node, conditional)),
            "if_statement"
            | "elif_clause"
            | "else_clause"
            | "while_statement"
            | "try_statement"
            | "except_clause"
            | "except_group_clause"
            | "finally_clause"
            | "match_statement"
            | "case_clause" => {
                waiting.extend(inner(node, true));
            }
            _ => {}
        }
    }
    bindings
}

/// What stands in a block, last first.
fn inner(node: Node<'_>, conditional: bool) -> Vec<(Node<'_>, bool)> {
    children(node).into_iter().rev().map(|child| (child, conditional)).collect()
}

fn dotted(node: Node<'_>, text: &str) -> Vec<String> {
    children(node).into_iter().map(|part| text_of(part, text).to_owned()).collect()
}

/// The names after `import`: what is imported, and what it is called here.
fn imported<'a>(node: Node<'a>, text: &'a str) -> Vec<(Vec<String>, Option<&'a str>, Node<'a>)> {
    let mut cursor = node.walk();
    let names: Vec<Node<'_>> = node.children_by_field_name("name", &mut cursor).collect();
    let mut found = Vec::new();
    for name in names {
        if name.kind() == "aliased_import" {
            let alias = name.child_by_field_name("alias").map(|alias| text_of(alias, text));
            let path = name.child_by_field_name("name").map(|path| dotted(path, text)).unwrap_or_default();
            found.push((path, alias, name));
        } else {
            found.push((dotted(name, text), None, name));
        }
    }
    found
}

fn imports<'a>(node: Node<'a>, text: &'a str, bind: &mut impl FnMut(&str, Node<'_>, Bound)) {
    for (parts, alias, at) in imported(node, text) {
        let Some(first) = parts.first().cloned() else { continue };
        // `import a.b` binds `a`, and `import a.b as c` binds what `a.b` is.
        let (name, parts) = match alias {
            Some(alias) => (alias.to_owned(), parts),
            None => (first.clone(), vec![first]),
        };
        bind(&name, at, Bound::Import { module: ModuleName { level: 0, parts }, name: None });
    }
}

fn imports_from<'a>(node: Node<'a>, text: &'a str, bind: &mut impl FnMut(&str, Node<'_>, Bound)) {
    let Some(of) = node.child_by_field_name("module_name") else { return };
    let module = if of.kind() == "relative_import" {
        let parts = children(of);
        let prefix = parts.iter().find(|part| part.kind() == "import_prefix");
        let level = prefix.map_or(1, |prefix| text_of(*prefix, text).matches('.').count());
        let path = parts.iter().find(|part| part.kind() == "dotted_name");
        ModuleName { level, parts: path.map(|path| dotted(*path, text)).unwrap_or_default() }
    } else {
        ModuleName { level: 0, parts: dotted(of, text) }
    };
    for (parts, alias, at) in imported(node, text) {
        let Some(original) = parts.first() else { continue };
        let to = Bound::Import { module: module.clone(), name: Some(original.clone()) };
        bind(alias.unwrap_or(original), at, to);
    }
    if let Some(star) = children(node).into_iter().find(|child| child.kind() == "wildcard_import") {
        bind("*", star, Bound::Import { module, name: None });
    }
}

/// An assignment, or a call that changes what a name stands for.
fn simple(node: Node<'_>, text: &str, bind: &mut impl FnMut(&str, Node<'_>, Bound)) {
    match node.kind() {
        "assignment" => assignment(node, text, bind),
        "augmented_assignment" => {
            if let Some(left) = node.child_by_field_name("left") {
                every_name(left, text, bind);
            }
        }
        "call" => {
            let function =
                node.child_by_field_name("function").filter(|function| function.kind() == "attribute");
            let Some(function) = function else { return };
            let method = function.child_by_field_name("attribute").map(|name| text_of(name, text));
            let object = function.child_by_field_name("object");
            if let (Some(object), true) = (object, method.is_some_and(|method| CHANGING.contains(&method))) {
                every_name(object, text, bind);
            }
        }
        _ => {}
    }
}

fn assignment(node: Node<'_>, text: &str, bind: &mut impl FnMut(&str, Node<'_>, Bound)) {
    // `a = b = 1` binds both to what stands last.
    let mut lefts = Vec::new();
    let mut current = Some(node);
    let mut value = None;
    let annotation = node.child_by_field_name("type").map(|annotation| Rc::new(expression(annotation, text)));
    while let Some(assignment) = current.take() {
        lefts.extend(assignment.child_by_field_name("left"));
        match assignment.child_by_field_name("right") {
            Some(right) if right.kind() == "assignment" => current = Some(right),
            Some(right) => value = Some(Rc::new(expression(right, text))),
            None => {}
        }
    }
    for left in lefts {
        if left.kind() == "identifier" {
            let to = Bound::Value { annotation: annotation.clone(), value: value.clone() };
            bind(text_of(left, text), left, to);
        } else {
            every_name(left, text, bind);
        }
    }
}

/// `type A = B`
fn alias(node: Node<'_>, text: &str, bind: &mut impl FnMut(&str, Node<'_>, Bound)) {
    let (Some(left), Some(right)) = (node.child_by_field_name("left"), node.child_by_field_name("right"))
    else {
        return;
    };
    if let Kind::Name(name) = expression(left, text).kind {
        bind(&name, left, Bound::Value { annotation: None, value: Some(Rc::new(expression(right, text))) });
    }
}

/// What every name of a pattern stands for is known only when it runs; of `a.b[c]` that is `a`.
fn every_name(node: Node<'_>, text: &str, bind: &mut impl FnMut(&str, Node<'_>, Bound)) {
    let mut waiting = vec![node];
    while let Some(node) = waiting.pop() {
        match node.kind() {
            "identifier" => bind(text_of(node, text), node, Bound::Run),
            "attribute" => waiting.extend(node.child_by_field_name("object")),
            "subscript" => waiting.extend(node.child_by_field_name("value")),
            "pattern_list" | "tuple_pattern" | "list_pattern" | "list_splat_pattern" => {
                waiting.extend(children(node));
            }
            _ => {}
        }
    }
}

fn define(
    node: Node<'_>,
    decorators: &[Expr],
    text: &str,
    depth: usize,
    bind: &mut impl FnMut(&str, Node<'_>, Bound),
) {
    let Some(name) = node.child_by_field_name("name") else { return };
    let to = if node.kind() == "class_definition" {
        Bound::Class(Rc::new(class(node, name, decorators, text, depth)))
    } else {
        Bound::Function(Rc::new(function(node, name, decorators, text)))
    };
    bind(text_of(name, text), name, to);
}

fn class(node: Node<'_>, name: Node<'_>, decorators: &[Expr], text: &str, depth: usize) -> Class {
    let arguments = node.child_by_field_name("superclasses").map(children).unwrap_or_default();
    let (named, bases): (Vec<_>, Vec<_>) =
        arguments.into_iter().partition(|argument| argument.kind() == "keyword_argument");
    let keyword = |argument: Node<'_>| {
        let name = argument.child_by_field_name("name")?;
        let value = argument.child_by_field_name("value")?;
        Some((text_of(name, text).to_owned(), expression(value, text)))
    };
    let body = node.child_by_field_name("body").filter(|_| depth < DEEPEST_CLASS);
    Class {
        name: text_of(name, text).to_owned(),
        at: name.byte_range(),
        bases: bases.into_iter().map(|base| expression(base, text)).collect(),
        keywords: named.into_iter().filter_map(keyword).collect(),
        decorators: decorators.to_vec(),
        body: body.map(|body| block(body, text, depth + 1)).unwrap_or_default(),
    }
}

fn function(node: Node<'_>, name: Node<'_>, decorators: &[Expr], text: &str) -> Function {
    let parameters = node.child_by_field_name("parameters").map(children).unwrap_or_default();
    let divider = parameters.iter().position(|node| node.kind() == "positional_separator").unwrap_or(0);
    let parameters = parameters.into_iter().enumerate();
    Function {
        name: text_of(name, text).to_owned(),
        at: name.byte_range(),
        is_async: node.child(0).is_some_and(|first| first.kind() == "async"),
        decorators: decorators.to_vec(),
        parameters: parameters.filter_map(|(at, node)| parameter(node, at < divider, text)).collect(),
        returns: node.child_by_field_name("return_type").map(|returns| expression(returns, text)),
        gives: node.child_by_field_name("body").and_then(only_return).map(|given| expression(given, text)),
    }
}

/// What a body returns that is one `return`, and a text before it at most.
fn only_return(body: Node<'_>) -> Option<Node<'_>> {
    let mut statements = children(body);
    let is_text = |node: &Node<'_>| {
        node.kind() == "expression_statement"
            && children(*node).first().is_some_and(|first| first.kind() == "string")
    };
    if statements.first().is_some_and(is_text) {
        statements.remove(0);
    }
    let [only] = statements[..] else { return None };
    let [given] = children(only)[..] else { return None };
    (only.kind() == "return_statement").then_some(given)
}

fn parameter(node: Node<'_>, by_place_alone: bool, text: &str) -> Option<Parameter> {
    if ["keyword_separator", "positional_separator"].contains(&node.kind()) {
        return None;
    }
    let name = match node.kind() {
        "typed_parameter" => children(node).into_iter().next()?,
        _ => node.child_by_field_name("name").unwrap_or(node),
    };
    Some(Parameter {
        name: text_of(name, text).trim_start_matches('*').to_owned(),
        at: name.byte_range(),
        takes_many: name.kind() != "identifier",
        by_place_alone,
        annotation: node.child_by_field_name("type").map(|annotation| expression(annotation, text)),
        default: node.child_by_field_name("value").map(|value| expression(value, text)),
    })
}
