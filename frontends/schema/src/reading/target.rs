//! The class or function that is the model, its handler and its `setup`.

use std::rc::Rc;

use cogpack_ir::suggest::nearest;
use miette::SourceSpan;

use crate::model::{Declared, Handler, Schema, Setup};
use crate::python::syntax::{Binding, Bound, Class, Function, Parameter};
use crate::reading::decorators::Decorators;
use crate::scope::files::{ModuleId, There};
use crate::scope::{Entity, Scope};
use crate::target::{Target, Use};

/// What is wrong with the model itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
pub enum TargetFinding {
    /// The file has no such class or function.
    #[error("`{file}` has no class or function `{name}`")]
    #[diagnostic(code("project::schema::no-target"), help("{way_out}"))]
    Absent {
        /// The file.
        file: String,
        /// The name.
        name: String,
        /// The near name, or those there are.
        way_out: String,
        /// Where it is named, in the file that the finding is of then.
        #[label("named here")]
        named: Option<SourceSpan>,
    },
    /// It is neither class nor function.
    #[error("`{name}` is neither a class nor a function")]
    #[diagnostic(
        code("project::schema::target-kind"),
        help(
            "name a class with a method `run`, or a function; or give the schema with `--openapi-schema FILE`"
        )
    )]
    Kind {
        /// The name.
        name: String,
        /// Where it is bound.
        #[label("it is bound here")]
        at: SourceSpan,
    },
    /// The class has no handler.
    #[error("the class `{class}` has no method `{method}`")]
    #[diagnostic(code("project::schema::no-handler"), help("{way_out}"))]
    NoHandler {
        /// The class.
        class: String,
        /// What was looked for.
        method: &'static str,
        /// The near name, or what to write.
        way_out: String,
        /// Where.
        #[label("nothing here answers a request")]
        at: SourceSpan,
    },
    /// The class has two.
    #[error("the class `{class}` has both `run` and `predict`")]
    #[diagnostic(code("project::schema::two-handlers"), help("keep `run`; `predict` is its old name"))]
    TwoHandlers {
        /// The class.
        class: String,
        /// Where.
        #[label("it is not known which of them answers requests")]
        at: SourceSpan,
    },
    /// A method without `self`.
    #[error("the method `{method}` takes no `self`")]
    #[diagnostic(code("project::schema::no-self"), help("write `self` as its first parameter"))]
    NoSelf {
        /// The method.
        method: String,
        /// Where.
        #[label("it is called on an object of its class")]
        at: SourceSpan,
    },
    /// A static method.
    #[error("the method `{method}` is static, and cog's server asks a method of an object")]
    #[diagnostic(
        code("project::schema::static-handler"),
        help(
            "take `@staticmethod` away, and write `self` as its first parameter; or name a function in place of the class"
        )
    )]
    Static {
        /// The method.
        method: String,
        /// Where.
        #[label("the model would not start")]
        at: SourceSpan,
    },
    /// Nothing says what it returns.
    #[error("nothing says what `{handler}` returns")]
    #[diagnostic(
        code("project::schema::no-output"),
        help("write it after `->`, as in `-> str` or `-> Path`")
    )]
    NoOutput {
        /// The handler.
        handler: String,
        /// Where.
        #[label("`-> TYPE` is missing after its parameters")]
        at: SourceSpan,
    },
    /// A `setup` that cannot be called.
    #[error("`setup` is called without `{parameter}`")]
    #[diagnostic(
        code("project::schema::setup"),
        help("let it take `self` and, if it likes, `weights`; read anything else from files or variables")
    )]
    Setup {
        /// The parameter.
        parameter: String,
        /// Where.
        #[label("nobody gives it this")]
        at: SourceSpan,
    },
    /// A relative import in a file that belongs to no package.
    #[error("the model's own file cannot import relatively: it is loaded by its path, as part of no package")]
    #[diagnostic(
        code("project::schema::relative-import"),
        help("import from the project's directory on, as in `from {way_out} import …`")
    )]
    RelativeImport {
        /// The module, named from the project's directory on.
        way_out: String,
        /// Where.
        #[label("this fails when the model starts")]
        at: SourceSpan,
    },
    /// `max` is no number of requests.
    #[error("`@cog.concurrent` serves a number of requests at a time, and {found} is none")]
    #[diagnostic(code("project::schema::concurrency"), help("write a whole number from 1 on, as in `max=4`"))]
    Concurrency {
        /// What it is.
        found: String,
        /// Where.
        #[label("this must be a whole number from 1 on")]
        at: SourceSpan,
    },
    /// Several at a time, and it cannot wait.
    #[error("`{name}` serves several requests at a time, and is not `async`")]
    #[diagnostic(code("project::schema::not-async"), help("write `async def {name}`, or leave `max` at 1"))]
    NotAsync {
        /// The handler.
        name: String,
        /// Where.
        #[label("this needs an `async def`")]
        at: SourceSpan,
    },
}

impl Scope<'_> {
    /// The schema of a target; what is wrong is reported.
    pub(crate) fn target(&mut self, target: &Target) -> Option<Schema> {
        let There::Module(id) = self.files.target(&target.file) else { return None };
        self.ask_for_imports(id);
        self.no_relative_imports(id);
        match self.name(id, &target.name, None) {
            Entity::Class(id, class) => self.of_class(id, &class, target.used_for),
            Entity::Function(id, function) => self.of_function(id, &function, target.used_for),
            Entity::Pending => None,
            Entity::Unknown | Entity::Builtin(_) => {
                let (file, name) = (target.file.to_string(), target.name.clone());
                let way_out = self.way_to_target(id, &name);
                self.files.report(id, TargetFinding::Absent { file, name, way_out, named: None });
                None
            }
            Entity::External(..)
            | Entity::Value(..)
            | Entity::Module(_)
            | Entity::Directory(_)
            | Entity::Run(..) => {
                let module = self.files.module(id);
                let at = module.bindings_of(&target.name).last().map(|(_, binding)| binding.at.clone());
                let at = at.unwrap_or_default().into();
                self.files.report(id, TargetFinding::Kind { name: target.name.clone(), at });
                None
            }
        }
    }

    fn way_to_target(&self, id: ModuleId, name: &str) -> String {
        let module = self.files.module(id);
        let is_target = |binding: &&Binding| matches!(binding.to, Bound::Class(_) | Bound::Function(_));
        let names: Vec<&str> =
            module.bindings.iter().filter(is_target).map(|binding| &*binding.name).collect();
        match (nearest(name, names.iter().copied()), names.as_slice()) {
            (Some(near), _) => format!("did you mean `{near}`?"),
            (None, []) => "define it there, or name another file".to_owned(),
            (None, names) => format!("it has {}", names.join(", ")),
        }
    }

    /// The file is loaded by its path, so relative imports in it fail when it starts.
    fn no_relative_imports(&mut self, id: ModuleId) {
        let bindings = self.files.module(id);
        let first = bindings.bindings.iter().find_map(|binding| match &binding.to {
            Bound::Import { module, .. } if module.level > 0 && !binding.conditional => {
                Some((binding, module))
            }
            _ => None,
        });
        let Some((binding, module)) = first else { return };
        let mut directory = self.files.file(id).directory();
        for _ in 1..module.level {
            directory = directory.directory();
        }
        let parts = directory.as_str().split('/').chain(module.parts.iter().map(String::as_str));
        let parts: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
        let way_out = if parts.is_empty() { binding.name.clone() } else { parts.join(".") };
        let at = binding.at.clone().into();
        self.files.report(id, TargetFinding::RelativeImport { way_out, at });
    }

    fn of_class(&mut self, id: ModuleId, class: &Rc<Class>, used_for: Use) -> Option<Schema> {
        let (own, others) = self.bases(id, class);
        let method = |name: &str| {
            let found = own.iter().find_map(|(id, class)| Some((*id, class, class.method(name)?)));
            found.map(|(id, class, method)| (id, Rc::clone(class), Rc::clone(method)))
        };
        let at = class.at.clone().into();
        let train = if used_for == Use::Train { method("train") } else { None };
        let found = match (train, method("run"), method("predict")) {
            (Some(train), _, _) => train,
            (None, Some(_), Some((of, _, predict))) => {
                let finding =
                    TargetFinding::TwoHandlers { class: class.name.clone(), at: predict.at.clone().into() };
                self.files.report(of, finding);
                return None;
            }
            (None, Some(found), None) | (None, None, Some(found)) => found,
            (None, None, None) => {
                let wanted = if used_for == Use::Train { "train" } else { "run" };
                let names = own.iter().flat_map(|(_, class)| &class.body).map(|binding| &*binding.name);
                let from_outside = others.iter().find_map(|base| match base {
                    Entity::External(module, Some(name))
                        if module != "cog" && !module.starts_with("cog.") =>
                    {
                        Some(format!("{module}.{name}"))
                    }
                    _ => None,
                });
                let way_out = match (nearest(wanted, names), from_outside) {
                    (Some(near), _) => format!("`{near}` is near: name it `{wanted}`"),
                    (None, None) => format!("write `def {wanted}(self, …) -> …`"),
                    (None, Some(base)) => format!(
                        "`{base}`, which it comes from, is of a package, and nobody has looked into it: write `def \
                         {wanted}(self, …) -> …` in `{}` itself, or give the schema with `--openapi-schema FILE`",
                        class.name
                    ),
                };
                let finding =
                    TargetFinding::NoHandler { class: class.name.clone(), method: wanted, way_out, at };
                self.files.report(id, finding);
                return None;
            }
        };
        let setup = method("setup").map(|(id, _, setup)| self.setup(id, &setup));
        let (id, class, handler) = found;
        let said = self.decorators(id, &handler);
        let (method, at) = (handler.name.clone(), handler.at.clone().into());
        if said.is_static {
            self.files.report(id, TargetFinding::Static { method, at });
            return None;
        }
        let [Parameter { takes_many: false, annotation: None, default: None, .. }, parameters @ ..] =
            handler.parameters.as_slice()
        else {
            self.files.report(id, TargetFinding::NoSelf { method, at });
            return None;
        };
        let mut schema = self.signature(id, Some(&class), &handler, parameters, said, used_for)?;
        schema.handler.setup = setup;
        Some(schema)
    }

    fn of_function(&mut self, id: ModuleId, function: &Rc<Function>, used_for: Use) -> Option<Schema> {
        let said = self.decorators(id, function);
        self.signature(id, None, function, &function.parameters, said, used_for)
    }

    fn signature(
        &mut self,
        id: ModuleId,
        class: Option<&Rc<Class>>,
        handler: &Function,
        parameters: &[Parameter],
        said: Decorators,
        used_for: Use,
    ) -> Option<Schema> {
        let inputs: Vec<_> = parameters.iter().map(|parameter| self.input(id, class, parameter)).collect();
        let output = match &handler.returns {
            Some(returns) => self.annotation(id, returns).and_then(|of| self.output(&of)),
            None => {
                let at = handler.at.clone().into();
                self.files.report(id, TargetFinding::NoOutput { handler: handler.name.clone(), at });
                None
            }
        };
        let handler = Handler {
            name: handler.name.clone(),
            declared: Some(Declared { file: self.files.file(id).clone(), at: handler.at.clone() }),
            class: class.map(|class| class.name.clone()),
            is_async: handler.is_async,
            concurrency: said.concurrency,
            streaming: said.streaming,
            setup: None,
        };
        Some(Schema {
            used_for,
            inputs: inputs.into_iter().collect::<Option<_>>()?,
            output: output?,
            handler,
        })
    }

    fn setup(&mut self, id: ModuleId, setup: &Function) -> Setup {
        let parameters = setup.parameters.get(1..).unwrap_or_default();
        for parameter in parameters {
            if parameter.name != "weights" && (parameter.takes_many || parameter.default.is_none()) {
                let (name, at) = (parameter.name.clone(), parameter.at.clone().into());
                self.files.report(id, TargetFinding::Setup { parameter: name, at });
            }
        }
        let weights = parameters.iter().any(|parameter| parameter.name == "weights");
        Setup { is_async: setup.is_async, weights }
    }
}
