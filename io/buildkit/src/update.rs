//! What a daemon says about a build while it runs.
//!
//! The same vertex is told again whenever something about it changes. Times are the daemon's own,
//! in nanoseconds since 1970: only the space between two of them means something here.

use bollard_buildkit_proto::google::protobuf::Timestamp;
use bollard_buildkit_proto::moby::buildkit::v1::{
    StatusResponse, Vertex, VertexLog, VertexStatus, VertexWarning,
};

/// One piece of news.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Update {
    /// A vertex of the graph, or one that the daemon added, such as an export.
    Vertex {
        /// The digest of the vertex: of one in a definition, the digest of its op.
        digest: String,
        /// The digests of what it builds on.
        inputs: Vec<String>,
        /// What to call it.
        name: String,
        /// When it began, where it has.
        started: Option<i64>,
        /// When it ended, where it has.
        completed: Option<i64>,
        /// Whether nothing had to be done.
        cached: bool,
        /// Why it failed, where it did.
        error: Option<String>,
        /// The name of the group that it is shown in.
        group: Option<String>,
    },
    /// How far something has come that is part of a vertex, such as a layer that is fetched.
    Transfer {
        /// The vertex.
        vertex: String,
        /// What is moved.
        id: String,
        /// What is done with it.
        name: String,
        /// How much is done.
        current: i64,
        /// Of how much; zero where that is not known.
        total: i64,
        /// When it began, where it has.
        started: Option<i64>,
        /// When it ended, where it has.
        completed: Option<i64>,
    },
    /// Output of a program.
    Log {
        /// The vertex that runs it.
        vertex: String,
        /// 1 for what it prints, 2 for what it complains.
        stream: i64,
        /// The bytes; a line may come in several pieces.
        data: Vec<u8>,
    },
    /// Something that deserves attention.
    Warning {
        /// The vertex it is about.
        vertex: String,
        /// What is the matter, in a line.
        short: String,
        /// More about it.
        detail: Vec<String>,
        /// Where to read on.
        url: Option<String>,
    },
}

/// The news in one message, in the order that makes sense to read them in.
pub(crate) fn updates(response: StatusResponse) -> impl Iterator<Item = Update> {
    let vertices = response.vertexes.into_iter().map(vertex);
    let transfers = response.statuses.into_iter().map(transfer);
    let logs = response.logs.into_iter().map(log);
    let warnings = response.warnings.into_iter().map(warning);
    vertices.chain(transfers).chain(logs).chain(warnings)
}

fn vertex(vertex: Vertex) -> Update {
    Update::Vertex {
        digest: vertex.digest,
        inputs: vertex.inputs,
        name: vertex.name,
        started: vertex.started.and_then(nanoseconds),
        completed: vertex.completed.and_then(nanoseconds),
        cached: vertex.cached,
        error: Some(vertex.error).filter(|error| !error.is_empty()),
        group: vertex.progress_group.map(|group| group.name),
    }
}

fn transfer(status: VertexStatus) -> Update {
    Update::Transfer {
        vertex: status.vertex,
        id: status.id,
        name: status.name,
        current: status.current,
        total: status.total,
        started: status.started.and_then(nanoseconds),
        completed: status.completed.and_then(nanoseconds),
    }
}

fn log(log: VertexLog) -> Update {
    Update::Log { vertex: log.vertex, stream: log.stream, data: log.msg }
}

fn warning(warning: VertexWarning) -> Update {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Update::Warning {
        vertex: warning.vertex,
        short: text(&warning.short),
        detail: warning.detail.iter().map(|line| text(line)).collect(),
        url: Some(warning.url).filter(|url| !url.is_empty()),
    }
}

/// A time as one number; none where a daemon's clock shows a year that does not fit.
fn nanoseconds(time: Timestamp) -> Option<i64> {
    time.seconds.checked_mul(1_000_000_000)?.checked_add(i64::from(time.nanos))
}
