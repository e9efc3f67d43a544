//! Ways out of what daemons and registries say, where what they say leads nowhere.

use cogpack_content::ImageReference;

use crate::progress::{Role, StepOutline};

/// What helps where nothing was found to be removed.
const OPTIONAL: &str = "`remove … optional` is content where nothing is. Newer daemons say the same of a link that is \
     there, where what it points to is not on their own machine: `optional` removes such a link as well";

/// What daemons say of a path that they do not find.
const NOTHING_THERE: &str = "no such file or directory";

/// What helps where a script finds no shell.
const SHELL: &str = "there is no `/bin/sh`, which `run` starts, in what the stage starts from: `exec [\"PROGRAM\", …]` starts \
     a program without one, and `shell [\"PATH\", …]` names another one; in a set of Debian packages it is `dash`";

/// What runtimes say where there is none: runc, and crun.
const NO_SHELL: &[&str] = &["exec: \"/bin/sh\": ", "executable file `/bin/sh` not found"];

/// What is said of a path that no image of ours can hold.
const TOO_DEEP: &str = " has more than 1000 parts";

/// What helps there.
const SHALLOWER: &str =
    "have the program make fewer directories within each other, or remove them before it ends";

/// What registries, and what speaks with them for us, say of whom they do not let in.
const NOT_LET_IN: &[&str] = &[
    "401 Unauthorized",
    "403 Forbidden",
    "authentication required",
    "authorization failed",
    "insufficient_scope",
    "no basic auth credentials",
    "requested access to the resource is denied",
    "unauthorized",
];

/// Whether somebody was not let into a registry, by what is said about it.
pub fn wants_login(message: &str) -> bool {
    NOT_LET_IN.iter().any(|words| message.contains(words))
}

/// The way into a registry.
pub fn login(registry: &str) -> String {
    let command = match registry {
        "docker.io" => "docker login".to_owned(),
        host => format!("docker login {host}"),
    };
    format!(
        "`{command}` logs in, and builds take the login from there; where that has been done, the account may not \
         do this"
    )
}

/// The way to an image that a registry does not show.
pub fn hidden(registry: &str) -> String {
    format!("check its name: some registries answer so where there is no such image; {}", login(registry))
}

/// The way out of a failed step, where one can be told by what is said of it and the end of its output.
pub fn of(step: Option<&StepOutline>, message: &str, output: &[u8]) -> Option<String> {
    let step = step?;
    let is_said = |words: &&str| message.contains(*words) || String::from_utf8_lossy(output).contains(*words);
    match step.role {
        // A context may be refused as well, and its name is none of an image.
        Role::Input if wants_login(message) => {
            step.name.parse::<ImageReference>().ok().map(|image| hidden(image.registry()))
        }
        // Newer daemons look for what a link points to, and on their own machine.
        Role::Work if step.name.starts_with("remove ") && message.trim_end().ends_with(NOTHING_THERE) => {
            Some(OPTIONAL.to_owned())
        }
        Role::Work if step.name.starts_with("run ") && NO_SHELL.iter().any(is_said) => Some(SHELL.to_owned()),
        Role::Work if message.ends_with(TOO_DEEP) => Some(SHALLOWER.to_owned()),
        Role::Input | Role::Work => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(role: Role, name: &str) -> StepOutline {
        StepOutline { name: name.to_owned(), role, ..StepOutline::default() }
    }

    #[test]
    fn a_link_that_seems_not_to_be_there_is_explained() {
        let work = |name| step(Role::Work, name);
        let message = "failed to solve: lstat /etc/b: no such file or directory";
        assert!(of(Some(&work("remove /etc/b")), message, b"").is_some_and(|help| help.contains("optional")));
        assert_eq!(of(Some(&work("remove /etc/b")), "permission denied", b""), None);
        assert_eq!(of(Some(&work("copy a to /etc/b")), message, b""), None);
        assert_eq!(of(None, message, b""), None);
    }

    #[test]
    fn a_script_without_a_shell_is_explained() {
        let run = step(Role::Work, "run echo hi");
        let runc = b"runc run failed: unable to start container process: exec: \"/bin/sh\": stat /bin/sh: no such file or directory";
        assert!(of(Some(&run), "exit code: 1", runc).is_some_and(|help| help.contains("`dash`")));
        let crun = "executable file `/bin/sh` not found in $PATH: No such file or directory";
        assert!(of(Some(&run), crun, b"").is_some());
        // What a shell says of another program is no sign that it is not there.
        assert_eq!(of(Some(&run), "exit code: 127", b"/bin/sh: 1: wget: not found"), None);
        assert_eq!(of(Some(&step(Role::Work, "exec /bin/sh")), crun, b""), None);
    }

    #[test]
    fn who_may_not_read_an_image_is_told_where_to_log_in() {
        let told = |role, name| of(Some(&step(role, name)), "pulling failed: 401 Unauthorized", b"");
        let help = told(Role::Input, "r.example:5000/team/app:1");
        assert!(help.is_some_and(|help| help.contains("; `docker login r.example:5000` ")));
        assert!(told(Role::Input, "app").is_some_and(|help| help.contains("; `docker login` ")));
        assert_eq!(told(Role::Input, "http://files.example/a"), None);
        // What a program is about is its own matter.
        assert_eq!(told(Role::Work, "app"), None);
    }
}
