//! Announcement of the server on the local network by mDNS and DNS-SD, if configured.
//!
//! It announces where the server listens, the network's name, the pin and the version. Except for the name and the
//! version, anyone who connects learns that anyway.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use if_addrs::Interface;
use mdns_sd::{DaemonEvent, IfKind, IfPredicate, Receiver, ServiceDaemon, ServiceInfo};
use tokio::time::{sleep, timeout};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::AbortOnDropHandle;
use tracing::{info, warn};

use crate::trust::Pin;
use crate::trust::announcement::{Announcement, SERVICE};
use crate::trust::certs::Certificates;

/// Time limit for the goodbye, which is one packet and a reply of the daemon's thread.
const GOODBYE: Duration = Duration::from_secs(2);

/// Time after which a missing announcement is logged. The first one takes a second, because the names are probed three
/// times ([RFC 6762, section 8.1](https://www.rfc-editor.org/rfc/rfc6762#section-8.1)).
const QUIET: Duration = Duration::from_secs(10);

/// Reason why the server is not announced.
#[derive(Debug, thiserror::Error)]
pub enum AnnounceError {
    /// The server listens on the loopback only.
    #[error(
        "the server listens on the loopback alone, where nobody else could reach it: \
         name an address of the network with --listen or in parlour.toml"
    )]
    Loopback,
    /// mDNS does not work on this machine.
    #[error("mDNS cannot be used: {0}")]
    Mdns(#[from] mdns_sd::Error),
}

/// Interval at which the announcement is compared with the certificates, which are rarely replaced while the server
/// runs.
const FOLLOW: Duration = Duration::from_secs(5);

/// Returns the announcement of a server of that name with these certificates.
pub fn announcement(name: &str, certificates: &Certificates) -> Announcement {
    Announcement {
        name: name.to_owned(),
        pin: certificates.pin,
        old: certificates.rotating.map(|rotating| rotating.old),
        version: Some(env!("CARGO_PKG_VERSION").to_owned()),
    }
}

/// The announcements of a server, until [`stop`](Self::stop) ends them.
pub struct Announcer {
    daemon: Daemon,
    services: Vec<String>,
    /// Aborted when this is dropped.
    _tasks: [AbortOnDropHandle<()>; 2],
    ended: CancellationToken,
}

impl Announcer {
    /// Announces a server that listens on `bound`, from background tasks of tokio's runtime, and only on the interfaces
    /// of these addresses. Calls `announcement` again and again, to follow changes.
    pub fn start(
        announcement: impl Fn() -> Announcement + Send + 'static,
        bound: &[SocketAddr],
    ) -> Result<Self, AnnounceError> {
        let ports = ports(bound);
        if ports.is_empty() {
            return Err(AnnounceError::Loopback);
        }
        let daemon = Daemon(ServiceDaemon::new()?);
        let ended = CancellationToken::new();
        let reporting = tokio::spawn(report(daemon.0.monitor()?, ended.clone().drop_guard()));
        daemon.0.disable_interface(IfKind::All)?;
        for places in ports.values() {
            daemon.0.enable_interface(places.interfaces())?;
        }
        let said = announcement();
        // The host name comes from the first pin, and stays when the pin changes.
        let hosts = said.pin;
        let services = register(&daemon.0, &said, hosts, &ports)?;
        let follower = daemon.0.clone();
        let ending = ended.clone().drop_guard();
        let following = tokio::spawn(async move {
            let _ending = ending;
            let mut said = said;
            loop {
                sleep(FOLLOW).await;
                let now = announcement();
                // A failed registration is tried again.
                if now != said && register(&follower, &now, hosts, &ports).is_ok() {
                    said = now;
                }
            }
        });
        let tasks = [reporting, following].map(AbortOnDropHandle::new);
        Ok(Self { daemon, services, _tasks: tasks, ended })
    }

    /// Returns a future that is ready when nothing is announced any more, because a task or the daemon's thread has
    /// ended.
    pub fn ended(&self) -> impl Future<Output = ()> + Send + use<> {
        self.ended.clone().cancelled_owned()
    }

    /// Sends the goodbye, so that other machines stop listing a server that is gone.
    pub async fn stop(mut self) {
        for service in std::mem::take(&mut self.services) {
            if let Ok(done) = self.daemon.0.unregister(&service) {
                wait(done).await;
            }
        }
        if let Ok(done) = self.daemon.0.shutdown() {
            wait(done).await;
        }
    }
}

/// The daemon's thread; ends when this is dropped.
struct Daemon(ServiceDaemon);

impl Drop for Daemon {
    fn drop(&mut self) {
        // After `stop` the thread has ended and receives nothing.
        let _ = self.0.shutdown();
    }
}

/// Registers the services, or updates them. Returns their names.
fn register(
    daemon: &ServiceDaemon,
    said: &Announcement,
    hosts: Pin,
    ports: &BTreeMap<u16, Places>,
) -> Result<Vec<String>, mdns_sd::Error> {
    let mut names = Vec::new();
    for (index, (port, places)) in ports.iter().enumerate() {
        let service = service(said, hosts, index, *port, places)?;
        names.push(service.get_fullname().to_owned());
        daemon.register(service)?;
    }
    Ok(names)
}

/// Logs whether the announcements reach the network.
async fn report(events: Receiver<DaemonEvent>, _ending: DropGuard) {
    let mut heard = timeout(QUIET, first_announcement(&events)).await;
    if heard.is_err() {
        warn!("nobody hears the announcements so far: no network is up on the addresses listened on");
        heard = Ok(first_announcement(&events).await);
    }
    if heard == Ok(true) {
        info!("announced on the local network");
    }
    while let Ok(event) = events.recv_async().await {
        if let DaemonEvent::NameChange(change) = event {
            // Our own name with a number appended.
            info!(name = %change.new_name, "the name is taken on the local network; announced by another");
        }
    }
}

/// Waits until the server is announced. Returns false if there will be no announcement any more.
async fn first_announcement(events: &Receiver<DaemonEvent>) -> bool {
    loop {
        match events.recv_async().await {
            Ok(DaemonEvent::Announce(..)) => return true,
            Ok(_) => {}
            Err(_) => return false,
        }
    }
}

async fn wait<T>(done: Receiver<T>) {
    // The goodbye is best effort: nothing confirms that other machines received it.
    let _ = timeout(GOODBYE, done.recv_async()).await;
}

/// Addresses on which a port is listened on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Places {
    all_v4: bool,
    all_v6: bool,
    some: Vec<IpAddr>,
}

impl Places {
    fn have(&self, ip: IpAddr) -> bool {
        match ip {
            _ if ip.is_loopback() => false,
            // Unusable without an interface name, which differs on each machine.
            IpAddr::V6(v6) if v6.is_unicast_link_local() => false,
            IpAddr::V4(_) if self.all_v4 => true,
            IpAddr::V6(_) if self.all_v6 => true,
            ip => self.some.contains(&ip),
        }
    }

    /// Returns the interface filter for the daemon, which applies it again when addresses come and go.
    fn interfaces(&self) -> IfKind {
        let places = self.clone();
        IfKind::Predicate(IfPredicate::new(move |interface: &Interface| places.have(interface.ip())))
    }
}

/// Returns the ports that other machines can reach, each with its addresses.
fn ports(bound: &[SocketAddr]) -> BTreeMap<u16, Places> {
    let mut ports = BTreeMap::<u16, Places>::new();
    for address in bound.iter().filter(|address| !address.ip().is_loopback()) {
        let places = ports.entry(address.port()).or_default();
        match address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => places.all_v4 = true,
            IpAddr::V6(ip) if ip.is_unspecified() => places.all_v6 = true,
            ip => places.some.push(ip),
        }
    }
    ports
}

/// Makes the service of a port. DNS-SD allows a name only one port, so further ports get names of their own.
fn service(
    announcement: &Announcement,
    hosts: Pin,
    index: usize,
    port: u16,
    places: &Places,
) -> Result<ServiceInfo, mdns_sd::Error> {
    let name = match index {
        0 => announcement.name.clone(),
        _ => format!("{} ({port})", announcement.name),
    };
    // Not the machine's host name, which is private and which another responder may announce.
    let [a, b, c, d, ..] = hosts.as_bytes();
    let host = format!("parlour-{a:02x}{b:02x}{c:02x}{d:02x}-{port}.local.");
    let mut service = ServiceInfo::new(SERVICE, &name, &host, (), port, announcement.txt().as_slice())?;
    service.set_interfaces(vec![places.interfaces()]);
    Ok(service.enable_addr_auto())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(name: &str, pin: u8) -> Announcement {
        Announcement { name: name.to_owned(), pin: Pin::new([pin; 32]), old: None, version: None }
    }

    fn at(bound: &[&str]) -> BTreeMap<u16, Places> {
        ports(&bound.iter().map(|text| text.parse().expect(text)).collect::<Vec<_>>())
    }

    #[test]
    fn only_bound_addresses_are_announced() {
        let have = |places: &Places, ip: &str| places.have(ip.parse().expect(ip));
        let all = at(&["0.0.0.0:1", "[::]:1"]);
        for (ip, expected) in [
            ("192.0.2.7", true),
            ("169.254.1.2", true),
            ("2001:db8::7", true),
            ("fd00::7", true),
            ("fe80::7", false),
            ("127.0.0.1", false),
            ("::1", false),
        ] {
            assert_eq!(have(&all[&1], ip), expected, "{ip}");
        }
        let one = at(&["192.0.2.7:1", "127.0.0.1:2", "[::1]:1"]);
        assert_eq!(one.len(), 1);
        assert!(have(&one[&1], "192.0.2.7"));
        assert!(!have(&one[&1], "192.0.2.8") && !have(&one[&1], "127.0.0.1"));
        let v4 = at(&["0.0.0.0:1", "[fd00::7]:1", "[fd00::7]:2"]);
        assert!(have(&v4[&1], "192.0.2.7") && have(&v4[&1], "fd00::7") && !have(&v4[&1], "fd00::8"));
        assert!(!have(&v4[&2], "192.0.2.7") && have(&v4[&2], "fd00::7"));
    }

    #[test]
    fn loopback_only_server_is_not_announced() {
        let announcement = said("x", 7);
        let bound = ["127.0.0.1:1".parse().expect("an address"), "[::1]:1".parse().expect("an address")];
        assert!(matches!(
            Announcer::start(move || announcement.clone(), &bound),
            Err(AnnounceError::Loopback)
        ));
    }

    #[test]
    fn each_port_has_its_own_service_name() {
        let announcement = said("Den.home", 171);
        let one = service(&announcement, announcement.pin, 0, 6697, &Places::default()).expect("a service");
        let two = service(&announcement, announcement.pin, 1, 7000, &Places::default()).expect("a service");
        assert_eq!(one.get_hostname(), "parlour-abababab-6697.local.");
        assert_eq!(one.get_fullname(), "Den\\.home._parlour._tcp.local.");
        assert_ne!(one.get_fullname(), two.get_fullname());
        assert_ne!(one.get_hostname(), two.get_hostname());
        assert_eq!(one.get_property_val_str("pin"), Some(Pin::new([171; 32]).to_string().as_str()));
    }
}
