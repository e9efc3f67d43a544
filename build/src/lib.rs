//! Builders: each turns an artifact into an image, and says on the way what it does.
