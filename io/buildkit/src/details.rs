//! What a daemon tells about an error beside its message.
//!
//! The details of a call that failed are a `google.rpc.Status`, and each detail in it that BuildKit
//! wrote is JSON. Daemons before 0.9 send none.

use bollard_buildkit_proto::google::rpc;
use prost::Message;
use serde::Deserialize;
use tonic::Status;

use crate::failure::{BuildFailure, GuiltyLines};

/// What could be read of the details.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Details {
    vertex: Option<String>,
    exit_code: Option<i32>,
    lines: Vec<GuiltyLines>,
}

/// `errdefs.Vertex`.
#[derive(Deserialize)]
struct VertexDetail {
    digest: String,
}

/// `ExitMessage` of the gateway.
#[derive(Deserialize)]
struct ExitDetail {
    #[serde(rename = "Code", alias = "code", default)]
    code: u32,
}

/// `errdefs.Source`.
#[derive(Deserialize)]
struct SourceDetail {
    #[serde(default)]
    info: Option<SourceInfo>,
    #[serde(default)]
    ranges: Vec<SourceRange>,
}

#[derive(Deserialize)]
struct SourceInfo {
    #[serde(default)]
    filename: String,
}

#[derive(Deserialize)]
struct SourceRange {
    #[serde(default)]
    start: Position,
    #[serde(default)]
    end: Position,
}

/// A position whose numbers are left out where they are zero.
#[derive(Deserialize, Default)]
struct Position {
    #[serde(default)]
    line: u32,
}

impl Details {
    pub(crate) fn of(status: &Status) -> Self {
        let mut details = Self::default();
        // What cannot be read is less to tell, and no second error.
        let Ok(full) = rpc::Status::decode(status.details()) else {
            return details;
        };
        for detail in &full.details {
            details.take(&detail.type_url, &detail.value);
        }
        details
    }

    fn take(&mut self, type_url: &str, value: &[u8]) {
        let Some(name) = type_url.strip_suffix("+json") else { return };
        match name.rsplit(['/', '.']).next() {
            Some("Vertex") => {
                if let Ok(vertex) = serde_json::from_slice::<VertexDetail>(value) {
                    self.vertex = Some(vertex.digest);
                }
            }
            Some("ExitMessage") => {
                if let Ok(exit) = serde_json::from_slice::<ExitDetail>(value) {
                    self.exit_code = i32::try_from(exit.code).ok();
                }
            }
            Some("Source") => {
                if let Ok(source) = serde_json::from_slice::<SourceDetail>(value) {
                    self.lines.extend(source.into_lines());
                }
            }
            Some(_) | None => {}
        }
    }

    /// Whether this is about something that was built.
    pub(crate) fn name_a_vertex(&self) -> bool {
        self.vertex.is_some()
    }

    pub(crate) fn into_failure(self, message: &str) -> BuildFailure {
        BuildFailure {
            message: message.to_owned(),
            vertex: self.vertex,
            exit_code: self.exit_code.or_else(|| exit_code_in(message)),
            lines: self.lines,
        }
    }
}

impl SourceDetail {
    fn into_lines(self) -> Option<GuiltyLines> {
        let file = self.info?.filename;
        let ranges = self.ranges.iter().map(|range| (range.start.line, range.end.line)).collect();
        Some(GuiltyLines { file, ranges })
    }
}

/// The exit code that the message of a failed program ends with. It is all that old daemons tell.
pub(crate) fn exit_code_in(message: &str) -> Option<i32> {
    message.rsplit_once("exit code: ")?.1.trim_end().parse().ok()
}

#[cfg(test)]
mod tests {
    use bollard_buildkit_proto::google::protobuf::Any;
    use tonic::Code;

    use super::*;

    fn status(details: &[(&str, &str)]) -> Status {
        let details = details
            .iter()
            .map(|(type_url, value)| Any {
                type_url: (*type_url).to_owned(),
                value: value.as_bytes().to_vec(),
            })
            .collect();
        let full = rpc::Status { code: 2, message: "failed".to_owned(), details };
        Status::with_details(Code::Unknown, "failed", full.encode_to_vec().into())
    }

    #[test]
    fn what_buildkit_tells_is_read() {
        let status = status(&[
            ("github.com/moby/buildkit/stack.Stack+json", r#"{"frames":[]}"#),
            ("github.com/moby/buildkit/errdefs.Vertex+json", r#"{"digest":"sha256:1"}"#),
            ("github.com/moby/buildkit/frontend/gateway/pb.ExitMessage+json", r#"{"Code":7}"#),
            (
                "github.com/moby/buildkit/errdefs.Source+json",
                r#"{"info":{"filename":"plan.cpk","data":"eA=="},"ranges":[{"start":{"line":3},"end":{"line":4,"character":2}}]}"#,
            ),
        ]);
        let failure = Details::of(&status).into_failure("failed");
        assert_eq!(failure.vertex.as_deref(), Some("sha256:1"));
        assert_eq!(failure.exit_code, Some(7));
        assert_eq!(failure.lines, [GuiltyLines { file: "plan.cpk".to_owned(), ranges: vec![(3, 4)] }]);
    }

    #[test]
    fn what_nobody_understands_is_passed_over() {
        let status = status(&[
            ("github.com/moby/buildkit/errdefs.Vertex+json", "not json"),
            ("github.com/moby/buildkit/errdefs.Vertex", r#"{"digest":"sha256:1"}"#),
            ("github.com/moby/buildkit/errdefs.Source+json", r#"{"ranges":[{}]}"#),
        ]);
        assert_eq!(Details::of(&status), Details::default());
        let garbage = Status::with_details(Code::Unknown, "failed", vec![0xff; 9].into());
        assert_eq!(Details::of(&garbage), Details::default());
    }

    #[test]
    fn the_exit_code_is_found_in_the_message_of_an_old_daemon() {
        assert_eq!(exit_code_in("executor failed running [/bin/sh -c exit 7]: exit code: 7"), Some(7));
        assert_eq!(exit_code_in("exit code: 3 was expected"), None);
        assert_eq!(exit_code_in("no such file"), None);
    }
}
