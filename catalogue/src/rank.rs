//! Which of two images that fit is the better one.

use std::cmp::Reverse;

use pep440_rs::Version;

use crate::catalogue::Listed;
use crate::choose::{Cudnn, Wanted};
use crate::entry::Extent;

/// What an image is ordered by: the smaller is the better. It tells any two images of a catalogue
/// apart, because no two have one name.
///
/// 1. None with a CUDA, and then none with a cuDNN, that nobody asked for: these are gigabytes.
/// 2. Images of a catalogue that was put before others: who lists images wants them used.
/// 3. One with a cuDNN, where that is welcome.
/// 4. The least stocked.
/// 5. None with a Python that nobody asked for.
/// 6. The newest Python, then CUDA, then cuDNN.
/// 7. The distribution's name, because versions of two have no order; its newest version.
/// 8. The names, so that there is an order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rank {
    idle_cuda: bool,
    idle_cudnn: bool,
    distance: usize,
    misses_cudnn: bool,
    extent: Extent,
    idle_python: bool,
    python: Reverse<Option<Version>>,
    cuda: Reverse<Option<Version>>,
    cudnn: Reverse<Option<Version>>,
    os: String,
    os_version: Reverse<Option<Version>>,
    reference: String,
}

impl Rank {
    pub(crate) fn of(listed: &Listed, wanted: &Wanted) -> Self {
        let entry = &listed.entry;
        Self {
            idle_cuda: entry.cuda.is_some() && wanted.cuda.is_none(),
            idle_cudnn: entry.cudnn.is_some() && wanted.cudnn == Cudnn::Unused,
            distance: listed.distance,
            misses_cudnn: entry.cudnn.is_none() && wanted.cudnn == Cudnn::Welcome,
            extent: entry.extent,
            idle_python: entry.python.is_some() && wanted.python.is_none(),
            python: Reverse(entry.python.as_ref().map(|python| python.version.clone())),
            cuda: Reverse(entry.cuda.clone()),
            cudnn: Reverse(entry.cudnn.clone()),
            os: entry.os.id.clone(),
            os_version: Reverse(entry.os.version.parse().ok()),
            reference: entry.reference.normalised(None),
        }
    }
}
