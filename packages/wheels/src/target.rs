//! What wheels are installed for, and whether one fits.
//!
//! A plan says the Python and the platform, but not which C library its images have. So a wheel
//! for any release of glibc or musl fits here; a set that mixes the two does not
//! ([`CLibrary`]).

use std::fmt;
use std::str::FromStr;

use cogpack_content::Platform;

use crate::file_name::Tags;

/// A release of CPython, `3.12`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PythonVersion {
    /// 3
    pub major: u32,
    /// 12
    pub minor: u32,
}

/// A text that is no release of Python.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a release of Python that wheels can be installed for: it must read `3.MINOR`")]
pub struct InvalidPython {
    /// The refused text.
    pub text: String,
}

impl FromStr for PythonVersion {
    type Err = InvalidPython;

    fn from_str(text: &str) -> Result<Self, InvalidPython> {
        let number = |part: &str| {
            let is_plain = part == "0" || !part.starts_with(['0', '+']);
            part.parse().ok().filter(|_| is_plain)
        };
        let parts = text.split_once('.').and_then(|(major, minor)| Some((number(major)?, number(minor)?)));
        match parts {
            Some((major @ 3, minor)) => Ok(Self { major, minor }),
            Some(_) | None => Err(InvalidPython { text: text.to_owned() }),
        }
    }
}

impl fmt::Display for PythonVersion {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}.{}", self.major, self.minor)
    }
}

/// A Python on a platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The release of CPython.
    pub python: PythonVersion,
    /// The platform of the image.
    pub platform: Platform,
}

/// The C library that a wheel's binaries are linked with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CLibrary {
    /// glibc, from this release on.
    Gnu(u32, u32),
    /// musl, from this release on.
    Musl(u32, u32),
}

/// How well a wheel fits; of two wheels that do, the lesser one is the closer fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fit {
    interpreter: (u32, u32),
    /// What its binaries need; nothing where it has none, or where its tag does not say.
    pub library: Option<CLibrary>,
    is_for_any_platform: bool,
}

/// Why a wheel does not fit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    /// It is for other Pythons.
    #[error("it is for the Python `{}`, not for CPython {python}", wanted.join("."))]
    Python {
        /// What its name says.
        wanted: Vec<String>,
        /// What is asked for.
        python: PythonVersion,
    },
    /// It is for other binary interfaces of that Python.
    #[error("it is for the binary interface `{}`, which CPython {python} does not have", wanted.join("."))]
    Abi {
        /// What its name says.
        wanted: Vec<String>,
        /// What is asked for.
        python: PythonVersion,
    },
    /// It is for other platforms.
    #[error("it is for the platform `{}`, not for {platform}", wanted.join("."))]
    Platform {
        /// What its name says.
        wanted: Vec<String>,
        /// What is asked for.
        platform: Platform,
    },
}

impl Target {
    /// How well a wheel with these tags fits, or why it does not.
    pub fn fit(&self, tags: &Tags) -> Result<Fit, Misfit> {
        let platforms: Vec<Option<CLibrary>> =
            tags.platform.iter().filter_map(|tag| self.platform(tag)).collect();
        let is_for_any_platform = tags.platform.iter().any(|tag| tag == "any");
        let mut best: Option<(u32, u32)> = None;
        for python in &tags.python {
            for abi in &tags.abi {
                let closeness = self.interpreter(python, abi);
                best = match (best, closeness) {
                    (Some(one), Some(other)) => Some(one.min(other)),
                    (one, other) => one.or(other),
                };
            }
        }
        let Some(interpreter) = best else {
            let knows = |tag: &String| ["none", "abi3", &*self.cpython()].iter().any(|known| tag == known);
            let python = self.python;
            return Err(if tags.abi.iter().any(knows) {
                Misfit::Python { wanted: tags.python.clone(), python }
            } else {
                Misfit::Abi { wanted: tags.abi.clone(), python }
            });
        };
        if platforms.is_empty() && !is_for_any_platform {
            return Err(Misfit::Platform { wanted: tags.platform.clone(), platform: self.platform.clone() });
        }
        // Of several releases of a library, the oldest is what it can do with.
        let library = platforms.into_iter().min().flatten();
        Ok(Fit { interpreter, library, is_for_any_platform })
    }

    fn cpython(&self) -> String {
        format!("cp{}{}", self.python.major, self.python.minor)
    }

    /// How close a pair of tags is, closest first; nothing where it does not fit.
    fn interpreter(&self, python: &str, abi: &str) -> Option<(u32, u32)> {
        let PythonVersion { major, minor } = self.python;
        let (implementation, release) = python.split_at_checked(2)?;
        let release = release.strip_prefix(&major.to_string())?;
        let wanted: Option<u32> = match release {
            "" => None,
            release => Some(release.parse().ok()?),
        };
        let older = wanted.map(|wanted| minor.checked_sub(wanted));
        match (implementation, abi, older) {
            ("cp", abi, Some(Some(0))) if abi == self.cpython() => Some((0, 0)),
            // There is a stable interface since Python 3.2.
            ("cp", "abi3", Some(Some(older))) if minor - older >= 2 => Some((1, older)),
            ("cp", "none", Some(Some(0))) => Some((2, 0)),
            ("py", "none", Some(Some(older))) => Some((3, older)),
            ("py", "none", None) => Some((3, 0)),
            _ => None,
        }
    }

    /// Whether a tag fits, and what library it names.
    fn platform(&self, tag: &str) -> Option<Option<CLibrary>> {
        if self.platform.os() != "linux" {
            return None;
        }
        let machine = machine(&self.platform)?;
        let rest = tag.strip_suffix(machine)?.strip_suffix('_')?;
        Some(match rest {
            "linux" => None,
            // The three old names, by what PEP 600 says they stand for.
            "manylinux1" => Some(CLibrary::Gnu(2, 5)),
            "manylinux2010" => Some(CLibrary::Gnu(2, 12)),
            "manylinux2014" => Some(CLibrary::Gnu(2, 17)),
            other => {
                let (library, release) = other.split_once('_')?;
                let (major, minor) = release.split_once('_')?;
                let (major, minor) = (major.parse().ok()?, minor.parse().ok()?);
                match library {
                    "manylinux" => Some(CLibrary::Gnu(major, minor)),
                    "musllinux" => Some(CLibrary::Musl(major, minor)),
                    _ => return None,
                }
            }
        })
    }
}

/// What `uname -m` says there, which is what platform tags are made of.
pub fn machine(platform: &Platform) -> Option<&'static str> {
    Some(match (platform.architecture(), platform.variant()) {
        ("amd64", _) => "x86_64",
        ("386", _) => "i686",
        ("arm64", _) => "aarch64",
        ("arm", Some("v6")) => "armv6l",
        ("arm", _) => "armv7l",
        ("ppc64le", _) => "ppc64le",
        ("s390x", _) => "s390x",
        ("riscv64", _) => "riscv64",
        ("loong64", _) => "loongarch64",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_name::WheelName;

    fn fit(tags: &str, platform: &str) -> Result<Fit, Misfit> {
        let python = "3.11".parse().expect("is a release");
        let platform = platform.parse().expect("is a platform");
        let name: WheelName = format!("a-1-{tags}.whl").parse().expect("is the name of a wheel");
        Target { python, platform }.fit(&name.tags)
    }

    #[test]
    fn what_fits_is_told_from_what_does_not() {
        for tags in [
            "py3-none-any",
            "py2.py3-none-any",
            "py311-none-any",
            "py38-none-any",
            "cp311-none-any",
            "cp311-cp311-linux_x86_64",
            "cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64",
            "cp37-abi3-manylinux1_x86_64",
            "cp39.cp310.cp311-cp311.none-musllinux_1_2_x86_64",
            "py3-none-manylinux_2_34_x86_64",
        ] {
            assert!(fit(tags, "linux/amd64").is_ok(), "{tags}");
        }
        for (tags, why) in [
            ("py2-none-any", "it is for the Python `py2`, not for CPython 3.11"),
            ("py312-none-any", "it is for the Python `py312`, not for CPython 3.11"),
            ("cp310-none-any", "it is for the Python `cp310`, not for CPython 3.11"),
            ("cp312-abi3-linux_x86_64", "it is for the Python `cp312`, not for CPython 3.11"),
            ("pp311-none-any", "it is for the Python `pp311`, not for CPython 3.11"),
            (
                "cp311-cp311t-linux_x86_64",
                "it is for the binary interface `cp311t`, which CPython 3.11 does not have",
            ),
            ("cp311-cp311-win_amd64", "it is for the platform `win_amd64`, not for linux/amd64"),
            ("cp311-cp311-linux_aarch64", "it is for the platform `linux_aarch64`, not for linux/amd64"),
            (
                "py3-none-macosx_11_0_x86_64",
                "it is for the platform `macosx_11_0_x86_64`, not for linux/amd64",
            ),
        ] {
            assert_eq!(fit(tags, "linux/amd64").map_err(|misfit| misfit.to_string()), Err(why.to_owned()));
        }
        assert!(fit("py3-none-manylinux2014_aarch64", "linux/arm64").is_ok());
        assert!(fit("py3-none-linux_x86_64", "plan9/amd64").is_err());
    }

    #[test]
    fn the_closest_fit_comes_first() {
        let closest_first = [
            "cp311-cp311-manylinux_2_17_x86_64",
            "cp311-cp311-manylinux_2_28_x86_64",
            "cp311-abi3-manylinux_2_17_x86_64",
            "cp38-abi3-manylinux_2_17_x86_64",
            "cp311-none-manylinux_2_17_x86_64",
            "py3-none-manylinux_2_17_x86_64",
        ];
        let fits: Vec<Fit> =
            closest_first.iter().map(|tags| fit(tags, "linux/amd64").expect("fits")).collect();
        assert!(fits.is_sorted(), "{fits:?}");
    }

    #[test]
    fn releases_of_python_are_read() {
        assert_eq!("3.12".parse(), Ok(PythonVersion { major: 3, minor: 12 }));
        for text in ["3", "2.7", "3.12.1", "3.x", "3.", "03.1", "3.+1", "3.01"] {
            assert!(text.parse::<PythonVersion>().is_err(), "{text}");
        }
    }
}
