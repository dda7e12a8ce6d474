//! HTTP of the server, beside the page.

mod body;
mod buckets;
pub mod files;
pub mod hooks;
pub mod outgoing;
mod problem;

use axum::Router;

use super::config::Config;
use super::limits::token_bucket::RateLimit;
use files::service::FileService;
use hooks::HookService;

pub use hooks::HOOK_PATH;

/// Returns the routes of what is enabled; `rate` is that of accounts.
pub(in crate::server) fn routes(config: &Config, files: &FileService, rate: Option<RateLimit>) -> Router {
    let mut routes = Router::new();
    if config.files.enabled {
        routes = routes.merge(files::routes(files.clone()));
    }
    if config.hooks.enabled {
        let FileService { login_checker, hub, settings, .. } = files.clone();
        routes = routes.merge(HookService::new(login_checker, hub, settings, rate).routes());
    }
    routes
}
