//! Builds on real daemons. Which there are is said by `COGPACK_TEST_…` variables, see
//! `tests/rig/README.md`; where there is none, each test says so and ends.

mod definitions;
mod exporting;
mod failing;
mod found;
