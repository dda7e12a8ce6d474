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
use crate::trust::announcement::{Announcement, SERVICE_TYPE};
use crate::trust::certs::CertificateInfo;

/// Time limit for the goodbye, which is one packet and a reply of the daemon's thread.
const GOODBYE_TIMEOUT: Duration = Duration::from_secs(2);

/// Time after which a missing announcement is logged. The first one takes a second, because the names are probed three
/// times ([RFC 6762, section 8.1](https://www.rfc-editor.org/rfc/rfc6762#section-8.1)).
const ANNOUNCE_WARNING_DELAY: Duration = Duration::from_secs(10);

/// Reason why the server is not announced.
#[derive(Debug, thiserror::Error)]
pub enum AnnounceError {
    /// The server listens on the loopback only.
    #[error(
        "the server listens on the loopback alone, where nobody else could reach it: \
         name an address of the network with --listen or in parlour.toml"
    )]
    LoopbackOnly,
    /// mDNS does not work on this machine.
    #[error("mDNS cannot be used: {0}")]
    Mdns(#[from] mdns_sd::Error),
}

/// Interval at which the announcement is compared with the certificates, which are rarely replaced while the server
/// runs.
const FOLLOW_INTERVAL: Duration = Duration::from_secs(5);

/// Returns the announcement of a server of that name with these certificates.
pub fn make_announcement(name: &str, certificates: &CertificateInfo) -> Announcement {
    Announcement {
        name: name.to_owned(),
        pin: certificates.pin,
        old_pin: certificates.rotation.map(|rotating| rotating.old_pin),
        version: Some(env!("CARGO_PKG_VERSION").to_owned()),
    }
}

/// The announcements of a server, until [`stop`](Self::stop) ends them.
pub struct MdnsAnnouncer {
    daemon: DaemonGuard,
    service_names: Vec<String>,
    /// Aborted when this is dropped.
    _tasks: [AbortOnDropHandle<()>; 2],
    ended_token: CancellationToken,
}

impl MdnsAnnouncer {
    /// Announces a server that listens on `bound`, from background tasks of tokio's runtime, and only on the interfaces
    /// of these addresses. Calls `announcement` again and again, to follow changes.
    pub fn start(
        announcement: impl Fn() -> Announcement + Send + 'static,
        bound: &[SocketAddr],
    ) -> Result<Self, AnnounceError> {
        let ports = reachable_ports(bound);
        if ports.is_empty() {
            return Err(AnnounceError::LoopbackOnly);
        }
        let daemon = DaemonGuard(ServiceDaemon::new()?);
        let ended = CancellationToken::new();
        let report_task = tokio::spawn(log_daemon_events(daemon.0.monitor()?, ended.clone().drop_guard()));
        daemon.0.disable_interface(IfKind::All)?;
        for addresses in ports.values() {
            daemon.0.enable_interface(addresses.interfaces())?;
        }
        let announced = announcement();
        // The host name comes from the first pin, and stays when the pin changes.
        let host_pin = announced.pin;
        let services = register_services(&daemon.0, &announced, host_pin, &ports)?;
        let follower = daemon.0.clone();
        let ending = ended.clone().drop_guard();
        let follow_task = tokio::spawn(async move {
            let _ending = ending;
            let mut announced = announced;
            loop {
                sleep(FOLLOW_INTERVAL).await;
                let current = announcement();
                // A failed registration is tried again.
                if current != announced && register_services(&follower, &current, host_pin, &ports).is_ok() {
                    announced = current;
                }
            }
        });
        let tasks = [report_task, follow_task].map(AbortOnDropHandle::new);
        Ok(Self { daemon, service_names: services, _tasks: tasks, ended_token: ended })
    }

    /// Returns a future that is ready when nothing is announced any more, because a task or the daemon's thread has
    /// ended.
    pub fn wait_until_ended(&self) -> impl Future<Output = ()> + Send + use<> {
        self.ended_token.clone().cancelled_owned()
    }

    /// Sends the goodbye, so that other machines stop listing a server that is gone.
    pub async fn stop(mut self) {
        for service in std::mem::take(&mut self.service_names) {
            if let Ok(done) = self.daemon.0.unregister(&service) {
                wait_for_goodbye(done).await;
            }
        }
        if let Ok(done) = self.daemon.0.shutdown() {
            wait_for_goodbye(done).await;
        }
    }
}

/// The daemon's thread; ends when this is dropped.
struct DaemonGuard(ServiceDaemon);

impl Drop for DaemonGuard {
    fn drop(&mut self) {
        // After `stop` the thread has ended and receives nothing.
        let _ = self.0.shutdown();
    }
}

/// Registers the services, or updates them. Returns their names.
fn register_services(
    daemon: &ServiceDaemon,
    announcement: &Announcement,
    host_pin: Pin,
    ports: &BTreeMap<u16, PortAddresses>,
) -> Result<Vec<String>, mdns_sd::Error> {
    let mut names = Vec::new();
    for (index, (port, port_addresses)) in ports.iter().enumerate() {
        let service = make_service(announcement, host_pin, index, *port, port_addresses)?;
        names.push(service.get_fullname().to_owned());
        daemon.register(service)?;
    }
    Ok(names)
}

/// Logs whether the announcements reach the network.
async fn log_daemon_events(events: Receiver<DaemonEvent>, _ending: DropGuard) {
    let mut is_announced = timeout(ANNOUNCE_WARNING_DELAY, wait_for_first_announcement(&events)).await;
    if is_announced.is_err() {
        warn!("nobody hears the announcements so far: no network is up on the addresses listened on");
        is_announced = Ok(wait_for_first_announcement(&events).await);
    }
    if is_announced == Ok(true) {
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
async fn wait_for_first_announcement(events: &Receiver<DaemonEvent>) -> bool {
    loop {
        match events.recv_async().await {
            Ok(DaemonEvent::Announce(..)) => return true,
            Ok(_) => {}
            Err(_) => return false,
        }
    }
}

async fn wait_for_goodbye<T>(done: Receiver<T>) {
    // The goodbye is best effort: nothing confirms that other machines received it.
    let _ = timeout(GOODBYE_TIMEOUT, done.recv_async()).await;
}

/// Addresses on which a port is listened on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct PortAddresses {
    all_v4: bool,
    all_v6: bool,
    specific: Vec<IpAddr>,
}

impl PortAddresses {
    fn contains(&self, ip: IpAddr) -> bool {
        match ip {
            _ if ip.is_loopback() => false,
            // Unusable without an interface name, which differs on each machine.
            IpAddr::V6(v6) if v6.is_unicast_link_local() => false,
            IpAddr::V4(_) if self.all_v4 => true,
            IpAddr::V6(_) if self.all_v6 => true,
            ip => self.specific.contains(&ip),
        }
    }

    /// Returns the interface filter for the daemon, which applies it again when addresses come and go.
    fn interfaces(&self) -> IfKind {
        let addresses = self.clone();
        IfKind::Predicate(IfPredicate::new(move |interface: &Interface| addresses.contains(interface.ip())))
    }
}

/// Returns the ports that other machines can reach, each with its addresses.
fn reachable_ports(bound: &[SocketAddr]) -> BTreeMap<u16, PortAddresses> {
    let mut ports = BTreeMap::<u16, PortAddresses>::new();
    for address in bound.iter().filter(|address| !address.ip().is_loopback()) {
        let addresses = ports.entry(address.port()).or_default();
        match address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => addresses.all_v4 = true,
            IpAddr::V6(ip) if ip.is_unspecified() => addresses.all_v6 = true,
            ip => addresses.specific.push(ip),
        }
    }
    ports
}

/// Makes the service of a port. DNS-SD allows a name only one port, so further ports get names of their own.
fn make_service(
    announcement: &Announcement,
    host_pin: Pin,
    index: usize,
    port: u16,
    addresses: &PortAddresses,
) -> Result<ServiceInfo, mdns_sd::Error> {
    let name = match index {
        0 => announcement.name.clone(),
        _ => format!("{} ({port})", announcement.name),
    };
    // Not the machine's host name, which is private and which another responder may announce.
    let [a, b, c, d, ..] = host_pin.as_bytes();
    let host = format!("parlour-{a:02x}{b:02x}{c:02x}{d:02x}-{port}.local.");
    let mut service =
        ServiceInfo::new(SERVICE_TYPE, &name, &host, (), port, announcement.to_txt().as_slice())?;
    service.set_interfaces(vec![addresses.interfaces()]);
    Ok(service.enable_addr_auto())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn announcement_of(name: &str, pin: u8) -> Announcement {
        Announcement { name: name.to_owned(), pin: Pin::new([pin; 32]), old_pin: None, version: None }
    }

    fn ports_of(bound: &[&str]) -> BTreeMap<u16, PortAddresses> {
        reachable_ports(&bound.iter().map(|text| text.parse().expect(text)).collect::<Vec<_>>())
    }

    #[test]
    fn only_bound_addresses_are_announced() {
        let have = |port_addresses: &PortAddresses, ip: &str| port_addresses.contains(ip.parse().expect(ip));
        let all = ports_of(&["0.0.0.0:1", "[::]:1"]);
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
        let one = ports_of(&["192.0.2.7:1", "127.0.0.1:2", "[::1]:1"]);
        assert_eq!(one.len(), 1);
        assert!(have(&one[&1], "192.0.2.7"));
        assert!(!have(&one[&1], "192.0.2.8") && !have(&one[&1], "127.0.0.1"));
        let v4 = ports_of(&["0.0.0.0:1", "[fd00::7]:1", "[fd00::7]:2"]);
        assert!(have(&v4[&1], "192.0.2.7") && have(&v4[&1], "fd00::7") && !have(&v4[&1], "fd00::8"));
        assert!(!have(&v4[&2], "192.0.2.7") && have(&v4[&2], "fd00::7"));
    }

    #[test]
    fn loopback_only_server_is_not_announced() {
        let announcement = announcement_of("x", 7);
        let bound = ["127.0.0.1:1".parse().expect("an address"), "[::1]:1".parse().expect("an address")];
        assert!(matches!(
            MdnsAnnouncer::start(move || announcement.clone(), &bound),
            Err(AnnounceError::LoopbackOnly)
        ));
    }

    #[test]
    fn each_port_has_its_own_service_name() {
        let announcement = announcement_of("Den.home", 171);
        let one = make_service(&announcement, announcement.pin, 0, 6697, &PortAddresses::default())
            .expect("a service");
        let two = make_service(&announcement, announcement.pin, 1, 7000, &PortAddresses::default())
            .expect("a service");
        assert_eq!(one.get_hostname(), "parlour-abababab-6697.local.");
        assert_eq!(one.get_fullname(), "Den\\.home._parlour._tcp.local.");
        assert_ne!(one.get_fullname(), two.get_fullname());
        assert_ne!(one.get_hostname(), two.get_hostname());
        assert_eq!(one.get_property_val_str("pin"), Some(Pin::new([171; 32]).to_string().as_str()));
    }
}
