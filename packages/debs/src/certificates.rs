//! `/etc/ssl/certs`, as `update-ca-certificates` leaves it: every certificate under its name and
//! under the hash of its subject, and all of them in one file.

use std::collections::BTreeMap;
use std::io;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest as _, Sha1};

use crate::der;
use crate::root::{Bytes, Root, shown};

const AUTHORITIES: &str = "usr/share/ca-certificates/";

/// Makes the directory out of the certificates of the root; nothing where there are none.
pub fn make(root: &mut Root, bytes: &dyn Bytes) -> io::Result<()> {
    let names: Vec<String> = root
        .placed
        .keys()
        .filter(|path| path.starts_with(AUTHORITIES.as_bytes()) && path.ends_with(b".crt"))
        .map(|path| shown(&path[AUTHORITIES.len()..]))
        .collect();
    if names.is_empty() {
        return Ok(());
    }
    root.directory("usr/local/share/ca-certificates");
    let list = "etc/ca-certificates.conf";
    let mut chosen = root.read(list.as_bytes(), bytes)?.unwrap_or_default();
    let mut all = Vec::new();
    let mut hashed: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for name in &names {
        chosen.extend(format!("{name}\n").as_bytes());
        let path = format!("{AUTHORITIES}{name}");
        let text = root.read(path.as_bytes(), bytes)?.unwrap_or_default();
        let file = file_name(name);
        root.symlink(&format!("etc/ssl/certs/{file}"), &format!("/{path}"));
        if let Some(hash) = decoded(&text).as_deref().and_then(subject_hash) {
            hashed.entry(hash).or_default().push(file);
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

/// The certificate in a text.
fn decoded(text: &[u8]) -> Option<Vec<u8>> {
    let text = String::from_utf8_lossy(text);
    let (_, rest) = text.split_once("-----BEGIN CERTIFICATE-----")?;
    let (inside, _) = rest.split_once("-----END CERTIFICATE-----")?;
    STANDARD.decode(inside.split_whitespace().collect::<String>()).ok()
}

/// The hash by which OpenSSL looks for the certificate of a subject.
fn subject_hash(certificate: &[u8]) -> Option<String> {
    let hash = Sha1::digest(der::canonical_subject(certificate)?);
    let first: [u8; 4] = hash.get(..4)?.try_into().ok()?;
    Some(format!("{:08x}", u32::from_le_bytes(first)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_file_names() {
        assert_eq!(file_name("mozilla/Autoridad, (CIF A6) x.crt"), "Autoridad__=CIF_A6=_x.pem");
    }
}
