//! Small definitions, made by hand, so that these tests need no compiler.

use std::collections::BTreeMap;

use bollard_buildkit_proto::pb;
use cogpack_content::Digest;
use prost::Message;

/// Ops that were added so far. Each is told by the index of its edge.
#[derive(Default)]
pub struct Definition {
    ops: Vec<Vec<u8>>,
    metadata: BTreeMap<String, pb::OpMetadata>,
}

/// The first output of an op.
#[derive(Clone)]
pub struct Edge(String);

impl Definition {
    fn add(&mut self, name: &str, inputs: &[&Edge], op: pb::op::Op) -> Edge {
        let inputs =
            inputs.iter().map(|Edge(digest)| pb::Input { digest: digest.clone(), index: 0 }).collect();
        let platform = matches!(op, pb::op::Op::Exec(_) | pb::op::Op::Source(_)).then(|| pb::Platform {
            os: "linux".to_owned(),
            architecture: "amd64".to_owned(),
            ..pb::Platform::default()
        });
        let bytes = pb::Op { inputs, op: Some(op), platform, ..pb::Op::default() }.encode_to_vec();
        let digest = Digest::of(&bytes).to_string();
        let description = [("llb.customname".to_owned(), name.to_owned())].into();
        self.metadata.insert(digest.clone(), pb::OpMetadata { description, ..pb::OpMetadata::default() });
        self.ops.push(bytes);
        Edge(digest)
    }

    /// A file on an empty filesystem.
    pub fn file(&mut self, path: &str, data: &str) -> Edge {
        let make = pb::FileActionMkFile {
            path: path.to_owned(),
            mode: 0o644,
            data: data.as_bytes().to_vec(),
            timestamp: 0,
            ..pb::FileActionMkFile::default()
        };
        let action = pb::FileAction {
            input: -1,
            secondary_input: -1,
            output: 0,
            action: Some(pb::file_action::Action::Mkfile(make)),
        };
        self.add(&format!("make {path}"), &[], pb::op::Op::File(pb::FileOp { actions: vec![action] }))
    }

    pub fn source(&mut self, identifier: &str) -> Edge {
        self.source_with(identifier, &[])
    }

    pub fn source_with(&mut self, identifier: &str, attributes: &[(&str, &str)]) -> Edge {
        let attrs = attributes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let source = pb::SourceOp { identifier: identifier.to_owned(), attrs: attrs.collect() };
        self.add(identifier, &[], pb::op::Op::Source(source))
    }

    /// One file of a filesystem, by itself.
    pub fn taken(&mut self, from: &Edge, path: &str) -> Edge {
        let copy = pb::FileActionCopy {
            src: path.to_owned(),
            dest: "/".to_owned(),
            mode: -1,
            timestamp: -1,
            ..pb::FileActionCopy::default()
        };
        let action = pb::FileAction {
            input: -1,
            secondary_input: 0,
            output: 0,
            action: Some(pb::file_action::Action::Copy(copy)),
        };
        self.add(&format!("take {path}"), &[from], pb::op::Op::File(pb::FileOp { actions: vec![action] }))
    }

    /// What a shell script leaves of a filesystem. Nothing of it is ever cached.
    pub fn shell(&mut self, base: &Edge, name: &str, script: &str) -> Edge {
        let edge = self.program(base, name, &["/bin/sh", "-c", script], |_| {});
        let metadata = self.metadata.get_mut(&edge.0).expect("it was just added");
        metadata.ignore_cache = true;
        edge
    }

    /// What a program leaves of a filesystem, with what else the op may have.
    pub fn program(
        &mut self,
        base: &Edge,
        name: &str,
        arguments: &[&str],
        more: impl FnOnce(&mut pb::ExecOp),
    ) -> Edge {
        let root = pb::Mount { input: 0, dest: "/".to_owned(), output: 0, ..pb::Mount::default() };
        let mut exec = pb::ExecOp {
            meta: Some(pb::Meta {
                args: arguments.iter().copied().map(str::to_owned).collect(),
                env: vec!["PATH=/usr/bin:/bin".to_owned()],
                cwd: "/".to_owned(),
                ..pb::Meta::default()
            }),
            mounts: vec![root],
            ..pb::ExecOp::default()
        };
        more(&mut exec);
        self.add(name, &[base], pb::op::Op::Exec(exec))
    }

    /// The bytes, with the places of ops in a source.
    pub fn finish(mut self, end: &Edge, places: &[(&Edge, i32)]) -> Vec<u8> {
        let terminal =
            pb::Op { inputs: vec![pb::Input { digest: end.0.clone(), index: 0 }], ..pb::Op::default() };
        self.ops.push(terminal.encode_to_vec());
        let locations = places
            .iter()
            .map(|(edge, line)| {
                let at = |line| Some(pb::Position { line, character: 0 });
                let range = pb::Range { start: at(*line), end: at(*line) };
                let location = pb::Location { source_index: 0, ranges: vec![range] };
                (edge.0.clone(), pb::Locations { locations: vec![location] })
            })
            .collect();
        let info = pb::SourceInfo { filename: "plan.cpk".to_owned(), ..pb::SourceInfo::default() };
        let source = pb::Source { locations, infos: vec![info] };
        pb::Definition { def: self.ops, metadata: self.metadata.into_iter().collect(), source: Some(source) }
            .encode_to_vec()
    }
}
