//! What is read of files of certificates, and what is refused.

use super::*;

/// Made by `openssl req -x509`; `openssl x509 -hash` says cdf31a01.
const ONE: &str = include_str!("tests/one.pem");

/// The same, of which it says b38f2e57.
const OTHER: &str = include_str!("tests/other.pem");

fn hashes(text: &str) -> Vec<String> {
    let all = Certificate::all_of(text).expect("they are certificates");
    all.iter().map(|one| one.subject_hash().to_owned()).collect()
}

#[test]
fn certificates_have_the_names_by_which_openssl_looks_for_them() {
    let both = format!("# Ours, from 2026\n{ONE}\nIssuer: another\r\n{}", OTHER.replace('\n', "\r\n"));
    assert_eq!(hashes(&both), ["cdf31a01", "b38f2e57"]);
    let texts: Vec<String> = Certificate::all_of(&both).unwrap().iter().map(Certificate::pem).collect();
    assert_eq!(texts, [ONE, OTHER], "each is written in one form");
    let long =
        ONE.replace('\n', "").replace(BEGIN, &format!("{BEGIN}\n")).replace(END, &format!("\n  {END}"));
    assert_eq!(Certificate::all_of(&long).unwrap()[0].pem(), ONE);
}

#[test]
fn what_is_none_is_told_without_its_text() {
    let told = |text: &str| Certificate::all_of(text).expect_err("it is refused").to_string();
    let key = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n";
    let of_elliptic_curve = key.replace("PRIVATE", "EC PRIVATE");
    let told = [
        told(""),
        told("no certificate\n"),
        told(&format!("{ONE}{key}")),
        told(&format!("-----BEGIN CERTIFICATE-----\n{of_elliptic_curve}")),
        told(&ONE.replace("CERTIFICATE", "CERTIFICATE REQUEST")),
        told(&ONE.replace("-----END", "----END")),
        told(&format!("{BEGIN}\n{ONE}")),
        told(&ONE.replacen('M', "!", 1)),
        told(&format!("{ONE}{BEGIN}\nc2VjcmV0\n{END}\n")),
    ];
    assert_eq!(
        told,
        [
            "it holds no certificate: no line is `-----BEGIN CERTIFICATE-----`",
            "it holds no certificate: no line is `-----BEGIN CERTIFICATE-----`",
            "it holds a private key, in line 13",
            "it holds a private key, in line 2",
            "line 1 begins a `CERTIFICATE REQUEST`, which is no certificate",
            "the certificate that line 1 begins has no `-----END CERTIFICATE-----`",
            "the certificate that line 1 begins has no `-----END CERTIFICATE-----`",
            "what line 1 begins is no certificate: it is not base64",
            "what line 13 begins is no certificate: it is none of X.509",
        ]
    );
}

/// A certificate that ends anywhere, and one with any byte changed, is read or is not: none of it panics.
#[test]
fn bytes_that_are_cut_or_changed_are_read_or_refused() {
    let whole = Certificate::all_of(ONE).unwrap().remove(0).bytes;
    for length in 0..whole.len() {
        let certificate = Certificate::of_der(whole[..length].to_vec());
        assert!(certificate.is_none(), "{length}");
    }
    let mut same = 0;
    for place in 0..whole.len() {
        for value in [0, 0x7f, 0x80, 0x84, 0xff] {
            let mut bytes = whole.clone();
            bytes[place] = value;
            let found = Certificate::of_der(bytes);
            same += usize::from(found.is_some_and(|found| found.subject_hash == "cdf31a01"));
        }
    }
    assert!(same > 1000, "most of a certificate is not its subject: {same}");
}
