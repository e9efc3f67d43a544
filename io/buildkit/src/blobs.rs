//! The session service for blobs of image layouts on this machine.
