//! Expressions, from tree-sitter's nodes to values of our own.

use tree_sitter::Node;

use super::strings;
use super::syntax::{Call, Expr, Kind, Named};

/// A text that is put together when the program runs, as messages name it.
pub const F_STRING: &str = "an f-string";

/// How deep an expression may be; beyond it stands [`Kind::Other`]. What people write has less than
/// ten levels.
const DEEPEST: usize = 80;

/// The expression of a node.
pub fn expression(node: Node<'_>, text: &str) -> Expr {
    at_depth(node, text, 0)
}

/// The text of a node.
pub fn text_of<'a>(node: Node<'_>, text: &'a str) -> &'a str {
    text.get(node.byte_range()).unwrap_or_default()
}

/// The children of a node that have a meaning.
pub fn children(node: Node<'_>) -> Vec<Node<'_>> {
    let mut cursor = node.walk();
    node.named_children(&mut cursor).filter(|child| child.kind() != "comment").collect()
}

fn at_depth(node: Node<'_>, text: &str, depth: usize) -> Expr {
    let kind = if depth > DEEPEST { Kind::Other("an expression this deep") } else { kind(node, text, depth) };
    Expr { at: node.byte_range(), kind }
}

fn field(node: Node<'_>, name: &str, text: &str, depth: usize) -> Box<Expr> {
    Box::new(match node.child_by_field_name(name) {
        Some(child) => at_depth(child, text, depth + 1),
        None => Expr { at: node.byte_range(), kind: Kind::Other("an unfinished expression") },
    })
}

fn field_text(node: Node<'_>, name: &str, text: &str) -> String {
    node.child_by_field_name(name).map(|child| text_of(child, text)).unwrap_or_default().to_owned()
}

fn kind(node: Node<'_>, text: &str, depth: usize) -> Kind {
    let all = |nodes: Vec<Node<'_>>| nodes.into_iter().map(|node| at_depth(node, text, depth + 1)).collect();
    match node.kind() {
        "parenthesized_expression" | "type" | "expression_statement" => match children(node).as_slice() {
            [inner] => at_depth(*inner, text, depth + 1).kind,
            _ => Kind::Other("several expressions"),
        },
        "none" => Kind::None,
        "true" => Kind::Bool(true),
        "false" => Kind::Bool(false),
        "integer" => {
            strings::integer(text_of(node, text)).map_or(Kind::Other("a number this large"), Kind::Integer)
        }
        "float" => strings::float(text_of(node, text)).map_or(Kind::Other("a complex number"), Kind::Float),
        "string" => string(node, text),
        "concatenated_string" => joined(node, text),
        "identifier" => Kind::Name(text_of(node, text).to_owned()),
        "attribute" => {
            Kind::Attribute(field(node, "object", text, depth), field_text(node, "attribute", text))
        }
        "member_type" => match children(node).as_slice() {
            [object, name] => {
                Kind::Attribute(Box::new(at_depth(*object, text, depth + 1)), text_of(*name, text).to_owned())
            }
            _ => Kind::Other("an unfinished expression"),
        },
        "subscript" => {
            let mut cursor = node.walk();
            let arguments: Vec<Node<'_>> =
                node.children_by_field_name("subscript", &mut cursor).filter(Node::is_named).collect();
            Kind::Subscript(field(node, "value", text, depth), all(arguments))
        }
        "generic_type" => match children(node).as_slice() {
            [name, parameters] => {
                Kind::Subscript(Box::new(at_depth(*name, text, depth + 1)), all(children(*parameters)))
            }
            _ => Kind::Other("an unfinished expression"),
        },
        "union_type" => match children(node).as_slice() {
            [left, right] => Kind::Binary(
                Box::new(at_depth(*left, text, depth + 1)),
                "|".to_owned(),
                Box::new(at_depth(*right, text, depth + 1)),
            ),
            _ => Kind::Other("an unfinished expression"),
        },
        "list" | "tuple" | "set" | "expression_list" => {
            let items = children(node);
            if items.iter().any(|item| item.kind() == "list_splat") {
                return Kind::Other("an unpacked list");
            }
            Kind::List(all(items))
        }
        "dictionary" => dictionary(node, text, depth),
        "call" => call(node, text, depth),
        "binary_operator" => Kind::Binary(
            field(node, "left", text, depth),
            field_text(node, "operator", text),
            field(node, "right", text, depth),
        ),
        "unary_operator" => {
            Kind::Unary(field_text(node, "operator", text), field(node, "argument", text, depth))
        }
        "list_comprehension" | "generator_expression" | "set_comprehension" => each(node, text, depth),
        "ellipsis" => Kind::Other("`...`"),
        "lambda" => Kind::Other("a lambda"),
        "conditional_expression" => Kind::Other("a conditional expression"),
        "comparison_operator" | "not_operator" | "boolean_operator" => Kind::Other("a condition"),
        "dictionary_comprehension" => Kind::Other("a comprehension"),
        "await" => Kind::Other("an `await`"),
        _ => Kind::Other("this expression"),
    }
}

fn string(node: Node<'_>, text: &str) -> Kind {
    let literal = text_of(node, text);
    let prefix = literal.split(['"', '\'']).next().unwrap_or_default().to_ascii_lowercase();
    match strings::text(literal) {
        Some(value) => Kind::Text(value),
        None if prefix.contains('f') => Kind::Other(F_STRING),
        None if prefix.contains('t') => Kind::Other("a t-string"),
        None if prefix.contains('b') => Kind::Other("a bytes literal"),
        None => Kind::Other("a string with an escape that is known to Python alone"),
    }
}

/// `"a" "b"`
fn joined(node: Node<'_>, text: &str) -> Kind {
    let mut whole = String::new();
    for part in children(node) {
        match string(part, text) {
            Kind::Text(part) => whole.push_str(&part),
            other => return other,
        }
    }
    Kind::Text(whole)
}

fn dictionary(node: Node<'_>, text: &str, depth: usize) -> Kind {
    let mut pairs = Vec::new();
    for pair in children(node) {
        if pair.kind() != "pair" {
            return Kind::Other("an unpacked dict");
        }
        pairs.push((*field(pair, "key", text, depth), *field(pair, "value", text, depth)));
    }
    Kind::Dict(pairs)
}

fn call(node: Node<'_>, text: &str, depth: usize) -> Kind {
    let function = *field(node, "function", text, depth);
    let mut call = Call { function, positional: Vec::new(), named: Vec::new(), unpacked: None };
    let Some(arguments) = node.child_by_field_name("arguments") else {
        return Kind::Other("an unfinished expression");
    };
    if arguments.kind() != "argument_list" {
        // `f(x for x in y)`
        call.positional.push(at_depth(arguments, text, depth + 1));
        return Kind::Call(Box::new(call));
    }
    for argument in children(arguments) {
        match argument.kind() {
            "keyword_argument" => {
                let at =
                    argument.child_by_field_name("name").map_or(argument.byte_range(), |n| n.byte_range());
                let value = *field(argument, "value", text, depth);
                call.named.push(Named { name: field_text(argument, "name", text), at, value });
            }
            "list_splat" | "dictionary_splat" => call.unpacked = Some(argument.byte_range()),
            _ => call.positional.push(at_depth(argument, text, depth + 1)),
        }
    }
    Kind::Call(Box::new(call))
}

/// `[item for name in of]`
fn each(node: Node<'_>, text: &str, depth: usize) -> Kind {
    let parts = children(node);
    let [_, clause] = parts.as_slice() else { return Kind::Other("a comprehension") };
    let left = clause.child_by_field_name("left");
    match left {
        Some(left) if clause.kind() == "for_in_clause" && left.kind() == "identifier" => Kind::Each {
            item: field(node, "body", text, depth),
            name: text_of(left, text).to_owned(),
            of: field(*clause, "right", text, depth),
        },
        _ => Kind::Other("a comprehension"),
    }
}
