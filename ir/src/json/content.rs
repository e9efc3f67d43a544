//! The bytes of a small file: `"text"` where they are UTF-8, else `"base64"`.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::finding::JsonFinding;
use super::reader::Fields;
use super::tree::ObjectWriter;
use crate::plan::FileContent;

pub(super) fn write(content: &FileContent, object: &mut ObjectWriter) {
    match std::str::from_utf8(&content.0) {
        Ok(text) => object.put("text", text),
        Err(_) => object.put("base64", STANDARD.encode(&content.0)),
    }
}

/// Takes the key that holds the bytes out of the object they belong to.
pub(super) fn read(fields: &mut Fields<'_>) -> Option<FileContent> {
    fields.exclude("text", "base64");
    let text = fields.optional("text", |at| Some(Arc::from(at.text()?.as_bytes())));
    let binary = fields.optional("base64", |at| at.checked(decode));
    if !fields.has("text") && !fields.has("base64") {
        let (place, span) = (fields.at().pointer.clone(), fields.at().span());
        // Either of the two will do.
        return fields.at().report(JsonFinding::MissingKey { place, key: "text` or `base64", span });
    }
    text.or(binary).map(FileContent)
}

fn decode(text: &str) -> Result<Arc<[u8]>, &'static str> {
    STANDARD.decode(text).map(Arc::from).map_err(|_| "this is not base64, padded with `=`")
}
