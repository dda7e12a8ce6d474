//! HTTP of the server, beside the page.

pub mod api;
mod body;
mod buckets;
pub mod files;
pub mod hooks;
pub mod outgoing;
mod problem;
mod shown_text;

use axum::Router;

use super::config::Config;
use super::limits::token_bucket::RateLimit;
use super::reading::AccountReader;

use files::service::FileService;
use hooks::HookService;

pub use api::API_PATH;
pub use hooks::HOOK_PATH;

/// Returns the routes of what is enabled; `rate` is that of accounts.
pub(in crate::server) fn routes(
    config: &Config,
    files: &FileService,
    reader: &AccountReader,
    rate: Option<RateLimit>,
) -> Router {
    let mut routes = Router::new();
    if config.files.enabled {
        routes = routes.merge(files::routes(files.clone()));
    }
    if config.hooks.enabled {
        let FileService { login_checker, hub, settings, .. } = files.clone();
        routes = routes.merge(HookService::new(login_checker, hub, settings, rate).routes());
    }
    if config.api.enabled {
        let FileService { login_checker, hub, settings, .. } = files.clone();
        routes = routes.merge(api::routes(login_checker, hub, reader.clone(), settings, rate));
    }
    routes
}
