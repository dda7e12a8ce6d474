//! The control socket of a running server, and what is answered over it.

use std::sync::Arc;

use anyhow::Context as _;

use crate::core::request::admin::{Change, ChangeRequest};
use crate::core::request::channels::ChannelChange;
use crate::server::Server;
use crate::server::admin::control::{ControlSocket, ListeningSockets, RunningServer};
use crate::server::admin::{self, AdminQuery, AdminReply, Failure, FailureKind};
use crate::server::lan::advertised_addresses::AdvertisedAddresses;
use crate::server::maintenance::reload::Reloader;
use crate::server::telemetry::exporter::ReadMetrics;
use crate::server::telemetry::log::Log;
use crate::store::{Store, last_backup};

/// Returns a function that reads the metrics of a server and of its log.
pub fn read_metrics(server: &Server, store: &Store, log: Log) -> ReadMetrics {
    let (metrics, reloader, folder) = (server.metrics(), server.reloader(), store.folder().to_owned());
    Arc::new(move || {
        if let Some(last) = last_backup::read(&folder) {
            metrics.set_last_backup(last.at());
        }
        metrics.to_prometheus_text(&reloader.current_identity(), log.dropped())
    })
}

/// Serves administration requests on the control socket.
pub fn start(
    server: &Server,
    store: &Store,
    addresses: AdvertisedAddresses,
    metrics: ReadMetrics,
    sockets: ListeningSockets,
) -> anyhow::Result<impl Future<Output = ()> + Send + use<>> {
    let (known, reloader, asked) = (server.reloader(), server.reloader(), server.request_handle());
    let (audited, running) = (store.clone(), server.running_answers());
    let facts = RunningServer {
        addresses,
        pin: Arc::new(move || known.current_identity().pin()),
        answer: Arc::new(move |query| {
            let (asked, store, running) = (asked.clone(), audited.clone(), running.clone());
            Box::pin(async move {
                match query {
                    query if query.is_about_store() => admin::answer_from_store(&store, query).await,
                    AdminQuery::Running(query) => running.answer(query).await,
                    query => asked.query(query).await,
                }
            })
        }),
        metrics,
        reload: Arc::new(move || {
            let reloader = reloader.clone();
            Box::pin(async move { reload_certificates(&reloader).await })
        }),
        sockets,
    };
    let folder = store.folder();
    let control = ControlSocket::bind(folder)
        .with_context(|| format!("cannot make the control socket in {}", folder.display()))?;
    let (requests, retention) = (server.request_handle(), server.reloader());
    Ok(control.serve(facts, move |change| {
        let (requests, retention) = (requests.clone(), retention.clone());
        async move {
            let limits_history =
                matches!(&change, Change::Channel { change: ChannelChange::Retention(_), .. });
            let result = requests.request(ChangeRequest::Admin(change)).await;
            if limits_history && result.is_ok() {
                retention.apply_retention();
            }
            result
        }
    }))
}

/// Makes the server present the certificates that are in its folder now. Returns the fingerprint.
async fn reload_certificates(reloader: &Reloader) -> Result<AdminReply, Failure> {
    match reloader.reload_certificates().await {
        Ok(identity) => {
            let shown = identity.certificates().leaf_fingerprints.certificate.to_hex();
            Ok(AdminReply::Certificates(shown))
        }
        Err(why) => Err(Failure { kind: FailureKind::Certificates, text: why.to_string() }),
    }
}
