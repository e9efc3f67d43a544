//! From where an image is to go to what a BuildKit is told: which exporter, with which settings,
//! and what is received here.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use cogpack_content::ImageReference;
use cogpack_io_buildkit::address::Endpoint;
use cogpack_io_buildkit::solve::Exporter;

use crate::failure::BuildError;
use crate::order::{Destination, FileForm, Settings};
use crate::progress::Warning;

/// One exporter, and what becomes of what it sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    /// What the daemon is told.
    pub exporter: Exporter,
    /// What is received here.
    pub receive: Option<Receive>,
    /// The engine that pushes what the exporter has put there.
    pub pushed_by: Option<Endpoint>,
    /// Where the image then is, in words.
    pub place: String,
}

/// What is done with what an exporter sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Receive {
    /// It is one file; `None` is standard output.
    File(Option<PathBuf>),
    /// It is an archive of an image; `None` is standard output.
    Image(Option<PathBuf>),
    /// It is a tar of an image layout, which is unpacked.
    Layout(PathBuf),
    /// It is a tree of files.
    Directory(PathBuf),
    /// It is loaded into an engine.
    Load(Endpoint),
}

/// What is said about an image whatever becomes of it.
#[derive(Debug, Clone, Copy)]
pub struct Image<'a> {
    /// What it is called.
    pub names: &'a [ImageReference],
    /// Annotations of its manifest.
    pub annotations: &'a BTreeMap<String, String>,
    /// What everything is dated.
    pub time: u64,
    /// Whether files are dated so too where that is not free: see [`Order::is_time_given`].
    ///
    /// [`Order::is_time_given`]: crate::order::Order::is_time_given
    pub is_time_given: bool,
    /// For how many platforms it is.
    pub platforms: usize,
}

/// A daemon, as far as exporting goes.
#[derive(Debug, Clone, Copy)]
pub struct Daemon<'a> {
    /// The exporters it has.
    pub exporters: &'a BTreeSet<String>,
    /// Where it is.
    pub address: &'a str,
    /// The engine that it is part of, where it is reached by way of that.
    pub part_of: Option<&'a Endpoint>,
    /// The engine that images are for, where it is not by way of it that this daemon is reached.
    pub engine: Option<&'a Endpoint>,
}

impl<'a> Daemon<'a> {
    fn has(self, kind: &str) -> bool {
        self.exporters.contains(kind)
    }

    /// The engine that images are loaded into. A daemon that is named by itself and puts images into
    /// an engine nevertheless may be of another one; it is used where it cannot do otherwise.
    fn loads_into(self) -> Option<&'a Endpoint> {
        self.engine.filter(|_| self.has("docker") || !self.has("moby"))
    }
}

/// The exporters for `destinations`.
pub fn exports(
    destinations: &[Destination],
    image: Image<'_>,
    daemon: Daemon<'_>,
) -> Result<Vec<Export>, BuildError> {
    // The exporter of an engine with containerd's store keeps what it pushes.
    let pushes = |to: &Destination| matches!(to, Destination::Image { push: true, .. });
    let keeps_pushed = daemon.has("moby") && daemon.loads_into().is_none() && destinations.iter().any(pushes);
    let is_kept_anyway = |to: &&Destination| keeps_pushed && matches!(to, Destination::Engine { .. });
    let exports = destinations.iter().filter(|to| !is_kept_anyway(to)).map(|to| export(to, image, daemon));
    let exports = exports.collect::<Result<Vec<_>, _>>()?;
    if exports.iter().filter(|export| export.receive.is_some()).count() > 1 {
        return Err(unable(
            "one build can send only one file or directory here",
            "build once for each `--output`: all but the first find everything in the cache",
        ));
    }
    Ok(exports)
}

/// What is to be said of annotations that do not arrive. Engines with a store of their own keep an
/// image's config and layers, and no manifest that could have some: those that put it there
/// themselves, and one that it is loaded into, unless that `keeps_manifests`.
pub fn lost_annotations(exports: &[Export], image: Image<'_>, keeps_manifests: bool) -> Option<Warning> {
    let is_loaded = |export: &Export| matches!(export.receive, Some(Receive::Load(_)));
    let loses = |export: &&Export| export.exporter.kind == "moby" || (is_loaded(export) && !keeps_manifests);
    let losing = exports.iter().find(loses)?;
    if image.annotations.is_empty() {
        return None;
    }
    Some(Warning {
        message: format!("{} keeps images without a manifest: the plan's annotations are not in it", losing.place),
        details: vec![
            "an engine with the containerd image store keeps them, and so does what a newer daemon pushes or writes"
                .to_owned(),
        ],
        step: None,
    })
}

fn export(to: &Destination, image: Image<'_>, daemon: Daemon<'_>) -> Result<Export, BuildError> {
    let has = |kind: &str| daemon.has(kind);
    let mut pushed_by = None;
    let (kind, settings, receive, place) = match to {
        Destination::Engine { settings } if has("moby") && daemon.loads_into().is_none() => {
            // Where the engine keeps images in containerd's store, the store's own exporter does
            // the same, and also what the engine's own refuses: to date files anew.
            let kind = if has("image") { "image" } else { "moby" };
            (kind, settings.clone(), None, format!("the engine at {}", daemon.address))
        }
        Destination::Engine { settings } => match daemon.loads_into() {
            Some(engine) => {
                let place = format!("the engine at {engine}");
                ("docker", settings.clone(), Some(Receive::Load(engine.clone())), place)
            }
            None => {
                return Err(unable(
                    format!("the daemon at {} is part of no engine, and no other is known", daemon.address),
                    "`--output type=docker,dest=FILE` writes what `docker load` reads; `--push` pushes",
                ));
            }
        },
        Destination::Image { push, settings } => {
            let kind = if has("image") { "image" } else { "moby" };
            let mut settings = settings.clone();
            let place = match push {
                true => "the registry".to_owned(),
                false => format!("the daemon at {}", daemon.address),
            };
            match (push, kind, daemon.part_of) {
                (true, "moby", Some(engine)) => pushed_by = Some(engine.clone()),
                (true, "moby", None) => {
                    return Err(unable(
                        format!(
                            "the BuildKit at {} is inside an engine, and cannot push by itself",
                            daemon.address
                        ),
                        "name the engine with `DOCKER_HOST` in the place of its BuildKit: then the engine pushes",
                    ));
                }
                (true, _, _) => {
                    settings.insert("push".to_owned(), "true".to_owned());
                }
                (false, _, _) => {}
            }
            (kind, settings, None, place)
        }
        Destination::File { form, path, settings } => {
            let (kind, receive) = match form {
                FileForm::Docker => ("docker", Receive::Image(path.clone())),
                FileForm::Oci => ("oci", Receive::Image(path.clone())),
                FileForm::Files => ("tar", Receive::File(path.clone())),
            };
            let place = path.as_ref().map_or("standard output".to_owned(), |path| path.display().to_string());
            (kind, settings.clone(), Some(receive), place)
        }
        Destination::Layout { path, settings } => {
            ("oci", settings.clone(), Some(Receive::Layout(path.clone())), path.display().to_string())
        }
        Destination::Directory { path, settings } => {
            ("local", settings.clone(), Some(Receive::Directory(path.clone())), path.display().to_string())
        }
    };
    if !has(kind) {
        let known: Vec<&str> = daemon.exporters.iter().map(String::as_str).collect();
        return Err(unable(
            format!("the daemon at {} has no exporter `{kind}`, only {}", daemon.address, known.join(", ")),
            "use one that it has, or a newer daemon",
        ));
    }
    if image.platforms > 1 && !takes_several_platforms(kind, daemon.exporters) {
        return Err(unable(
            format!("the exporter `{kind}` of the daemon at {} takes one platform only", daemon.address),
            "`type=oci` and `--push` take several where the daemon has them, and so does an engine with the \
             containerd image store; `--platform` picks one",
        ));
    }
    // An engine of this daemon, or one that it is loaded into, keeps what is made; all else goes away.
    let stays = match to {
        Destination::Engine { .. } => true,
        Destination::Image { push, .. } => !push,
        Destination::File { .. } | Destination::Layout { .. } | Destination::Directory { .. } => false,
    };
    let is_dated = image.is_time_given || !stays;
    let exporter = exporter(kind, settings, image, is_dated);
    Ok(Export { exporter, receive, pushed_by, place })
}

/// The image store of a Docker Engine takes several platforms where it is containerd's, and then
/// the engine has the exporter that belongs to it too.
fn takes_several_platforms(kind: &str, exporters: &BTreeSet<String>) -> bool {
    match kind {
        "docker" => false,
        "moby" => exporters.contains("image"),
        _ => true,
    }
}

fn exporter(kind: &str, mut settings: Settings, image: Image<'_>, is_dated: bool) -> Exporter {
    let is_an_image = !matches!(kind, "local" | "tar");
    let mut say = |key: &str, value: String| {
        // What the user says of an exporter stands.
        settings.entry(key.to_owned()).or_insert(value);
    };
    if is_an_image && !image.names.is_empty() {
        let names: Vec<String> = image.names.iter().map(|name| name.normalised(None)).collect();
        say("name", names.join(","));
    }
    if is_an_image {
        for (key, value) in image.annotations {
            say(&format!("annotation.{key}"), value.clone());
        }
    }
    say("source-date-epoch", image.time.to_string());
    if is_an_image {
        if is_dated {
            say("rewrite-timestamp", "true".to_owned());
        }
        if kind == "image" {
            // Daemons that have not learnt to do both refuse to unpack what they date. And while an engine
            // clears away an image that was removed, its BuildKit may find what is below a layer gone, and
            // fail. An engine unpacks an image that is not when it is first used.
            say("unpack", "false".to_owned());
            // An image without a name is kept by an engine under this one, and else not at all.
            say("dangling-name-prefix", "moby-dangling".to_owned());
        }
    }
    Exporter { kind: kind.to_owned(), attributes: settings }
}

fn unable(what: impl Into<String>, help: impl Into<String>) -> BuildError {
    BuildError::Unable { what: what.into(), help: help.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &[&str] = &["local", "moby", "tar"];
    const NEW: &[&str] = &["docker", "image", "local", "moby", "oci"];
    const ALONE: &[&str] = &["docker", "image", "local", "oci", "tar"];

    fn told(to: &Destination, has: &[&str], platforms: usize) -> Result<String, String> {
        let exporters = has.iter().map(|kind| (*kind).to_owned()).collect();
        let names = ["app".parse().expect("is a name"), "host:5000/app:2".parse().expect("is a name")];
        let annotations = BTreeMap::from([("a".to_owned(), "b".to_owned())]);
        let image =
            Image { names: &names, annotations: &annotations, time: 7, is_time_given: false, platforms };
        let daemon = Daemon { exporters: &exporters, address: "unix:///x", part_of: None, engine: None };
        let export = exports(std::slice::from_ref(to), image, daemon).map_err(|error| error.to_string())?;
        let Exporter { kind, attributes } = &export[0].exporter;
        let attributes: Vec<String> =
            attributes.iter().map(|(key, value)| format!("{key}={value}")).collect();
        Ok(format!("{kind} {}", attributes.join(" ")))
    }

    fn engine() -> Destination {
        Destination::Engine { settings: Settings::new() }
    }

    #[test]
    fn each_destination_has_its_exporter() {
        let image = "annotation.a=b name=docker.io/library/app:latest,host:5000/app:2";
        let dated = "rewrite-timestamp=true source-date-epoch=7";
        assert_eq!(told(&engine(), OLD, 1), Ok(format!("moby {image} source-date-epoch=7")));
        let kept = "annotation.a=b dangling-name-prefix=moby-dangling \
                    name=docker.io/library/app:latest,host:5000/app:2";
        assert_eq!(told(&engine(), NEW, 2), Ok(format!("image {kept} source-date-epoch=7 unpack=false")));
        let push = Destination::Image { push: true, settings: Settings::new() };
        let pushed = format!("image {kept} push=true {dated} unpack=false");
        assert_eq!(told(&push, NEW, 2), Ok(pushed));
        let settings = Settings::from([("compression".to_owned(), "zstd".to_owned())]);
        let oci = Destination::File { form: FileForm::Oci, path: None, settings };
        let expected =
            "oci annotation.a=b compression=zstd name=docker.io/library/app:latest,host:5000/app:2";
        assert_eq!(told(&oci, ALONE, 1), Ok(format!("{expected} {dated}")));
        let files = Destination::Directory { path: PathBuf::from("/out"), settings: Settings::new() };
        assert_eq!(told(&files, OLD, 1), Ok("local source-date-epoch=7".to_owned()));
    }

    #[test]
    fn what_stays_with_an_engine_is_dated_where_a_time_is_given() {
        let exporters = NEW.iter().map(|kind| (*kind).to_owned()).collect();
        let dated = |is_time_given, rewrite: Option<&str>| {
            let image =
                Image { names: &[], annotations: &BTreeMap::new(), time: 0, is_time_given, platforms: 1 };
            let daemon = Daemon { exporters: &exporters, address: "unix:///x", part_of: None, engine: None };
            let said = rewrite.map(|said| ("rewrite-timestamp".to_owned(), said.to_owned()));
            let settings = said.into_iter().collect();
            let export =
                exports(&[Destination::Engine { settings }], image, daemon).expect("it can").remove(0);
            export.exporter.attributes.get("rewrite-timestamp").cloned()
        };
        assert_eq!(dated(true, None).as_deref(), Some("true"));
        assert_eq!(dated(false, None), None);
        // What the command line says of an exporter stands.
        assert_eq!(dated(false, Some("true")).as_deref(), Some("true"));
        assert_eq!(dated(true, Some("false")).as_deref(), Some("false"));
    }

    #[test]
    fn an_engine_that_keeps_what_it_pushes_is_asked_once() {
        let exporters = NEW.iter().map(|kind| (*kind).to_owned()).collect();
        let (names, annotations) = (["app".parse().expect("is a name")], BTreeMap::new());
        let image =
            Image { names: &names, annotations: &annotations, time: 0, is_time_given: true, platforms: 1 };
        let daemon = Daemon { exporters: &exporters, address: "unix:///x", part_of: None, engine: None };
        let both = [engine(), Destination::Image { push: true, settings: Settings::new() }];
        let exports = exports(&both, image, daemon).expect("it can do both");
        let kinds: Vec<&str> = exports.iter().map(|export| export.exporter.kind.as_str()).collect();
        assert_eq!(kinds, ["image"]);
    }

    #[test]
    fn a_daemon_that_is_not_reached_by_an_engine_sends_what_is_loaded_into_one() {
        let (address, to) = (Endpoint::Unix(PathBuf::from("/engine")), engine());
        let kinds = |destinations: &[Destination], has: &[&str]| {
            let exporters = has.iter().map(|kind| (*kind).to_owned()).collect();
            let image = Image {
                names: &[],
                annotations: &BTreeMap::new(),
                time: 0,
                is_time_given: true,
                platforms: 1,
            };
            let daemon =
                Daemon { exporters: &exporters, address: "tcp://x", part_of: None, engine: Some(&address) };
            let exports = exports(destinations, image, daemon).expect("it can");
            let told = exports.into_iter().map(|export| {
                let loaded = export.receive == Some(Receive::Load(address.clone()));
                (export.exporter.kind, loaded)
            });
            told.collect::<Vec<_>>()
        };
        let one = std::slice::from_ref(&to);
        assert_eq!(kinds(one, ALONE), [("docker".to_owned(), true)]);
        assert_eq!(kinds(one, NEW), [("docker".to_owned(), true)]);
        assert_eq!(kinds(one, OLD), [("moby".to_owned(), false)]);
        let both = [to.clone(), Destination::Image { push: true, settings: Settings::new() }];
        assert_eq!(kinds(&both, NEW), [("docker".to_owned(), true), ("image".to_owned(), false)]);
    }

    #[test]
    fn an_engine_pushes_what_its_own_buildkit_cannot() {
        let engine = Endpoint::Unix(PathBuf::from("/engine"));
        let push = [Destination::Image { push: true, settings: Settings::new() }];
        let image =
            Image { names: &[], annotations: &BTreeMap::new(), time: 0, is_time_given: true, platforms: 1 };
        let exported = |has: &[&str]| {
            let exporters = has.iter().map(|kind| (*kind).to_owned()).collect();
            let daemon = Daemon {
                exporters: &exporters,
                address: "unix:///engine",
                part_of: Some(&engine),
                engine: None,
            };
            let export = exports(&push, image, daemon).expect("it can").remove(0);
            (export.exporter.kind, export.exporter.attributes.contains_key("push"), export.pushed_by)
        };
        assert_eq!(exported(OLD), ("moby".to_owned(), false, Some(engine.clone())));
        assert_eq!(exported(NEW), ("image".to_owned(), true, None));
    }

    #[test]
    fn what_a_daemon_cannot_do_is_said_before_it_is_asked() {
        let said = |to: &Destination, has, platforms| told(to, has, platforms).expect_err("is refused");
        assert!(said(&engine(), ALONE, 1).contains("part of no engine"));
        assert!(said(&engine(), OLD, 2).contains("one platform only"));
        let push = Destination::Image { push: true, settings: Settings::new() };
        assert!(said(&push, OLD, 1).contains("cannot push by itself"));
        let docker = Destination::File { form: FileForm::Docker, path: None, settings: Settings::new() };
        assert!(said(&docker, OLD, 1).contains("no exporter `docker`, only local, moby, tar"));
        assert!(said(&docker, NEW, 2).contains("one platform only"));
    }
}
