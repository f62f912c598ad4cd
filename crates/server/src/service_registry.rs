//! The services that the configuration file registers, read again when it changes; its settings wait for the next start.

use std::path::PathBuf;

use service::Service;

use crate::{configuration, follow::Followed};

/// The file of the services in force.
pub(crate) struct ServiceRegistry {
    path: PathBuf,
    service: Service,
}

impl ServiceRegistry {
    /// The services of that file are in force already.
    pub(crate) fn new(path: PathBuf, service: Service) -> ServiceRegistry {
        ServiceRegistry { path, service }
    }
}

impl Followed for ServiceRegistry {
    fn name(&self) -> &'static str {
        "services"
    }

    fn files(&self) -> Vec<PathBuf> {
        vec![self.path.clone()]
    }

    fn reload_and_tell(&self) -> bool {
        match configuration::services(&self.path) {
            Ok(services) => {
                self.service.set_services(services);
                tracing::info!(config = %self.path.display(), "new services in force");
                true
            }
            Err(error) => {
                tracing::error!(%error, "new services refused: the old ones stay");
                false
            }
        }
    }
}
