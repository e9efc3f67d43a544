//! Looks that an archive's `InRelease` is signed by somebody who is trusted, with the machine's own
//! `gpgv`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// What programs say of a full disk in no language of their own.
const NO_ROOM: &str = "No space left on device";

/// Why a signature does not count.
#[derive(Debug, thiserror::Error)]
pub enum SignatureError {
    /// The program.
    #[error("`gpgv`, which looks at signatures, cannot be run")]
    Program(#[source] io::Error),
    /// The files around it.
    #[error("{attempt} `{}`", path.display())]
    Disk {
        /// What was attempted.
        attempt: &'static str,
        /// On which.
        path: PathBuf,
        /// What happened.
        #[source]
        source: io::Error,
    },
    /// Nobody to trust.
    #[error("no key is trusted: the machine has no keyring for this archive")]
    NoKeys,
    /// Not signed by any of them.
    #[error("no key that is trusted has signed it; gpgv says: {said}")]
    Untrusted {
        /// What the program says of it.
        said: String,
    },
}

/// The text of a signed file, if one of the keys in `keyrings` has signed it. What is written for it
/// is written into `work`.
pub fn verified(signed: &[u8], keyrings: &[Vec<u8>], work: &Path) -> Result<String, SignatureError> {
    let file = |name: &str| {
        let path = work.join(name);
        let failed = path.clone();
        (path, move |attempt, source| SignatureError::Disk { attempt, path: failed, source })
    };
    if keyrings.is_empty() {
        return Err(SignatureError::NoKeys);
    }
    let (message, failed) = file("signed");
    fs::write(&message, signed).map_err(|source| failed("write", source))?;
    let (text, of_text) = file("text");
    let mut command = Command::new("gpgv");
    command.arg("--homedir").arg(work).args(["--quiet", "--status-fd", "1"]).arg("--output").arg(&text);
    for (number, keys) in keyrings.iter().enumerate() {
        let (path, failed) = file(&format!("keys-{number}"));
        fs::write(&path, keys).map_err(|source| failed("write", source))?;
        command.arg("--keyring").arg(path);
    }
    let done = command
        .arg(&message)
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .output()
        .map_err(SignatureError::Program)?;
    if !is_trusted(&String::from_utf8_lossy(&done.stdout)) {
        let said = String::from_utf8_lossy(&done.stderr).split_whitespace().collect::<Vec<_>>().join(" ");
        // It has to write the text before it says who has signed it.
        return Err(match said.contains(NO_ROOM) {
            true => of_text("write", io::Error::new(io::ErrorKind::StorageFull, said)),
            false => SignatureError::Untrusted { said },
        });
    }
    // What was signed, and nothing that may stand around it.
    let bytes = fs::read(&text).map_err(|source| of_text("read", source))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Whether a good signature is there, by a digest that protects, and no bad one. Signatures by keys
/// that are not at hand neither help nor harm: archives sign with keys of several releases.
fn is_trusted(status: &str) -> bool {
    let (mut is_good, mut is_trusted) = (false, false);
    for line in status.lines().filter_map(|line| line.strip_prefix("[GNUPG:] ")) {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.first().copied() {
            Some("BADSIG") => return false,
            Some("GOODSIG") => is_good = true,
            Some("NEWSIG" | "EXPKEYSIG" | "REVKEYSIG" | "EXPSIG" | "ERRSIG") => is_good = false,
            // MD5, SHA-1 and RIPEMD-160.
            Some("VALIDSIG") => {
                let is_weak = words.get(8).is_none_or(|digest| ["1", "2", "3"].contains(digest));
                is_trusted |= is_good && !is_weak;
            }
            Some(_) | None => {}
        }
    }
    is_trusted
}

/// The keys of a file as `gpgv` reads them, out of their armour where they wear one.
pub fn keys(bytes: Vec<u8>) -> Vec<u8> {
    let text = String::from_utf8_lossy(&bytes);
    if !text.contains("-----BEGIN PGP PUBLIC KEY BLOCK-----") {
        return bytes;
    }
    let mut keys = Vec::new();
    for block in text.split("-----BEGIN PGP PUBLIC KEY BLOCK-----").skip(1) {
        let block = block.split("-----END").next().unwrap_or("");
        // Headers end with an empty line, and a sum of the whole stands behind it.
        let lines = block.lines().skip(1).skip_while(|line| !line.trim().is_empty());
        let inside: String = lines.map(str::trim).filter(|line| !line.starts_with('=')).collect();
        keys.extend(STANDARD.decode(inside).unwrap_or_default());
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_good_signatures_count() {
        let valid = "[GNUPG:] VALIDSIG 4D64FEC1 2026-01-01 1 0 4 0 1 8 01 4D64FEC1\n";
        let weak = valid.replace(" 8 01", " 2 01");
        let good = "[GNUPG:] NEWSIG\n[GNUPG:] GOODSIG 54404762 Debian\n";
        let unknown = "[GNUPG:] NEWSIG\n[GNUPG:] ERRSIG 1 2\n[GNUPG:] NO_PUBKEY 1\n";
        assert!(is_trusted(&format!("{good}{valid}")));
        assert!(is_trusted(&format!("{unknown}{good}{valid}{unknown}")));
        for status in [
            String::new(),
            unknown.to_owned(),
            format!("{good}{weak}"),
            format!("{good}{valid}[GNUPG:] BADSIG 1 x\n"),
            format!("[GNUPG:] EXPKEYSIG 1 x\n{valid}"),
            format!("{good}{unknown}{valid}"),
        ] {
            assert!(!is_trusted(&status), "{status}");
        }
    }

    #[test]
    fn keys_come_out_of_their_armour() {
        let armoured = "-----BEGIN PGP PUBLIC KEY BLOCK-----\nComment: x\n\nYWJj\nZGVm\n=abcd\n-----END PGP PUBLIC KEY BLOCK-----\n";
        assert_eq!(keys(armoured.into()), b"abcdef");
        assert_eq!(keys(b"\x99\x02".to_vec()), b"\x99\x02");
    }
}
