//! The plan that is built, and what the command line changes in it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use cogpack_backends_oci_direct::differs_by_platform;
use cogpack_content::Platform;
use cogpack_ir::finding::Finding;
use cogpack_ir::plan::{ContextKind, InputName, Plan, Spanned};
use cogpack_ir::resolve::Resolved;

use super::arguments::Build;
use crate::bases::Bases;
use crate::console::Console;
use crate::contexts;
use crate::failure::Failure;
use crate::front;
use crate::no_network;
use crate::packages::Machine;
use crate::plan_file::PlanFile;
use crate::record::Recording;

/// A plan that breaks no rule, and what it reads on this machine.
pub struct Source {
    /// The plan, for the platforms that were asked for.
    pub plan: Plan,
    /// The plan as it was written, resolved likewise.
    pub written: Resolved,
    /// The plan, resolved with what can be known without a daemon.
    pub resolved: Resolved,
    /// Images of layouts that the plan names.
    pub bases: Bases,
    /// Where its `dir` contexts are.
    pub directories: BTreeMap<InputName, PathBuf>,
    /// Where the layouts of its `oci` contexts are.
    pub layouts: BTreeMap<InputName, PathBuf>,
}

/// Reads a plan and checks it; `None` where it has errors, which are shown.
pub fn read(
    arguments: &Build,
    file: &PlanFile,
    console: &mut Console<'_>,
) -> Result<Option<Source>, Failure> {
    let Some(mut plan) = shown_or(cogpack_compiler::parse(&file.text), arguments, file, console) else {
        return Ok(None);
    };
    if arguments.no_network && !no_network::is_kept(&plan, file, arguments.format, console) {
        return Ok(None);
    }
    front::choose(&arguments.platforms, &mut plan)?;
    source(plan, arguments, file, console)
}

/// A plan with what it reads; `None` where it has errors, which are shown.
fn source(
    plan: Plan,
    arguments: &Build,
    file: &PlanFile,
    console: &mut Console<'_>,
) -> Result<Option<Source>, Failure> {
    let machine = Machine::new(arguments.store.as_deref(), console);
    let bases = Bases::read(&plan, &arguments.layouts, file, machine)?;
    let compiled = cogpack_compiler::compile(plan.clone(), &bases.world());
    let Some(resolved) = shown_or(compiled, arguments, file, console) else { return Ok(None) };
    let mut directories = BTreeMap::new();
    let mut layouts = BTreeMap::new();
    for (name, context) in &plan.contexts {
        match &context.kind {
            ContextKind::Directory(kind) => {
                directories.insert(name.clone(), file.directory.join(&kind.path.value));
            }
            ContextKind::Oci(kind) => {
                layouts.insert(name.clone(), file.directory.join(&kind.path.value));
            }
            ContextKind::Http(_)
            | ContextKind::Git(_)
            | ContextKind::Files(_)
            | ContextKind::Wheels(_)
            | ContextKind::Debs(_) => {}
        }
    }
    for text in &arguments.contexts {
        let (name, path) = contexts::replaced(text, &directories)?;
        directories.insert(name, console.directory.join(path));
    }
    let written = resolved.clone();
    let resolved = front::optimised(resolved, arguments.level, &bases.world(), arguments.format, console);
    let plan = resolved.plan().clone();
    Ok(Some(Source { plan, written, resolved, bases, directories, layouts }))
}

impl Source {
    /// Begins a record of the build, unless somebody wants none.
    pub fn recording(&self, arguments: &Build, file: &PlanFile) -> Option<Recording> {
        if arguments.no_record {
            return None;
        }
        let platforms = self.plan.platforms.iter().map(|platform| platform.value.clone()).collect();
        Recording::begin(file, &self.written, platforms, &self.directories)
    }

    /// The plan for one of its platforms.
    pub fn for_platform(&self, platform: &Platform) -> Plan {
        let mut plan = self.plan.clone();
        plan.platforms.retain(|declared| declared.value == *platform);
        plan
    }

    /// The same for each of its platforms, where these have other files.
    pub fn by_platform(
        self,
        arguments: &Build,
        file: &PlanFile,
        console: &mut Console<'_>,
    ) -> Result<Option<Vec<Self>>, Failure> {
        let platforms = &self.plan.platforms;
        if platforms.len() < 2 || !differs_by_platform(&self.resolved) {
            return Ok(Some(vec![self]));
        }
        let of = |platform: &Spanned<Platform>| {
            source(self.for_platform(&platform.value), arguments, file, console)
        };
        platforms.iter().map(of).collect()
    }
}

/// What could be made, or `None` and what speaks against it shown.
pub fn shown_or<T>(
    made: Result<T, Vec<Finding>>,
    arguments: &Build,
    file: &PlanFile,
    console: &mut Console<'_>,
) -> Option<T> {
    made.map_err(|findings| front::show(&findings, file, arguments.format, console)).ok()
}
