//! Gets the packages of locked sets, each compared with its digest, and installs them.
//!
//! A locked file is looked for in the store, then in the directories that the machine names, then
//! where the plan says, and at last in the package index that the machine names. Wherever it was
//! found, it is copied into the store and only used from there, so that the bytes that were
//! compared are the bytes that are read.
//!
//! | module | what it does |
//! |---|---|
//! | [`places`] | looks for a locked file, and keeps it |
//! | [`apt`] | the Debian archives that the machine names |
//! | [`archives`] | asks Debian archives where a file is |
//! | [`index`] | asks a package index where a file is (PEP 503, PEP 691) |
//! | [`web`] | fetches |
//! | [`wheels`] | installs a `wheels` context, and reads its files |
//! | [`debs`] | installs a `debs` context, and reads its files |
//! | `logins` | takes logins out of what other programs say |
//! | [`lock`] | locks a set of Debian packages |
//! | [`lock_wheels`] | locks the set of wheels that a project's lock file names |
//! | [`openpgp`] | looks at the signatures of archives |
//! | [`downloads`] | gets the file of an `http` context |
//! | [`hashed`] | tells what a file of a server hashes to, and keeps nothing of it |
//! | [`git_head`] | tells which commit a repository's server gives where none is asked for |
//! | [`newest`] | tells which version of a package apt takes out of several suites |
//! | [`locked`] | gets the files of a set |
//! | [`installed`] | installs a set, whatever it is of |
//! | [`problem`], [`wheel_problem`], [`deb_problem`] | what is wrong with a plan's packages, as findings |

pub mod apt;
pub mod archives;
pub mod deb_problem;
pub mod debs;
pub mod downloads;
pub mod git_head;
pub mod hashed;
pub mod index;
pub mod installed;
pub mod lock;
pub mod lock_wheels;
pub mod locked;
mod logins;
pub mod newest;
pub mod openpgp;
pub mod parallel;
pub mod places;
pub mod problem;
pub mod unpacking;
pub mod uv;
pub mod web;
pub mod wheel_problem;
pub mod wheels;

#[cfg(test)]
mod tests;

pub use debs::InstalledDebs;
pub use installed::InstalledPackages;
pub use places::Places;
pub use problem::{PackageError, PackageProblem};
pub use wheels::InstalledWheels;
