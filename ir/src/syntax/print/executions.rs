//! What stands in the block of a `run` or `exec`.

use super::{Anchor, Printer};
use crate::plan::{Execution, Mount, MountKind, Network, Op, SecretTarget, Sharing};

impl Printer<'_> {
    pub(super) fn execution(&mut self, op: &Op, words: impl FnOnce(&mut Self), execution: &Execution) {
        self.block(
            || Anchor::of(op.span),
            words,
            *execution == Execution::default(),
            |printer| printer.execution_body(op, execution),
        );
    }

    fn execution_body(&mut self, op: &Op, execution: &Execution) {
        for mount in &execution.mounts {
            self.line(|| Anchor::of(mount.span), |printer| printer.mount(mount));
        }
        let network = match execution.network {
            Network::Default => None,
            Network::None => Some("network none"),
            Network::Host => Some("network host"),
        };
        if let Some(network) = network {
            self.line(|| Anchor::within(op.span, "network", ""), |printer| printer.push(network));
        }
        if let Some(user) = &execution.user {
            self.string_line(op.span, "user", user.as_written());
        }
        for setting in &execution.env {
            self.line(
                || Anchor::of(setting.span),
                |printer| {
                    printer.push(&format!("env {} = ", setting.name));
                    printer.template(&setting.value);
                },
            );
        }
        if let Some(workdir) = &execution.workdir {
            self.string_line(op.span, "workdir", workdir.as_written());
        }
    }

    fn mount(&mut self, mount: &Mount) {
        self.push("mount ");
        match &mount.kind {
            MountKind::Bind { source, select, target, writable } => {
                self.input(source);
                self.push(" at ");
                self.place(target.as_written());
                if let Some(select) = select {
                    self.push(" select ");
                    self.template(select);
                }
                self.push(if *writable { " writable" } else { "" });
            }
            MountKind::Cache { name, target, sharing } => {
                self.push(&format!("cache {name} at "));
                self.place(target.as_written());
                self.push(match sharing {
                    Sharing::Shared => "",
                    Sharing::Private => " sharing private",
                    Sharing::Locked => " sharing locked",
                });
            }
            MountKind::Secret { name, target } => {
                self.push(&format!("secret {name}"));
                match target {
                    SecretTarget::File(target) => {
                        self.push(" at ");
                        self.place(target.as_written());
                    }
                    SecretTarget::Env(variable) => self.push(&format!(" as env {variable}")),
                }
            }
            MountKind::Ssh { name, target } => {
                self.push("ssh");
                if let Some(name) = name {
                    self.push(" ");
                    // Without quotes these would be read as what follows a mount without a name.
                    match name.as_str() {
                        word @ ("at" | "mount" | "network" | "user" | "env" | "workdir") => self.string(word),
                        word => self.push(word),
                    }
                }
                if let Some(target) = target {
                    self.push(" at ");
                    self.place(target.as_written());
                }
            }
            MountKind::Tmpfs { target, size } => {
                self.push("tmpfs at ");
                self.place(target.as_written());
                if let Some(size) = size {
                    self.push(&format!(" size {}", in_units(*size)));
                }
            }
        }
    }
}

/// Bytes in the largest unit that gives a whole number.
fn in_units(bytes: u64) -> String {
    for (shift, unit) in [(30, "g"), (20, "m"), (10, "k")] {
        if bytes != 0 && bytes.is_multiple_of(1 << shift) {
            return format!("{}{unit}", bytes >> shift);
        }
    }
    bytes.to_string()
}
