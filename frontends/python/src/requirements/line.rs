//! One line of a requirements file.

use std::collections::BTreeSet;

use cogpack_content::Digest;
use cogpack_frontends_source::{InFile, Kind, NotInProject, Place, Placed, SourcePath};
use cogpack_packages_wheels::file_name::WheelName;

use super::lines::Line;
use super::options::{self, Found, Meaning};
use super::{Reading, RequirementsFinding, Role, Stated};
use crate::requirement::{self, PackageName, Requirement, Wanted, Written};

const ARCHIVES: &[&str] = &[".tar.gz", ".zip", ".tar.bz2", ".tar.xz", ".tgz"];

impl Reading<'_> {
    pub(super) fn line(&mut self, file: &SourcePath, role: Role, line: &Line, number: usize) {
        let indent = line.text.len() - line.text.trim_start().len();
        let text = line.text.trim();
        let whole = Place { start: line.start + indent, length: text.len(), line: number };
        let at = |part: &str| {
            let offset = (part.as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
            Place { start: whole.start + offset, length: part.len(), ..whole }
        };
        if let Some(variable) = variable(text) {
            let finding =
                RequirementsFinding::Variable { variable: variable.to_owned(), place: at(variable) };
            return self.found(file, finding);
        }
        if !text.starts_with('-') {
            return self.requirement(file, role, text, whole);
        }
        match options::of(text) {
            Found::Known(meaning, option, value) => {
                self.option(
                    file,
                    role,
                    meaning,
                    Placed::new(value, at(if value.is_empty() { option } else { value })),
                );
            }
            Found::Value(option, problem, example) => {
                let (place, option) = (at(option), option.to_owned());
                self.found(file, RequirementsFinding::OptionValue { option, problem, example, place });
            }
            Found::Refused(option, why, way_out) => {
                let (place, option) = (at(option), option.to_owned());
                self.found(file, RequirementsFinding::RefusedOption { option, why, way_out, place });
            }
            Found::Unknown(option, way_out) => {
                let (place, option) = (at(option), option.to_owned());
                self.found(file, RequirementsFinding::UnknownOption { option, way_out, place });
            }
        }
    }

    fn option(&mut self, file: &SourcePath, role: Role, meaning: Meaning, value: Placed<&str>) {
        let place = value.place;
        let said = |text: &str| InFile::new(file, Placed::new(text.to_owned(), place));
        let indexes = &mut self.requirements.indexes;
        match meaning {
            Meaning::Requirements => self.nested(file, role, value),
            Meaning::Constraints => self.nested(file, Role::Constraints, value),
            Meaning::Editable => self.editable(file, role, value),
            Meaning::Index | Meaning::ExtraIndex if has_user(value.value) => {
                self.found(file, RequirementsFinding::Credentials { place });
            }
            Meaning::Index => indexes.index = Some(said(value.value)),
            Meaning::ExtraIndex => indexes.extra.push(said(value.value)),
            Meaning::FindLinks if value.contains("://") => {
                if has_user(value.value) {
                    return self.found(file, RequirementsFinding::Credentials { place });
                }
                indexes.pages.push(said(value.value));
            }
            Meaning::FindLinks => {
                if let Some((path, Kind::Directory | Kind::File | Kind::Other)) = self.path(file, value) {
                    let said = InFile::new(file, Placed::new(path, place));
                    self.requirements.indexes.directories.push(said);
                }
            }
            Meaning::NoIndex => indexes.none = Some(InFile::new(file, Placed::new((), place))),
            Meaning::Prereleases => indexes.prereleases = Some(InFile::new(file, Placed::new((), place))),
            Meaning::RequireHashes => self.requires_hashes = true,
            Meaning::PreferBinary => {}
            Meaning::OnlyBinary => indexes.only_wheels.push(said(value.value)),
        }
    }

    /// Another file, `-r` or `-c`.
    fn nested(&mut self, file: &SourcePath, role: Role, value: Placed<&str>) {
        let place = value.place;
        if value.contains("://") {
            return self.found(file, RequirementsFinding::Remote { place });
        }
        let path = match file.directory().join(value.value) {
            Ok(path) => path,
            Err(problem) => return self.outside(file, value, problem),
        };
        if let Some(from) = self.open.iter().position(|open| *open == path) {
            let circle = self.open.iter().skip(from).chain([&path]);
            let chain = circle.map(SourcePath::as_str).collect::<Vec<_>>().join(" → ");
            return self.found(file, RequirementsFinding::Cycle { chain, place });
        }
        match self.file(&path, role) {
            Ok(None) => {}
            Ok(Some(problem)) => {
                let way_out = "make the file, or name one that is there, by its path from this file on";
                let path = value.value.to_owned();
                self.found(file, RequirementsFinding::NoSuchFile { path, problem, way_out, place });
            }
            Err(unread) => self.questions.extend(unread.into_questions()),
        }
    }

    fn editable(&mut self, file: &SourcePath, role: Role, value: Placed<&str>) {
        let place = value.place;
        if role == Role::Constraints {
            return self.found(file, RequirementsFinding::Constraint { what: "is a directory", place });
        }
        if value.contains("://") {
            return self.requirement(file, role, value.value, place);
        }
        let (path, extras) = with_extras(value.value);
        if let Some((path, kind)) = self.path(file, Placed::new(path, place)) {
            if kind != Kind::Directory {
                let path = value.value.to_owned();
                return self.found(file, RequirementsFinding::LocalKind { path, place });
            }
            let wanted = Wanted::Directory { path, is_editable: true };
            let requirement = Requirement { name: None, extras, wanted, marker: None };
            self.state(file, role, requirement, place, BTreeSet::new());
        }
    }

    fn requirement(&mut self, file: &SourcePath, role: Role, text: &str, whole: Place) {
        let (body, options) = match text.find(" --") {
            Some(at) => text.split_at(at),
            None => (text, ""),
        };
        let body = body.trim_end();
        let place = Place { length: body.len(), ..whole };
        let hashes = self.hashes(file, text, options, whole);
        if has_user(body) {
            return self.found(file, RequirementsFinding::Credentials { place });
        }
        let requirement = if let Some((scheme, rest)) = body.split_once("://")
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'+')
        {
            self.bare_address(file, body, scheme, rest, place)
        } else if is_local(body) {
            self.local(file, Placed::new(body, place))
        } else {
            requirement::parse(Written { text: body, place, is_verbatim: true })
                .map_err(|finding| self.found(file, finding))
                .ok()
        };
        if let Some(requirement) = requirement {
            self.state(file, role, requirement, place, hashes);
        }
    }

    /// `--hash=sha256:…` behind a requirement; other options are findings.
    fn hashes(&mut self, file: &SourcePath, text: &str, options: &str, whole: Place) -> BTreeSet<Digest> {
        let mut hashes = BTreeSet::new();
        let mut words = options.split_whitespace();
        while let Some(word) = words.next() {
            let offset = |part: &str| (part.as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
            let at = |part: &str| Place { start: whole.start + offset(part), length: part.len(), ..whole };
            let hash = word.strip_prefix("--hash=").or_else(|| words.next().filter(|_| word == "--hash"));
            match (hash, hash.and_then(|hash| hash.parse::<Digest>().ok())) {
                (_, Some(digest)) => drop(hashes.insert(digest)),
                (Some(hash), None) => {
                    let finding = RequirementsFinding::Hash { text: hash.to_owned(), place: at(hash) };
                    self.found(file, finding);
                }
                (None, None) => {
                    let place = at(word);
                    match options::of(word) {
                        Found::Unknown(option, way_out) => {
                            let option = option.to_owned();
                            self.found(file, RequirementsFinding::UnknownOption { option, way_out, place });
                        }
                        Found::Refused(option, why, way_out) => {
                            let option = option.to_owned();
                            self.found(
                                file,
                                RequirementsFinding::RefusedOption { option, why, way_out, place },
                            );
                        }
                        Found::Known(_, option, _) | Found::Value(option, ..) => {
                            let option = option.to_owned();
                            self.found(
                                file,
                                RequirementsFinding::OptionValue {
                                    option,
                                    problem: "stands behind a requirement",
                                    example: options::example(word),
                                    place,
                                },
                            );
                        }
                    }
                    return hashes;
                }
            }
        }
        hashes
    }

    /// An address without a name before it.
    fn bare_address(
        &mut self,
        file: &SourcePath,
        body: &str,
        scheme: &str,
        rest: &str,
        place: Place,
    ) -> Option<Requirement> {
        let address = body.split('#').next().unwrap_or_default();
        if scheme.contains('+') {
            let egg = body.split_once("egg=").map(|(_, egg)| egg.split('&').next().unwrap_or_default());
            let name = egg.and_then(PackageName::new).map_or("name".to_owned(), |name| name.to_string());
            let way_out = match scheme.strip_prefix("git+") {
                Some(_) => format!("write it as in `{name} @ {address}`"),
                None => {
                    "packages come out of repositories of git only: put a wheel into the project".to_owned()
                }
            };
            self.found(file, RequirementsFinding::Repository { way_out, place });
            return None;
        }
        if !["http", "https"].contains(&scheme) {
            let finding =
                requirement::parse(Written { text: &format!("name @ {body}"), place, is_verbatim: false });
            if let Err(finding) = finding {
                self.found(file, finding);
            }
            return None;
        }
        let file_name = rest
            .split(['?', '#', ' ', ';'])
            .next()
            .unwrap_or_default()
            .rsplit('/')
            .next()
            .unwrap_or_default();
        let Ok(wheel) = file_name.replace("%2B", "+").parse::<WheelName>() else {
            let address = address.to_owned();
            self.found(file, RequirementsFinding::UnnamedAddress { address, place });
            return None;
        };
        let text = format!("{} @ {body}", wheel.distribution);
        requirement::parse(Written { text: &text, place, is_verbatim: false })
            .map_err(|finding| self.found(file, finding))
            .ok()
    }

    /// A wheel, an archive or a directory of the project.
    fn local(&mut self, file: &SourcePath, written: Placed<&str>) -> Option<Requirement> {
        let place = written.place;
        let (path, marker) = match written.value.split_once(" ;").or_else(|| written.value.split_once(';')) {
            Some((path, marker)) => (path.trim(), Some(marker)),
            None => (written.value, None),
        };
        let (path, extras) = with_extras(path);
        let (known, kind) = self.path(file, Placed::new(path, place))?;
        let file_name = known.name();
        let (name, wanted) = if kind == Kind::Directory {
            (None, Wanted::Directory { path: known, is_editable: false })
        } else if let Ok(wheel) = file_name.parse::<WheelName>() {
            (PackageName::new(&wheel.distribution), Wanted::Wheel(known))
        } else if let Some(stem) = ARCHIVES.iter().find_map(|ending| file_name.strip_suffix(ending)) {
            let name = stem.rsplit_once('-').and_then(|(name, _)| PackageName::new(name));
            (name, Wanted::Sources(known))
        } else {
            self.found(file, RequirementsFinding::LocalKind { path: path.to_owned(), place });
            return None;
        };
        // A marker is read as it would be behind any name.
        let marker = match marker.map(|marker| {
            let text = format!("name;{marker}");
            requirement::parse(Written { text: &text, place, is_verbatim: false })
        }) {
            None => None,
            Some(Ok(read)) => read.marker,
            Some(Err(finding)) => {
                self.found(file, finding);
                return None;
            }
        };
        Some(Requirement { name, extras, wanted, marker })
    }

    /// What stands at a path of the project; a finding where nothing does.
    fn path(&mut self, file: &SourcePath, written: Placed<&str>) -> Option<(SourcePath, Kind)> {
        let path = match file.directory().join(written.value) {
            Ok(path) => path,
            Err(problem) => {
                self.outside(file, written, problem);
                return None;
            }
        };
        match self.source.kind(&path) {
            Ok(Some(kind)) => Some((path, kind)),
            Ok(None) => {
                let (path, place) = (written.value.to_owned(), written.place);
                let problem = "there is none".to_owned();
                let way_out = "put it there, or name one that is there, by its path from this file on";
                self.found(file, RequirementsFinding::NoSuchFile { path, problem, way_out, place });
                None
            }
            Err(unread) => {
                self.questions.extend(unread.into_questions());
                None
            }
        }
    }

    fn outside(&mut self, file: &SourcePath, written: Placed<&str>, problem: NotInProject) {
        let (path, place) = (written.value.to_owned(), written.place);
        let way_out = "move it into the project, and name it by its path from this file on";
        let problem = problem.to_string();
        self.found(file, RequirementsFinding::NoSuchFile { path, problem, way_out, place });
    }

    fn state(
        &mut self,
        file: &SourcePath,
        role: Role,
        requirement: Requirement,
        place: Place,
        hashes: BTreeSet<Digest>,
    ) {
        let too_much = match &requirement {
            Requirement { wanted: Wanted::Versions(_), extras, .. } if extras.is_empty() => None,
            Requirement { wanted: Wanted::Versions(_), .. } => Some("has extras"),
            Requirement { .. } => Some("says where a package comes from"),
        };
        let stated = Stated { requirement, file: file.clone(), place, hashes };
        match (role, too_much) {
            (Role::Requirements, _) => self.requirements.required.push(stated),
            (Role::Constraints, None) => self.requirements.constraints.push(stated),
            (Role::Constraints, Some(what)) => {
                self.found(file, RequirementsFinding::Constraint { what, place });
            }
        }
    }
}

/// `${NAME}`, which pip would fill in.
fn variable(text: &str) -> Option<&str> {
    let from = text.find("${")?;
    let rest = text.get(from..)?;
    let end = rest.find('}')?;
    rest.get(..=end)
}

/// Whether the host of an address has a user before it. That of a repository over ssh has one that
/// says nothing.
fn has_user(address: &str) -> bool {
    let Some((before, rest)) = address.split_once("://") else { return false };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    host.contains('@') && !before.ends_with("git+ssh")
}

fn is_local(text: &str) -> bool {
    let path = text.split([';', '[']).next().unwrap_or_default().trim();
    let has_ending = ARCHIVES.iter().chain(&[".whl"]).any(|ending| path.ends_with(ending));
    path == "."
        || path == ".."
        || path.starts_with("./")
        || path.starts_with("../")
        || path.starts_with('/')
        || (has_ending && !text.contains(['@', '=', '<', '>']))
        || (path.contains('/') && !text.contains(['@', '=', '<', '>']))
}

/// A path, and the extras behind it.
fn with_extras(text: &str) -> (&str, BTreeSet<String>) {
    let Some((path, extras)) = text.strip_suffix(']').and_then(|text| text.rsplit_once('[')) else {
        return (text, BTreeSet::new());
    };
    let names = extras.split(',').filter_map(|extra| PackageName::new(extra.trim()));
    (path, names.map(|name| name.as_str().to_owned()).collect())
}
