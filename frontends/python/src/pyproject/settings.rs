//! What cogpackc itself is told: `[tool.cogpack]`.

use std::fmt;

use cogpack_content::ImageReference;
use cogpack_frontends_source::Placed;
use cogpack_ir::suggest::{did_you_mean, nearest};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::PyprojectFinding;
use super::tables::Reading;
use crate::python_version::PythonRelease;

/// `[tool.cogpack]`. What it does not say is not there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// `base`: what the image stands on.
    pub base: Option<Placed<Base>>,
    /// `python`: which Python the image has.
    pub python: Option<Placed<PythonRelease>>,
    /// `layers`: how frameworks come into a layer of their own.
    pub layers: Option<Placed<Layers>>,
    /// `user`: who runs the program.
    pub user: Option<Placed<String>>,
    /// `precompile`: whether byte code is made.
    pub precompile: Option<Placed<bool>>,
    /// `strip`: whether symbols of libraries are taken away.
    pub strip: Option<Placed<bool>>,
    /// `target`: what answers, `FILE.py:NAME`.
    pub target: Option<Placed<String>>,
}

/// What an image stands on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Base {
    /// The image of the catalogue that fits.
    Catalogue,
    /// Packages of Debian alone.
    Debian,
    /// This image.
    Image(ImageReference),
}

/// How frameworks come into a layer of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layers {
    /// Their wheels are unpacked.
    Wheels,
    /// A program installs them.
    Run,
}

impl fmt::Display for Base {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Catalogue => out.write_str("catalogue"),
            Self::Debian => out.write_str("debian"),
            Self::Image(reference) => reference.fmt(out),
        }
    }
}

impl fmt::Display for Layers {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Wheels => "wheels",
            Self::Run => "run",
        })
    }
}

const KEYS: &[&str] = &["base", "layers", "precompile", "python", "strip", "target", "user"];

pub(super) fn read(reading: &mut Reading<'_>, table: &DeTable<'_>) -> Settings {
    let mut settings = Settings::default();
    for (name, value) in table {
        let name_of = name.get_ref().as_ref();
        let key = format!("tool.cogpack.{name_of}");
        match name_of {
            "precompile" => settings.precompile = reading.truth(&key, value),
            "strip" => settings.strip = reading.truth(&key, value),
            "base" => {
                settings.base = setting(reading, &key, value, base);
            }
            "python" => {
                let release =
                    |text: &str| text.parse().map_err(|_| "a version is written as in `3.12` or `3.12.4`");
                settings.python = setting(reading, &key, value, release);
            }
            "layers" => {
                settings.layers = setting(reading, &key, value, |text| match text {
                    "wheels" => Ok(Layers::Wheels),
                    "run" => Ok(Layers::Run),
                    _ => Err("it is `wheels` or `run`"),
                });
            }
            "user" => {
                settings.user = setting(reading, &key, value, user);
            }
            "target" => {
                settings.target = setting(reading, &key, value, |text| match text.split_once(".py:") {
                    Some((file, name)) if !file.is_empty() && !name.is_empty() && !name.contains(".py:") => {
                        Ok(text.to_owned())
                    }
                    Some(_) | None => Err("it has the form `FILE.py:NAME`, as in `run.py:Runner`"),
                });
            }
            other => {
                let listed = KEYS.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ");
                let otherwise = format!("take it away; the settings are {listed}");
                let way_out = did_you_mean(nearest(other, KEYS.iter().copied()), &otherwise);
                let (key, place) = (other.to_owned(), reading.place(name.span()));
                reading.found(PyprojectFinding::UnknownSetting { key, way_out, place });
            }
        }
    }
    settings
}

fn setting<T>(
    reading: &mut Reading<'_>,
    key: &str,
    value: &Spanned<DeValue<'_>>,
    check: impl FnOnce(&str) -> Result<T, &'static str>,
) -> Option<Placed<T>> {
    let text = reading.text(key, value)?;
    match check(&text.value) {
        Ok(value) => Some(Placed::new(value, text.place)),
        Err(way_out) => {
            let (key, place) = (key.to_owned(), text.place);
            reading.found(PyprojectFinding::Setting { key, text: text.value, way_out, place });
            None
        }
    }
}

fn base(text: &str) -> Result<Base, &'static str> {
    match text {
        "catalogue" => Ok(Base::Catalogue),
        "debian" => Ok(Base::Debian),
        other => {
            let reference =
                other.parse().map_err(|_| "it is `catalogue`, `debian`, or the name of an image")?;
            Ok(Base::Image(reference))
        }
    }
}

/// A name or a number, with a group where one is written behind `:`.
fn user(text: &str) -> Result<String, &'static str> {
    let is_name = |part: &str| {
        let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
        !part.is_empty() && part.bytes().all(is_letter) && !part.starts_with('-')
    };
    let parts: Vec<&str> = text.split(':').collect();
    match parts.len() <= 2 && parts.iter().all(|part| is_name(part)) {
        true => Ok(text.to_owned()),
        false => Err("it is a name or a number, as in `app` or `1000:1000`"),
    }
}
