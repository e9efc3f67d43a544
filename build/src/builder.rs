//! What every builder does: it makes an image of an artifact.

use tokio_util::sync::CancellationToken;

use crate::failure::BuildError;
use crate::outcome::Outcome;
use crate::progress::Progresses;

/// Makes an image of an artifact, and says on the way what it does. It never asks the plan a
/// question: all that it may need comes with the order.
pub trait Builder {
    /// What it is asked for.
    type Order;

    /// Its name, as `--builder` takes it.
    fn name(&self) -> &'static str;

    /// Builds. When `cancel` is cancelled, nothing of the build is left running when this returns.
    fn build(
        &self,
        order: Self::Order,
        progress: Progresses,
        cancel: CancellationToken,
    ) -> impl Future<Output = Result<Outcome, BuildError>>;
}
