//! Certificates of authorities, as PEM files hold them (RFC 7468), under the names by which OpenSSL
//! looks for them.
//!
//! Deliberately not here: whether a certificate is still good, or good for an authority. That is for
//! whoever connects, when it connects.

mod der;

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest as _, Sha1};

/// A certificate.
#[derive(Clone, PartialEq, Eq)]
pub struct Certificate {
    bytes: Vec<u8>,
    subject_hash: String,
}

/// Why a text is not one of certificates alone. Nothing of the text is in it but a word behind
/// `-----BEGIN`, since it may be a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PemProblem {
    /// A key, which must not get into an image.
    #[error("it holds a private key, in line {line}")]
    PrivateKey {
        /// Where the key begins, counted from 1.
        line: usize,
    },
    /// Something else of PEM.
    #[error("line {line} begins a `{label}`, which is no certificate")]
    Label {
        /// Where, counted from 1.
        line: usize,
        /// What it is.
        label: String,
    },
    /// What is begun and not ended.
    #[error("the certificate that line {line} begins has no `{END}`")]
    Open {
        /// Where, counted from 1.
        line: usize,
    },
    /// No certificate between the lines that say so.
    #[error("what line {line} begins is no certificate: {why}")]
    Content {
        /// Where, counted from 1.
        line: usize,
        /// What is wrong with it.
        why: &'static str,
    },
    /// Nothing.
    #[error("it holds no certificate: no line is `{BEGIN}`")]
    Nothing,
}

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

impl Certificate {
    /// The certificate of these bytes; nothing where they are none.
    pub fn of_der(bytes: Vec<u8>) -> Option<Self> {
        let hash = Sha1::digest(der::canonical_subject(&bytes)?);
        let first: [u8; 4] = hash.get(..4)?.try_into().ok()?;
        let subject_hash = format!("{:08x}", u32::from_le_bytes(first));
        Some(Self { bytes, subject_hash })
    }

    /// All certificates of a text. What stands before and behind them means nothing.
    pub fn all_of(text: &str) -> Result<Vec<Self>, PemProblem> {
        let mut certificates = Vec::new();
        let mut lines = text.lines().enumerate().map(|(place, line)| (place + 1, line.trim()));
        // A key is told before all else that is wrong.
        if let Some((line, _)) = lines.clone().find(|(_, line)| label(line).is_some_and(is_of_key)) {
            return Err(PemProblem::PrivateKey { line });
        }
        while let Some((line, begin)) = lines.next() {
            let Some(label) = label(begin) else { continue };
            if begin != BEGIN {
                return Err(PemProblem::Label { line, label: label.to_owned() });
            }
            let mut inside = String::new();
            let mut is_closed = false;
            for (_, line) in lines.by_ref().take_while(|(_, line)| !line.starts_with("-----BEGIN ")) {
                if line == END {
                    is_closed = true;
                    break;
                }
                inside.extend(line.split_whitespace());
            }
            if !is_closed {
                return Err(PemProblem::Open { line });
            }
            let not = |why| PemProblem::Content { line, why };
            let bytes = STANDARD.decode(inside).map_err(|_| not("it is not base64"))?;
            certificates.push(Self::of_der(bytes).ok_or_else(|| not("it is none of X.509"))?);
        }
        match certificates.is_empty() {
            true => Err(PemProblem::Nothing),
            false => Ok(certificates),
        }
    }

    /// The certificate as a file that holds nothing else, in the one form that RFC 7468 asks of
    /// whoever writes.
    pub fn pem(&self) -> String {
        let text = STANDARD.encode(&self.bytes);
        let lines = text.as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line));
        let lines: String = lines.map(|line| format!("{line}\n")).collect();
        format!("{BEGIN}\n{lines}{END}\n")
    }

    /// The hash of its subject: OpenSSL looks for an authority in a file of this name with a number
    /// behind it.
    pub fn subject_hash(&self) -> &str {
        &self.subject_hash
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Certificate({}, {} bytes)", self.subject_hash, self.bytes.len())
    }
}

/// What a line begins.
fn label(line: &str) -> Option<&str> {
    line.strip_prefix("-----BEGIN ")?.strip_suffix("-----")
}

fn is_of_key(label: &str) -> bool {
    label.ends_with("PRIVATE KEY")
}

#[cfg(test)]
mod tests;
