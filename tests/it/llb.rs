//! Definitions of real plans, decoded with the published message types: digests recompute, the
//! graph holds together, and every vertex points at lines of its plan.

use std::collections::BTreeSet;

use bollard_buildkit_proto::pb::{Definition, Op};
use cogpack_content::Digest;
use cogpack_tests::places::{files_below, root, shown};
use cogpack_tests::terminal::cogpackc;
use prost::Message;

#[test]
fn definitions_decode_recompute_and_point_at_their_plan() {
    let mut count = 0;
    for folder in ["examples", "tests/projects", "tests/cases/backends"] {
        for path in files_below(&root().join(folder), ".cpk") {
            let name = shown(&path);
            let folder = path.parent().expect("a plan stands in a folder");
            let plan = path.file_name().and_then(|name| name.to_str()).expect("a plan has a name");
            let answer = cogpackc(folder, &[plan, "-o", "llb"]);
            if answer.code == 1 && answer.stderr.contains("cpk::unsupported::") {
                continue;
            }
            assert_eq!(answer.code, 0, "{name}: {}", answer.stderr);
            let text = std::fs::read_to_string(&path).expect("a plan is text");
            holds_together(&name, &text, &answer.stdout);
            count += 1;
        }
    }
    assert!(count >= 20, "only {count} plans became definitions");
}

fn holds_together(name: &str, text: &str, bytes: &[u8]) {
    let definition = Definition::decode(bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
    let digests: Vec<String> = definition.def.iter().map(|op| Digest::of(op).to_string()).collect();
    let mut before: BTreeSet<&str> = BTreeSet::new();
    for (bytes, digest) in definition.def.iter().zip(&digests) {
        let op = Op::decode(&bytes[..]).unwrap_or_else(|error| panic!("{name}: {error}"));
        for input in &op.inputs {
            assert!(before.contains(input.digest.as_str()), "{name}: an input that no op before makes");
        }
        assert!(before.insert(digest), "{name}: one op stands twice");
        assert!(definition.metadata.contains_key(digest), "{name}: an op without metadata");
    }
    let (terminal, ops) = digests.split_last().expect("there is an op");
    let terminal_op = Op::decode(&definition.def[ops.len()][..]).expect("it was decoded above");
    assert!(terminal_op.op.is_none() && terminal_op.inputs.len() == 1, "{name}: the last op is the result");
    assert_eq!(definition.metadata.len(), digests.len(), "{name}: metadata of ops that are not there");

    let source = definition.source.unwrap_or_else(|| panic!("{name}: no source map"));
    let info = source.infos.first().unwrap_or_else(|| panic!("{name}: no source"));
    assert!(info.data == text.as_bytes() && name.ends_with(&info.filename), "{name}: another text");
    let lines = i32::try_from(text.lines().count()).expect("a plan is short");
    for digest in ops {
        let places = source.locations.get(digest).unwrap_or_else(|| panic!("{name}: {digest} has no place"));
        let ranges: Vec<_> = places.locations.iter().flat_map(|place| &place.ranges).collect();
        assert!(!ranges.is_empty(), "{name}: {digest} has no line");
        for range in ranges {
            let first = range.start.as_ref().map_or(0, |position| position.line);
            let last = range.end.as_ref().map_or(0, |position| position.line);
            assert!(1 <= first && first <= last && last <= lines, "{name}: lines {first} to {last}");
        }
        let described = &definition.metadata[digest].description;
        assert!(described.contains_key("llb.customname"), "{name}: {digest} has no name to show");
    }
    assert!(!source.locations.contains_key(terminal), "{name}: the result is no line's");
}
