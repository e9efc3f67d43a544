//! One build, from the first call to the last.
