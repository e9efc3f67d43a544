//! Builds on real daemons. Which there are is said by `COGPACK_TEST_…` variables, see
//! `tests/rig/README.md`; where there is none, each test says so and ends.

mod asking;
mod building;
mod caching;
mod container;
mod definitions;
mod directories;
mod encryption;
mod ending;
mod exporting;
mod failing;
mod found;
mod layouts;
mod mounts;
mod private_registry;
mod proxy;
mod unreachable;
