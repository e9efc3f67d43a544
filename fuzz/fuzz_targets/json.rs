#![no_main]
//! Any bytes, as the JSON form of a plan.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = std::str::from_utf8(bytes) {
        laws::json(text);
    }
});
