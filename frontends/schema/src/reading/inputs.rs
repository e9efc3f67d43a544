//! One parameter of the handler as an input: its type, its default, and what `Input(…)` says.

use std::rc::Rc;

use cogpack_ir::suggest::nearest;
use miette::SourceSpan;

use crate::constants::Around;
use crate::model::{Declared, Input, Value};
use crate::python::expressions::F_STRING;
use crate::python::syntax::{Call, Class, Expr, Kind, Parameter};
use crate::reading::rules::Places;
use crate::reading::shared::Standing;
use crate::scope::files::ModuleId;
use crate::scope::{Entity, Scope};

/// What may be said in `Input(…)`.
const KEYWORDS: &[&str] = &[
    "default",
    "description",
    "ge",
    "le",
    "min_length",
    "max_length",
    "regex",
    "choices",
    "deprecated",
    "accept",
];

/// What is wrong with an input.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
pub enum InputFinding {
    /// It has no type.
    #[error("the input `{input}` has no type")]
    #[diagnostic(code("project::schema::untyped-input"), help("write one: `{input}: str`"))]
    Untyped {
        /// The input.
        input: String,
        /// Where.
        #[label("`: TYPE` is missing after this")]
        at: SourceSpan,
    },
    /// A parameter that stands for many.
    #[error("`{name}` stands for any number of inputs")]
    #[diagnostic(
        code("project::schema::many-inputs"),
        help("write each input with its name and type: a request is checked against them")
    )]
    Many {
        /// The parameter.
        name: String,
        /// Where.
        #[label("it is not known which inputs these are")]
        at: SourceSpan,
    },
    /// A parameter without a name for whoever calls.
    #[error("the input `{name}` can be given by its place alone, and a request gives it by its name")]
    #[diagnostic(code("project::schema::positional-only"), help("take the `/` away that stands after it"))]
    ByPlaceAlone {
        /// The parameter.
        name: String,
        /// Where.
        #[label("each request would fail")]
        at: SourceSpan,
    },
    /// A regular expression that is none.
    #[error("`regex` of `{input}` is no regular expression: {problem}")]
    #[diagnostic(code("project::schema::regex"), help("{way_out}"))]
    Regex {
        /// The input.
        input: String,
        /// What is wrong with it.
        problem: &'static str,
        /// What to do.
        way_out: &'static str,
        /// Where.
        #[label("nothing can be compared with this")]
        at: SourceSpan,
    },
    /// `default_factory`
    #[error("`default_factory` would have to be called, and the default of `{input}` must be known before")]
    #[diagnostic(
        code("project::schema::default-factory"),
        help(
            "write a literal, as in `default=[1, 2]`, or `default=None` with the type `… | None` and choose in the handler"
        )
    )]
    DefaultFactory {
        /// The input.
        input: String,
        /// Where.
        #[label("only running tells what this gives")]
        at: SourceSpan,
    },
    /// A name that `Input` does not know.
    #[error("`Input` takes no `{name}`")]
    #[diagnostic(code("project::schema::unknown-keyword"), help("{way_out}"))]
    Keyword {
        /// The name.
        name: String,
        /// The near name, or all.
        way_out: String,
        /// Where.
        #[label("this is none of its arguments")]
        at: SourceSpan,
    },
    /// Too many arguments without a name, or `**arguments`.
    #[error("only the default of `Input` goes without a name, and nothing is unpacked in it")]
    #[diagnostic(
        code("project::schema::arguments"),
        help("write each argument with its name, as in `description=\"…\"`")
    )]
    Arguments {
        /// Where.
        #[label("it is not known what this says")]
        at: SourceSpan,
    },
    /// An argument of the wrong type.
    #[error("`{keyword}` of `{input}` must be {expected}, not {found}")]
    #[diagnostic(code("project::schema::argument-type"), help("write it as in `{example}`"))]
    Argument {
        /// The argument.
        keyword: String,
        /// The input.
        input: String,
        /// What it must be.
        expected: &'static str,
        /// What it is.
        found: String,
        /// How it is written.
        example: &'static str,
        /// Where.
        #[label("this cannot be it")]
        at: SourceSpan,
    },
    /// A rule for another type.
    #[error("`{keyword}` is for {for_what}, and `{input}` is `{of}`")]
    #[diagnostic(
        code("project::schema::rule-type"),
        help("take `{keyword}` away, or give the input a type that it is for")
    )]
    Misplaced {
        /// The argument.
        keyword: &'static str,
        /// The types it is for.
        for_what: &'static str,
        /// The input.
        input: String,
        /// Its type.
        of: String,
        /// Where.
        #[label("it says nothing about this type")]
        at: SourceSpan,
    },
    /// Rules that leave nothing, or say things that do not go together.
    #[error("`{input}` can have no value: {why}")]
    #[diagnostic(code("project::schema::no-value"), help("{way_out}"))]
    NoValue {
        /// The input.
        input: String,
        /// Why not.
        why: String,
        /// What to do.
        way_out: &'static str,
        /// Where.
        #[label("nothing keeps to this")]
        at: SourceSpan,
    },
    /// A default of another type.
    #[error("the default of `{input}` is {found}, and its type is `{of}`")]
    #[diagnostic(code("project::schema::default-type"), help("{way_out}"))]
    DefaultType {
        /// The input.
        input: String,
        /// What the default is.
        found: String,
        /// Its type.
        of: String,
        /// What to do.
        way_out: &'static str,
        /// Where.
        #[label("no request could send this")]
        at: SourceSpan,
    },
    /// A default that breaks a rule of its input.
    #[error("the default of `{input}` breaks its own rule: {value} {rule}")]
    #[diagnostic(code("project::schema::default-value"), help("change the default or the rule"))]
    Default {
        /// The input.
        input: String,
        /// The default.
        value: String,
        /// The rule.
        rule: String,
        /// Where.
        #[label("no request could send this")]
        at: SourceSpan,
    },
}

/// The default of a parameter, and the arguments of its `Input`.
struct Said {
    /// What names in them mean.
    around: Around,
    default: Option<(ModuleId, Expr)>,
    arguments: Vec<(String, ModuleId, Expr)>,
}

impl Scope<'_> {
    /// The input that a parameter is.
    pub(super) fn input(
        &mut self,
        id: ModuleId,
        class: Option<&Rc<Class>>,
        parameter: &Parameter,
    ) -> Option<Input> {
        let name = &parameter.name;
        if parameter.takes_many {
            let at = parameter.at.clone().into();
            self.files.report(id, InputFinding::Many { name: name.clone(), at });
            return None;
        }
        if parameter.by_place_alone {
            let at = parameter.at.clone().into();
            self.files.report(id, InputFinding::ByPlaceAlone { name: name.clone(), at });
            return None;
        }
        let around = Around { class: class.cloned(), names: Vec::new() };
        let said = self.said(id, &around, name, parameter.default.as_ref());
        let read = match &parameter.annotation {
            Some(annotation) => {
                let of = self.annotation(id, annotation);
                of.and_then(|of| self.input_type(name, &of))
            }
            None => {
                let at = parameter.at.clone().into();
                self.files.report(id, InputFinding::Untyped { input: name.clone(), at });
                None
            }
        };
        // What is said is read even where the type is wrong, so that all is told at once.
        let said = said?;
        let mut places = Places::default();
        let mut values: Vec<(String, Option<Value>)> = Vec::new();
        for (keyword, id, value) in &said.arguments {
            let what = format!("`{keyword}` of `{name}`");
            let known = self.constant(*id, value, &said.around, &what);
            places.note(keyword, *id, &value.at);
            values.push((keyword.clone(), known));
        }
        let mut default = None;
        let mut complete = values.iter().all(|(_, value)| value.is_some());
        if let Some((id, value)) = &said.default {
            places.note("default", *id, &value.at);
            default = self.constant(*id, value, &said.around, &format!("the default of `{name}`"));
            complete &= default.is_some();
        }
        let read = read?;
        let mut input = Input::new(name, read.of_type);
        input.declared = Some(Declared { file: self.files.file(id).clone(), at: parameter.at.clone() });
        input.choices = read.choices;
        input.default = default;
        for (keyword, value) in values {
            let known = value.map(|value| self.say(&mut input, &keyword, value, &places));
            complete &= known == Some(true);
        }
        (complete && self.keeps_its_rules(&input, &places)).then_some(input)
    }

    /// Takes `Input(…)` apart; anything else is a default.
    fn said(&mut self, id: ModuleId, around: &Around, name: &str, default: Option<&Expr>) -> Option<Said> {
        let nothing = |around| Said { around, default: None, arguments: Vec::new() };
        let Some(default) = default else { return Some(nothing(around.clone())) };
        let Standing { id, default, around } = self.shared(id, around, default);
        let mut said = nothing(around);
        let call = match &default.kind {
            Kind::Call(call) if self.is_input(id, call) => call,
            _ => {
                said.default = Some((id, default));
                return Some(said);
            }
        };
        let mut complete = true;
        if let [first, rest @ ..] = call.positional.as_slice() {
            said.default = Some((id, first.clone()));
            for extra in rest {
                self.files.report(id, InputFinding::Arguments { at: extra.at.clone().into() });
                complete = false;
            }
        }
        if let Some(at) = &call.unpacked {
            self.files.report(id, InputFinding::Arguments { at: at.clone().into() });
            complete = false;
        }
        for named in &call.named {
            let at = named.at.clone().into();
            match &*named.name {
                "default" => said.default = Some((id, named.value.clone())),
                "default_factory" if named.value.kind == Kind::None => {}
                "default_factory" => {
                    self.files.report(id, InputFinding::DefaultFactory { input: name.to_owned(), at });
                    complete = false;
                }
                // Only running tells what it says, and it is for people alone: cog leaves it out.
                "description" if named.value.kind == Kind::Other(F_STRING) => {}
                keyword if KEYWORDS.contains(&keyword) => {
                    said.arguments.push((keyword.to_owned(), id, named.value.clone()));
                }
                unknown => {
                    let way_out = match nearest(unknown, KEYWORDS.iter().copied()) {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => format!("it takes {}", KEYWORDS.join(", ")),
                    };
                    let name = unknown.to_owned();
                    self.files.report(id, InputFinding::Keyword { name, way_out, at });
                    complete = false;
                }
            }
        }
        complete.then_some(said)
    }

    /// Whether this is a call of cog's `Input`.
    pub(crate) fn is_input(&mut self, id: ModuleId, call: &Call) -> bool {
        let entity = self.entity(id, &call.function, None);
        matches!(entity, Entity::External(module, Some(name))
            if (module == "cog" || module == "cog.input") && name == "Input")
    }
}
