//! Inputs of a made-up model, good and bad, and what a person reads of the bad ones.

use std::fmt::Write as _;

use miette::Diagnostic as _;
use serde_json::json;

use super::{Given, InputProblem, Signature};
use crate::model::{Handler, Input, InputType, Output, Scalar, Schema, Shape, Value};
use crate::target::Use;

fn model() -> Signature {
    Signature::from(&schema())
}

fn schema() -> Schema {
    let input = |name: &str, scalar| Input::new(name, InputType::one(scalar));
    let of = |name: &str, shapes: &[Shape], optional| {
        Input::new(name, InputType { shapes: shapes.to_vec(), optional })
    };
    let text = |text: &str| Value::Text(text.to_owned());
    let inputs = vec![
        input("prompt", Scalar::Text),
        Input {
            default: Some(Value::Integer(20)),
            least: Some(Value::Integer(1)),
            greatest: Some(Value::Integer(50)),
            ..input("steps", Scalar::Integer)
        },
        Input {
            default: Some(text("png")),
            choices: vec![text("png"), text("jpeg")],
            ..input("format", Scalar::Text)
        },
        Input {
            default: Some(text("ab")),
            shortest: Some(2),
            longest: Some(3),
            pattern: Some("^[a-z]+$".to_owned()),
            ..input("code", Scalar::Text)
        },
        of("image", &[Shape::One(Scalar::Path)], true),
        of("masks", &[Shape::List(Scalar::Path)], true),
        of("scale", &[Shape::One(Scalar::Float)], true),
        of("fast", &[Shape::One(Scalar::Bool)], true),
        of("options", &[Shape::One(Scalar::Any)], true),
        of("seed", &[Shape::One(Scalar::Integer), Shape::One(Scalar::Text)], true),
        of("sizes", &[Shape::List(Scalar::Integer)], true),
        Input { default: Some(Value::None), ..input("token", Scalar::Secret) },
    ];
    let handler = Handler {
        name: "run".to_owned(),
        declared: None,
        class: None,
        is_async: false,
        concurrency: None,
        streaming: false,
        setup: None,
    };
    Schema { used_for: Use::Run, inputs, output: Output::One(Scalar::Text), handler }
}

fn shown(problems: &[InputProblem]) -> String {
    let mut text = String::new();
    for problem in problems {
        let code = problem.code().expect("every problem has a code");
        let help = problem.help().expect("every problem has a way out");
        writeln!(text, "{code}\n  {problem}\n  {help}").expect("a String takes all");
    }
    text
}

#[test]
fn inputs_that_keep_to_the_model_are_no_problem() {
    let inputs = json!({
        "prompt": "a cat", "steps": 3.0, "format": "jpeg", "code": "abc", "image": "https://example.com/a.png",
        "masks": ["data:text/plain,a"], "scale": 1, "fast": false, "options": {"a": [1]}, "seed": "x",
        "sizes": [], "token": "x",
    });
    assert_eq!(shown(&model().validate(inputs.as_object().unwrap())), "");
    assert_eq!(shown(&model().validate(json!({"prompt": ""}).as_object().unwrap())), "");
}

#[test]
fn each_broken_rule_names_the_input_and_the_way_out() {
    let inputs = json!({
        "promt": "a cat", "zebra": 1, "steps": 51, "format": "jpg", "code": "a", "image": "cat.png",
        "masks": "https://example.com/a.png", "scale": "1", "fast": 1, "options": [], "seed": 1.5,
        "sizes": [1, "2"], "token": 1,
    });
    insta::assert_snapshot!(shown(&model().validate(inputs.as_object().unwrap())), @r#"
    project::input::unknown
      the model has no input `promt`
      did you mean `prompt`?
    project::input::unknown
      the model has no input `zebra`
      its inputs are prompt, steps, format, code, image, masks, scale, fast, options, seed, sizes, token
    project::input::missing
      the input `prompt` is missing, and has no default
      give it a value: `-i prompt=TEXT`
    project::input::bounds
      the input `steps` is 51, which is more than 50
      give a number from 1 to 50
    project::input::choice
      the input `format` is `jpg`, which is none of its choices
      did you mean `jpeg`?
    project::input::length
      the input `code` has 1 character, and must have at least 2
      give a longer text
    project::input::file
      the input `image` is a file, and `cat.png` is no address of one
      write `-i image=@PATH` for a file of this machine, or an http, https or data address
    project::input::wrong-type
      the input `masks` must be `list[Path] | None`, not the text `https://example.com/a.png`
      write `-i masks=@PATH`
    project::input::wrong-type
      the input `scale` must be `float | None`, not the text `1`
      write `-i scale=0.5`
    project::input::wrong-type
      the input `fast` must be `bool | None`, not the number 1
      write `-i fast=true`
    project::input::wrong-type
      the input `options` must be a JSON object, as cog's server takes it for `dict` and `Any`, not a list
      write `-i options='{"key": 1}'`
    project::input::wrong-type
      the input `seed` must be `int | str | None`, not the number 1.5
      write `-i seed=1`
    project::input::wrong-type
      the input `sizes` must be `list[int] | None`, not a list of other things
      write `-i sizes=1`
    project::input::wrong-type
      the input `token` must be `Secret`, not another value
      write `-i token=TEXT`
    "#);
}

#[test]
fn the_other_side_of_each_bound() {
    let problems = |inputs: serde_json::Value| shown(&model().validate(inputs.as_object().unwrap()));
    let low = problems(json!({"prompt": "a", "steps": 0, "code": "abcd", "format": "x"}));
    insta::assert_snapshot!(low, @r#"
    project::input::bounds
      the input `steps` is 0, which is less than 1
      give a number from 1 to 50
    project::input::choice
      the input `format` is `x`, which is none of its choices
      give one of "png", "jpeg"
    project::input::length
      the input `code` has 4 characters, and must have at most 3
      give a shorter text
    "#);
    let other = problems(json!({"prompt": null, "steps": 1.5, "code": "AB", "masks": ["a.png"]}));
    insta::assert_snapshot!(other, @r#"
    project::input::wrong-type
      the input `prompt` must be `str`, not null
      write `-i prompt=TEXT`
    project::input::wrong-type
      the input `steps` must be `int`, not the number 1.5
      write `-i steps=1`
    project::input::pattern
      the input `code` does not match `^[a-z]+$`
      give a text in which this regular expression is found
    project::input::file
      the input `masks` is a file, and `a.png` is no address of one
      write `-i masks=@PATH` for a file of this machine, or an http, https or data address
    "#);
}

#[test]
fn null_is_what_the_server_refuses() {
    let problems = model().validate(json!({"prompt": "a", "image": null}).as_object().unwrap());
    insta::assert_snapshot!(shown(&problems), @r#"
    project::input::null
      the input `image` cannot be sent as `null`
      leave it out: the model is then given its default, or `None`
    "#);
}

#[test]
fn arguments_become_what_the_input_is() {
    let given = model().given([
        "prompt=@a=b",
        "steps=7",
        "scale=2",
        "fast=TRUE",
        "options={\"a\": 1}",
        "seed=12",
        "image=@in.png",
        "masks=@a.png",
        "masks=[\"@b.png\", \"https://example.com/c\"]",
        "sizes=1",
        "sizes=2",
        "token=[1]",
    ]);
    let given: Vec<String> = given.0.into_iter().map(|(name, given)| format!("{name}: {given:?}")).collect();
    insta::assert_snapshot!(given.join("\n"), @r#"
    fast: Json(Bool(true))
    image: File("in.png")
    masks: List([File("a.png"), File("b.png"), Json(String("https://example.com/c"))])
    options: Json(Object {"a": Number(1)})
    prompt: Json(String("@a=b"))
    scale: Json(Number(2))
    seed: Json(Number(12))
    sizes: List([Json(Number(1)), Json(Number(2))])
    steps: Json(Number(7))
    token: Json(String("[1]"))
    "#);
    let seed = |text: &str| model().given([text]).0.remove("seed").unwrap();
    assert_eq!(seed("seed=one"), Given::Json("one".into()));
    assert_eq!(seed("seed=null"), Given::Json("null".into()));
    assert_eq!(model().given(["scale=1e3"]).0["scale"], Given::Json(1000.0.into()));
}

#[test]
fn arguments_that_cannot_be_it_are_problems() {
    let problems = model().given([
        "prompt",
        "promt=a",
        "steps=many",
        "steps=1",
        "steps=2",
        "fast=yes",
        "scale=inf",
        "options=[1]",
        "sizes=a",
    ]);
    insta::assert_snapshot!(shown(&problems.1), @r#"
    project::input::form
      `prompt` is not of the form `name=value`
      write the input's name, `=` and its value
    project::input::unknown
      the model has no input `promt`
      did you mean `prompt`?
    project::input::wrong-type
      the input `steps` must be `int`, not the text `many`
      write `-i steps=1`
    project::input::twice
      the input `steps` is given twice
      give it once; only an input that is a list takes several
    project::input::wrong-type
      the input `fast` must be `bool | None`, not the text `yes`
      write `-i fast=true`
    project::input::wrong-type
      the input `scale` must be `float | None`, not the text `inf`
      write `-i scale=0.5`
    project::input::wrong-type
      the input `options` must be a JSON object, as cog's server takes it for `dict` and `Any`, not the text `[1]`
      write `-i options='{"key": 1}'`
    project::input::wrong-type
      the input `sizes` must be `list[int] | None`, not the text `a`
      write `-i sizes=1`
    "#);
}

#[test]
fn what_a_document_says_is_what_the_files_say() {
    let document = schema().openapi("0.0.0");
    let read = Signature::of_document(&document).expect("it has inputs");
    let known = |input: &Input| Input { description: None, deprecated: false, accept: None, ..input.clone() };
    let stripped: Vec<Input> = model().inputs.iter().map(known).collect();
    assert_eq!(read.inputs.len(), stripped.len());
    let without_default = |input: &Input| Input { default: None, ..input.clone() };
    for (read, said) in read.inputs.iter().zip(&stripped) {
        if said.name == "token" {
            // A secret that may be left out is one of two ways of saying the same.
            assert!(read.of_type.optional && read.of_type.shapes == said.of_type.shapes);
        } else {
            assert_eq!(without_default(read), without_default(said));
            assert_eq!(read.is_required(), said.is_required());
        }
    }
}

#[test]
fn what_a_document_of_others_does_not_say_is_left_to_the_server() {
    let document = json!({"components": {"schemas": {
        "size": {"type": "integer", "enum": [1, 2]},
        "Input": {"required": ["text", "open"], "properties": {
            "text": {"type": "string"},
            "open": {},
            "scale": {"anyOf": [{"type": "number"}, {"type": "null"}]},
            "size": {"allOf": [{"$ref": "#/components/schemas/size"}], "default": 1},
            "sizes": {"type": "array", "items": {"$ref": "#/components/schemas/size"}},
            "seeds": {"type": "array", "items": {"type": "integer"}},
            "either": {"anyOf": [{"type": "string"}, {"type": "integer"}]},
            "nested": {"type": "array", "items": {"type": "array", "items": {"type": "integer"}}},
            "circle": {"$ref": "#/components/schemas/Input/properties/circle"},
        }},
    }}});
    let model = Signature::of_document(&document).expect("it has inputs");
    let given = |argument: &str| model.given([argument]).0.into_values().next();
    for (argument, value) in [
        ("text=7", json!("7")),
        ("open=7", json!(7)),
        ("open=seven", json!("seven")),
        ("scale=7", json!(7)),
        ("size=2", json!(2)),
        ("either=7", json!(7)),
        ("either=seven", json!("seven")),
        ("nested=[[1], []]", json!([[1], []])),
        ("circle=x", json!("x")),
    ] {
        assert_eq!(given(argument), Some(Given::Json(value)), "{argument}");
    }
    let problems = |inputs: serde_json::Value| shown(&model.validate(inputs.as_object().unwrap()));
    assert_eq!(problems(json!({"text": "a", "open": null, "nested": [[1]], "circle": 1, "sizes": [2]})), "");
    insta::assert_snapshot!(problems(json!({"size": 3, "sizes": [1, 4], "scale": "a", "either": []})), @r#"
    project::input::wrong-type
      the input `either` must be `str | int | None`, not a list
      write `-i either=TEXT`
    project::input::missing
      the input `open` is missing, and has no default
      give it a value: `-i open=VALUE`
    project::input::wrong-type
      the input `scale` must be `float | None`, not the text `a`
      write `-i scale=0.5`
    project::input::choice
      the input `size` is `3`, which is none of its choices
      give one of 1, 2
    project::input::choice
      the input `sizes` is `4`, which is none of its choices
      give one of 1, 2
    project::input::missing
      the input `text` is missing, and has no default
      give it a value: `-i text=TEXT`
    "#);
    assert_eq!(Signature::of_document(&json!({"openapi": "3.0.2"})), None);
}

#[test]
fn of_an_input_that_cannot_be_read_it_is_told_once() {
    let (_, unread) = model().given(["promt=a", "steps=many"]);
    let misfits = model().judge(json!({"format": "gif"}).as_object().unwrap(), unread);
    let told: Vec<&str> = misfits.iter().map(|misfit| misfit.problem.input()).collect();
    assert_eq!(told, ["promt", "steps", "prompt", "format"]);
}

#[test]
fn none_as_the_default_of_an_int_is_told() {
    let of_type = InputType { shapes: vec![Shape::One(Scalar::Integer)], optional: false };
    let input = Input { default: Some(Value::None), ..Input::new("seed", of_type) };
    let model = Signature { inputs: vec![input], declared: None };
    insta::assert_snapshot!(shown(&model.validate(json!({}).as_object().unwrap())), @"
    project::input::missing
      the input `seed` is missing, and its default `None` is no `int`
      give it a value: `-i seed=1`; the type `int | None` makes it optional
    ");
}
