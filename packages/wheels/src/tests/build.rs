//! Makes wheels for tests, good ones and bad ones.

use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rawzip::path::EntryPath;
use rawzip::{CompressionMethod, ZipArchiveWriter};
use sha2::{Digest as _, Sha256};

/// A wheel in the making. `RECORD` is made last, of all that is there, unless one was given.
#[derive(Clone)]
pub struct Builder {
    pub name: String,
    info: String,
    files: Vec<(Vec<u8>, Vec<u8>, u32)>,
}

impl Builder {
    /// A wheel of `demo` 1.0 for any Python, with one module.
    pub fn demo() -> Self {
        Self::named("demo", "py3-none-any").file("demo/__init__.py", "")
    }

    pub fn named(package: &str, tags: &str) -> Self {
        Self {
            name: format!("{package}-1.0-{tags}.whl"),
            info: format!("{package}-1.0.dist-info"),
            files: Vec::new(),
        }
        .info("WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\n")
        .info("METADATA", &format!("Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n"))
    }

    /// A file of its `.dist-info`, in the place of the one that is there.
    pub fn info(self, name: &str, content: &str) -> Self {
        let path = format!("{}/{name}", self.info);
        self.without(&path).file(&path, content)
    }

    pub fn without(mut self, path: &str) -> Self {
        self.files.retain(|(name, ..)| name != path.as_bytes());
        self
    }

    pub fn file(self, path: &str, content: &str) -> Self {
        self.with_mode(path, content, 0o100_644)
    }

    pub fn with_mode(mut self, path: &str, content: &str, mode: u32) -> Self {
        self.files.push((path.as_bytes().to_vec(), content.as_bytes().to_vec(), mode));
        self
    }

    pub fn raw(mut self, path: &[u8], content: &[u8]) -> Self {
        self.files.push((path.to_vec(), content.to_vec(), 0o100_644));
        self
    }

    /// What `RECORD` says of all that is there.
    pub fn record(&self) -> String {
        let mut record = String::new();
        for (path, content, _) in self.files.iter().filter(|(path, ..)| !path.ends_with(b"/")) {
            let hash = URL_SAFE_NO_PAD.encode(Sha256::digest(content));
            let path = String::from_utf8_lossy(path);
            let path = if path.contains(',') { format!("\"{path}\"") } else { path.into_owned() };
            record.push_str(&format!("{path},sha256={hash},{}\n", content.len()));
        }
        record + &format!("{}/RECORD,,\n", self.info)
    }

    pub fn bytes(mut self) -> Vec<u8> {
        let record = format!("{}/RECORD", self.info);
        if !self.files.iter().any(|(name, ..)| name == record.as_bytes()) {
            let content = self.record();
            self = self.file(&record, &content);
        }
        self.as_it_is()
    }

    /// The archive, without a `RECORD` where none was given.
    pub fn as_it_is(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut archive = ZipArchiveWriter::new(&mut bytes);
        for (index, (path, content, mode)) in self.files.iter().enumerate() {
            if path.ends_with(b"/") {
                archive.new_dir(EntryPath::verbatim(path.clone())).create().expect("can be written");
                continue;
            }
            // Both kinds occur.
            let method = if index % 2 == 0 { CompressionMethod::DEFLATE } else { CompressionMethod::STORE };
            let file = archive.new_file(EntryPath::verbatim(path.clone()));
            let (mut entry, config) =
                file.compression_method(method).unix_permissions(*mode).start().expect("can be written");
            let descriptor = if method == CompressionMethod::DEFLATE {
                let encoder = flate2::write::DeflateEncoder::new(&mut entry, flate2::Compression::fast());
                let mut writer = config.wrap(encoder);
                writer.write_all(content).expect("can be written");
                let (encoder, descriptor) = writer.finish().expect("can be written");
                encoder.finish().expect("can be written");
                descriptor
            } else {
                let mut writer = config.wrap(&mut entry);
                writer.write_all(content).expect("can be written");
                writer.finish().expect("can be written").1
            };
            entry.finish(descriptor).expect("can be written");
        }
        archive.finish().expect("can be written");
        bytes
    }
}

/// Changes a number in what the archive's directory says of a file.
pub fn patch(bytes: &mut [u8], path: &str, field: Field, value: u32) {
    let name = path.as_bytes();
    let record = (0..bytes.len())
        .find(|at| bytes[*at..].starts_with(b"PK\x01\x02") && bytes[at + 46..].starts_with(name))
        .expect("the directory has the file");
    bytes[record + field as usize..][..4].copy_from_slice(&value.to_le_bytes());
}

/// The same number as it is.
pub fn number(bytes: &[u8], path: &str, field: Field) -> u32 {
    let name = path.as_bytes();
    let record = (0..bytes.len())
        .find(|at| bytes[*at..].starts_with(b"PK\x01\x02") && bytes[at + 46..].starts_with(name))
        .expect("the directory has the file");
    let four = bytes[record + field as usize..][..4].try_into().expect("has four bytes");
    u32::from_le_bytes(four)
}

/// Numbers in a directory's record, by where they stand in it.
#[derive(Clone, Copy)]
pub enum Field {
    Flags = 8,
    Method = 10,
    Checksum = 16,
    Packed = 20,
    Unpacked = 24,
    Header = 42,
}
