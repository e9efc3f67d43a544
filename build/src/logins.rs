//! Logins behind a pointer, so that an order can hold them whoever keeps them.

use std::sync::Arc;

use cogpack_io_buildkit::auth::{Login, LoginError, Logins};
use cogpack_io_registry::registries::FindLogin;
use tokio::runtime::Handle;

/// Shared logins.
#[derive(Clone)]
pub struct SharedLogins(pub Arc<dyn Logins>);

#[tonic::async_trait]
impl Logins for SharedLogins {
    async fn login(&self, host: &str) -> Result<Login, LoginError> {
        self.0.login(host).await
    }
}

/// The same for those who wait in a thread of their own. It takes the runtime that runs here.
pub fn waiting(logins: Arc<dyn Logins>) -> FindLogin {
    let runtime = Handle::current();
    Box::new(move |host| runtime.block_on(logins.login(host)))
}
