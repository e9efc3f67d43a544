//! What lies beside a Dockerfile, and what it is called there.
//!
//! A folder is called by its kind, the stage that copies it and the place that it is copied to:
//! `copies/app/src`, `files/app/etc-motd`. So a reader knows what it holds, and its name stays when
//! something else in the plan changes. A second one of a stage for the same place has a number.

use cogpack_ir::plan::{Copy, Span};

use crate::artifact::Beside;
use crate::lowering::Lowering;
use crate::section::relative;

/// How long the part of a name may be that tells the place.
const LONGEST: usize = 60;

impl Lowering<'_> {
    /// Refuses what must lie beside the Dockerfile where nothing can; `why` is nothing where that
    /// goes without saying.
    pub(crate) fn lies_beside(&mut self, what: &str, why: &str, span: Span) {
        if self.surroundings.alone {
            let why = if why.is_empty() { String::new() } else { format!(": {why}") };
            let what = format!("{what}, which has to lie beside the Dockerfile{why}");
            let help = "`-O DIR` writes the Dockerfile with all that lies beside it";
            self.refuse("cpk::unsupported::beside", what, span, help);
        }
    }

    /// A fresh directory beside the Dockerfile for what `stage` copies to `place`, as instructions
    /// name it.
    pub(crate) fn put_beside(&mut self, kind: &str, stage: &str, place: &str, what: Beside) -> String {
        if let Beside::Copied { context, copy, .. } = &what {
            let what = format!("a copy from `{context}` that `COPY` cannot make");
            self.lies_beside(&what, "", copy.from.span);
        }
        let wanted = format!("{kind}/{stage}/{}", folder_for(place));
        // Some filesystems do not tell capital letters from small ones.
        let is_taken = |name: &String| self.beside.keys().any(|other| other.eq_ignore_ascii_case(name));
        let mut path = wanted.clone();
        let mut count = 2;
        while is_taken(&path) {
            path = format!("{wanted}-{count}");
            count += 1;
        }
        let named = self.path_beside(&path);
        self.beside.insert(path, what);
        named
    }

    /// A fresh build argument for the value of a label, from a file beside the Dockerfile that the command reads;
    /// and that file. It is called like no variable of the image, which would stand in for it.
    pub(crate) fn put_given(
        &mut self,
        label: &str,
        value: &str,
        is_variable: impl Fn(&str) -> bool,
    ) -> (String, String) {
        let folder = folder_for(label);
        let letter = |it: char| if it.is_ascii_alphanumeric() { it.to_ascii_uppercase() } else { '_' };
        let plain: String = folder.chars().map(letter).collect();
        let (mut name, mut path) = (format!("LABEL_{plain}"), format!("labels/{folder}"));
        let mut count = 2;
        let is_taken = |path: &String| self.given.keys().any(|other| other.eq_ignore_ascii_case(path));
        while is_taken(&path) || self.asked.arguments.contains_key(&name) || is_variable(&name) {
            (name, path) = (format!("LABEL_{plain}_{count}"), format!("labels/{folder}-{count}"));
            count += 1;
        }
        self.given.insert(path.clone(), value.to_owned());
        self.asked.arguments.insert(name.clone(), path.clone());
        (name, path)
    }

    /// Notes that what was gathered, as instructions name it, is a part of a larger copy, which
    /// must be possible too.
    pub(crate) fn check_whole(&mut self, named: &str, larger: Box<Copy>) {
        let way = self.path_beside("");
        let entry = named.strip_prefix(&way).unwrap_or(named);
        if let Some(Beside::Copied { whole, .. }) = self.beside.get_mut(entry) {
            *whole = Some(larger);
        }
    }

    /// A path beside the Dockerfile, as instructions name it.
    pub(crate) fn path_beside(&self, path: &str) -> String {
        match self.surroundings.root.as_ref().and_then(|root| root.beside.as_deref()) {
            Some(way) if !way.is_empty() => format!("{way}/{path}"),
            Some(_) | None => path.to_owned(),
        }
    }
}

/// The name of a folder for what belongs at a place: its path with `-` between its parts, of
/// letters that no builder and no filesystem gives a meaning.
pub(crate) fn folder_for(place: &str) -> String {
    let plain = |it: char| if it.is_ascii_alphanumeric() || "._+@".contains(it) { it } else { '-' };
    let all: String = relative(place).chars().map(plain).collect();
    let name = all.trim_matches(['-', '.']);
    let name = if name.is_empty() { "root" } else { name };
    // Every letter is one byte.
    name[name.len().saturating_sub(LONGEST)..].trim_start_matches(['-', '.']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_tell_where_their_files_go() {
        let names = ["/", "/src", "/etc/my app/ä.conf", "/.config/x", "/-x", "/..."].map(folder_for);
        assert_eq!(names, ["root", "src", "etc-my-app--.conf", "config-x", "x", "root"]);
        let long = folder_for(&format!("/{}/{}/file.txt", "a".repeat(60), "b".repeat(40)));
        assert_eq!(long, format!("{}-{}-file.txt", "a".repeat(10), "b".repeat(40)));
    }
}
