//! The messages of containerd's content service, as far as a build needs them: the crate of messages
//! has none of them. Times and labels are left out, because image layouts hold neither, and
//! daemons do without.

use bytes::Bytes;

/// Asks for what is known of a blob.
#[derive(Clone, PartialEq, prost::Message)]
pub struct InfoRequest {
    /// Which.
    #[prost(string, tag = "1")]
    pub digest: String,
}

/// What is known of a blob.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Info {
    /// Which.
    #[prost(string, tag = "1")]
    pub digest: String,
    /// How many bytes it has.
    #[prost(int64, tag = "2")]
    pub size: i64,
}

/// Answers [`InfoRequest`].
#[derive(Clone, PartialEq, prost::Message)]
pub struct InfoResponse {
    /// What is known.
    #[prost(message, optional, tag = "1")]
    pub info: Option<Info>,
}

/// Asks for bytes of a blob.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ReadContentRequest {
    /// Which.
    #[prost(string, tag = "1")]
    pub digest: String,
    /// From where on.
    #[prost(int64, tag = "2")]
    pub offset: i64,
    /// How many; all that are left where this is 0.
    #[prost(int64, tag = "3")]
    pub size: i64,
}

/// Some of the bytes that were asked for.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ReadContentResponse {
    /// Where they begin.
    #[prost(int64, tag = "1")]
    pub offset: i64,
    /// The bytes.
    #[prost(bytes = "bytes", tag = "2")]
    pub data: Bytes,
}

/// What a [`WriteContentRequest`] is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, prost::Enumeration)]
#[repr(i32)]
pub enum WriteAction {
    /// To learn how far the writing is.
    Stat = 0,
    /// To write.
    Write = 1,
    /// To write, and to give the blob its name.
    Commit = 2,
}

/// One step of writing a blob.
#[derive(Clone, PartialEq, prost::Message)]
pub struct WriteContentRequest {
    /// What it is for.
    #[prost(enumeration = "WriteAction", tag = "1")]
    pub action: i32,
    /// What the writing is called until the blob has its digest; said once.
    #[prost(string, tag = "2")]
    pub r#ref: String,
    /// How many bytes the blob will have, where that is known.
    #[prost(int64, tag = "3")]
    pub total: i64,
    /// The digest it will have, where that is known.
    #[prost(string, tag = "4")]
    pub expected: String,
    /// Where the bytes belong.
    #[prost(int64, tag = "5")]
    pub offset: i64,
    /// The bytes.
    #[prost(bytes = "bytes", tag = "6")]
    pub data: Bytes,
}

/// How far the writing is.
#[derive(Clone, PartialEq, prost::Message)]
pub struct WriteContentResponse {
    /// The step that is answered.
    #[prost(enumeration = "WriteAction", tag = "1")]
    pub action: i32,
    /// How many bytes are written.
    #[prost(int64, tag = "4")]
    pub offset: i64,
    /// How many there will be, where that was said.
    #[prost(int64, tag = "5")]
    pub total: i64,
    /// Their digest, once the blob has its name.
    #[prost(string, tag = "6")]
    pub digest: String,
}

/// Asks how far a writing is, or gives it up.
#[derive(Clone, PartialEq, prost::Message)]
pub struct RefRequest {
    /// Which.
    #[prost(string, tag = "1")]
    pub r#ref: String,
}

/// Answers the question how far a writing is. It is never sent: writings do not outlive their call.
#[derive(Clone, PartialEq, prost::Message)]
pub struct StatusResponse {}

/// Answers with nothing.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Empty {}
