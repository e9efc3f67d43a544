//! Logins behind a pointer, so that an order can hold them whoever keeps them.

use std::sync::Arc;

use cogpack_io_buildkit::auth::{Login, LoginError, Logins};

/// Shared logins.
#[derive(Clone)]
pub struct SharedLogins(pub Arc<dyn Logins>);

#[tonic::async_trait]
impl Logins for SharedLogins {
    async fn login(&self, host: &str) -> Result<Login, LoginError> {
        self.0.login(host).await
    }
}
