//! `/etc/ssl/certs`, as `update-ca-certificates` leaves it: every certificate under its name and
//! under the hash of its subject, and all of them in one file; those of the packages, and behind them
//! those that the system is told to trust beside.

use std::collections::BTreeMap;
use std::io;

use cogpack_content::Certificate;
use cogpack_ir::plan::context::LocalCertificate;

use crate::root::{Bytes, Root, shown};

const AUTHORITIES: &str = "usr/share/ca-certificates/";
const LOCAL: &str = "usr/local/share/ca-certificates";

/// Makes the directory out of the certificates of the root and `local` ones; nothing where there are
/// none.
pub fn make(
    root: &mut Root,
    bytes: &dyn Bytes,
    local: &BTreeMap<String, LocalCertificate>,
) -> io::Result<()> {
    let names: Vec<String> = root
        .placed
        .keys()
        .filter(|path| path.starts_with(AUTHORITIES.as_bytes()) && path.ends_with(b".crt"))
        .map(|path| shown(&path[AUTHORITIES.len()..]))
        .collect();
    if names.is_empty() && local.is_empty() {
        return Ok(());
    }
    root.directory(LOCAL);
    let list = "etc/ca-certificates.conf";
    let mut chosen = root.read(list.as_bytes(), bytes)?.unwrap_or_default();
    let mut all = Vec::new();
    let mut hashed: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let of_packages = names.iter().map(|name| (name, format!("{AUTHORITIES}{name}"), None));
    let of_system = local.iter().map(|(name, one)| (name, format!("{LOCAL}/{name}"), Some(one)));
    for (name, path, local) in of_packages.chain(of_system) {
        let text = match local {
            Some(certificate) => {
                root.make(&path, certificate.text.clone());
                certificate.text.clone().into_bytes()
            }
            None => {
                chosen.extend(format!("{name}\n").as_bytes());
                root.read(path.as_bytes(), bytes)?.unwrap_or_default()
            }
        };
        let file = file_name(name);
        root.symlink(&format!("etc/ssl/certs/{file}"), &format!("/{path}"));
        if let Ok([certificate, ..]) = Certificate::all_of(&String::from_utf8_lossy(&text)).as_deref() {
            hashed.entry(certificate.subject_hash().to_owned()).or_default().push(file);
        }
        all.extend(&text);
        if !text.ends_with(b"\n") {
            all.push(b'\n');
        }
    }
    for (hash, files) in hashed {
        for (number, file) in files.iter().enumerate() {
            root.symlink(&format!("etc/ssl/certs/{hash}.{number}"), file);
        }
    }
    root.make(list, chosen);
    root.make("etc/ssl/certs/ca-certificates.crt", all);
    Ok(())
}

/// `mozilla/A (B).crt` as `A_=B=.pem`.
fn file_name(name: &str) -> String {
    let base = name.rsplit('/').next().unwrap_or(name);
    let base = base.strip_suffix(".crt").unwrap_or(base);
    let plain = |letter: char| match letter {
        ' ' | ',' => '_',
        '(' | ')' => '=',
        other => other,
    };
    format!("{}.pem", base.chars().map(plain).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_file_names() {
        assert_eq!(file_name("mozilla/Autoridad, (CIF A6) x.crt"), "Autoridad__=CIF_A6=_x.pem");
    }
}
