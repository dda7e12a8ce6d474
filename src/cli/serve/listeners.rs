//! The listening sockets of `parlour serve`: those that the service manager has passed, and those that are bound here.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use anyhow::{Context as _, bail, ensure};
use socket2::SockRef;
use tokio::net::TcpListener;
use tracing::warn;

use crate::platform::service_manager::PassedSocket;
use crate::server;
use crate::server::config::Config;

/// Name of a passed socket that is for IRC and HTTP alone, or for HTTP alone. One with another name is for those addresses
/// of the configuration that it has.
const CHAT: &str = "chat";
const WEB: &str = "web";

/// Name of the sockets for the metrics, which no service manager passes.
const METRICS: &str = "metrics";

/// Names of the two kinds of addresses in the configuration.
const CHAT_OPTION: &str = "`listen`";
const WEB_OPTION: &str = "`listen` in [web]";
const METRICS_OPTION: &str = "`listen` in [metrics]";

/// The listening sockets of a server.
#[derive(Debug)]
pub struct Listeners {
    /// Those for IRC, and for HTTP where it is enabled.
    pub chat: Vec<TcpListener>,
    /// Those for HTTP alone.
    pub web: Vec<TcpListener>,
    /// Those for the metrics.
    pub metrics: Vec<TcpListener>,
}

impl Listeners {
    /// Listens on the addresses of the configuration. Sockets that were passed are used instead of binding theirs, and so are
    /// those of the server that is `taken_over`, as far as they fit: its addresses may have been others.
    pub fn open(
        config: &Config,
        passed: Vec<PassedSocket>,
        taken_over: Vec<PassedSocket>,
    ) -> anyhow::Result<Self> {
        let mut chat = Taken::default();
        let mut web = Taken::default();
        let mut metrics = Taken::default();
        for socket in passed {
            let own = addresses_of(&socket.listener)?;
            let fits = |name: &str, addresses: &[SocketAddr]| {
                (socket.name == name || ![CHAT, WEB].contains(&socket.name.as_str()))
                    && own.iter().all(|address| addresses.contains(address))
            };
            let taken = if fits(CHAT, &config.listen) {
                &mut chat
            } else if fits(WEB, &config.web.listen) {
                &mut web
            } else {
                bail!(describe_misfit(&socket.name, &own, config));
            };
            taken.listeners.push(TcpListener::from_std(socket.listener)?);
            taken.addresses.extend(own);
        }
        for socket in taken_over {
            let (wanted, taken) = match socket.name.as_str() {
                WEB => (&config.web.listen, &mut web),
                METRICS => (&config.metrics.listen, &mut metrics),
                _ => (&config.listen, &mut chat),
            };
            taken.add_former(socket.listener, wanted)?;
        }
        let chat = chat.with_others(&config.listen, "--listen")?;
        ensure!(!chat.is_empty(), "nothing to listen on; name an address with --listen");
        let web = web.with_others(&config.web.listen, WEB_OPTION)?;
        Ok(Self { chat, web, metrics: metrics.with_others(&config.metrics.listen, METRICS_OPTION)? })
    }

    /// Returns copies of all sockets, with their names, for another process or a later server of this one.
    pub fn copies(&self) -> io::Result<Vec<PassedSocket>> {
        let copy = |name: &'static str| {
            move |listener: &TcpListener| {
                let listener = SockRef::from(listener).try_clone()?.into();
                Ok(PassedSocket { name: name.to_owned(), listener })
            }
        };
        let (chat, web) = (self.chat.iter().map(copy(CHAT)), self.web.iter().map(copy(WEB)));
        chat.chain(web).chain(self.metrics.iter().map(copy(METRICS))).collect()
    }

    /// Returns the addresses by which clients reach the server.
    pub fn chat_addresses(&self) -> io::Result<Vec<SocketAddr>> {
        let addresses = self.chat.iter().map(addresses_of).collect::<io::Result<Vec<_>>>()?;
        Ok(addresses.concat())
    }
}

/// Passed sockets of one kind, with all of their addresses.
#[derive(Default)]
struct Taken {
    listeners: Vec<TcpListener>,
    addresses: Vec<SocketAddr>,
}

impl Taken {
    /// Adds a socket of the former server if it has wanted addresses alone. Port 0 stands for any port.
    fn add_former(&mut self, listener: std::net::TcpListener, wanted: &[SocketAddr]) -> anyhow::Result<()> {
        let own = addresses_of(&listener)?;
        let is_for = |own: SocketAddr, wanted: SocketAddr| {
            wanted.ip() == own.ip() && [0, own.port()].contains(&wanted.port())
        };
        if own.iter().all(|own| wanted.iter().any(|wanted| is_for(*own, *wanted))) {
            let served = wanted.iter().filter(|wanted| own.iter().any(|own| is_for(*own, **wanted)));
            self.addresses.extend(served);
            self.listeners.push(TcpListener::from_std(listener)?);
        }
        Ok(())
    }

    /// Binds those of the addresses that no passed socket has, and returns all listeners.
    fn with_others(self, addresses: &[SocketAddr], option: &str) -> anyhow::Result<Vec<TcpListener>> {
        let Self { mut listeners, addresses: taken } = self;
        for &address in addresses.iter().filter(|address| !taken.contains(address)) {
            match server::bind(address) {
                Ok(listener) => listeners.push(listener),
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => bail!(
                    "{address} is in use by another program; stop that, or choose another address with {option}"
                ),
                // A machine without IPv6 still serves IPv4.
                Err(error) if address.ip().is_unspecified() && address.is_ipv6() && addresses.len() > 1 => {
                    warn!(%address, %error, "not listening");
                }
                Err(error) => {
                    return Err(error).with_context(|| {
                        format!("cannot listen on {address}; choose an address of this machine with {option}")
                    });
                }
            }
        }
        Ok(listeners)
    }
}

/// Returns the addresses of a socket. One for every IPv6 address may take IPv4 connections too.
fn addresses_of<'a, S>(socket: &'a S) -> io::Result<Vec<SocketAddr>>
where
    SockRef<'a>: From<&'a S>,
{
    let socket = SockRef::from(socket);
    let own = socket.local_addr()?.as_socket().ok_or(io::ErrorKind::Unsupported)?;
    let mut addresses = vec![own];
    if own.is_ipv6() && own.ip().is_unspecified() && !socket.only_v6()? {
        addresses.push((Ipv4Addr::UNSPECIFIED, own.port()).into());
    }
    Ok(addresses)
}

/// Says why a passed socket cannot be used.
fn describe_misfit(name: &str, own: &[SocketAddr], config: &Config) -> String {
    let list =
        |addresses: &[SocketAddr]| addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let (option, wanted) = match name {
        WEB => (WEB_OPTION, config.web.listen.clone()),
        CHAT => (CHAT_OPTION, config.listen.clone()),
        _ => (CHAT_OPTION, [&config.listen[..], &config.web.listen].concat()),
    };
    let wanted = if wanted.is_empty() { "no address".to_owned() } else { list(&wanted) };
    format!(
        "the service manager passed a socket for {} ({name}), but {option} has {wanted}; name the same addresses in the \
         socket's unit and in the configuration",
        list(own)
    )
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use socket2::{Domain, Socket, Type};

    use super::*;

    /// Makes a socket as a service manager does, and returns it with its port.
    fn pass(name: &str, address: &str) -> (PassedSocket, u16) {
        let address: SocketAddr = address.parse().expect(address);
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None).expect("a socket");
        if address.is_ipv6() {
            // systemd makes sockets of both families, which is not the default of every system.
            socket.set_only_v6(false).expect("set");
        }
        socket.bind(&address.into()).expect("binds");
        socket.listen(8).expect("listens");
        socket.set_nonblocking(true).expect("set");
        let listener: std::net::TcpListener = socket.into();
        let port = listener.local_addr().expect("an address").port();
        (PassedSocket { name: name.to_owned(), listener }, port)
    }

    fn config(listen: &[(&str, u16)], web: &[(&str, u16)]) -> Config {
        let addresses = |list: &[(&str, u16)]| {
            list.iter().map(|(ip, port)| SocketAddr::new(ip.parse().expect(ip), *port)).collect()
        };
        let mut config = Config { listen: addresses(listen), ..Config::default() };
        config.web.listen = addresses(web);
        config
    }

    const LOCAL: &str = "127.0.0.1";

    #[tokio::test]
    async fn passed_sockets_are_used_by_address_and_name_and_the_others_are_bound() {
        let (chat, chat_port) = pass("parlour.socket", "127.0.0.1:0");
        let (web, web_port) = pass(WEB, "127.0.0.1:0");
        let config = config(&[(LOCAL, chat_port), (LOCAL, 0)], &[(LOCAL, web_port)]);
        let listeners = Listeners::open(&config, vec![web, chat], Vec::new()).expect("opens");
        let addresses = listeners.chat_addresses().expect("addresses");
        assert_eq!((addresses.len(), listeners.web.len()), (2, 1));
        assert_eq!(addresses[0].port(), chat_port);
        assert_ne!(addresses[1].port(), chat_port);
        assert_eq!(listeners.web[0].local_addr().expect("an address").port(), web_port);
    }

    #[tokio::test]
    async fn a_socket_of_both_families_is_that_of_both_addresses() {
        if let Err(error) = std::net::TcpListener::bind("[::]:0") {
            let _ = writeln!(io::stderr(), "skipped: a machine without IPv6: {error}");
            return;
        }
        let (both, port) = pass("", "[::]:0");
        let configured = config(&[("0.0.0.0", port), ("::", port)], &[]);
        let listeners = Listeners::open(&configured, vec![both], Vec::new()).expect("opens");
        assert_eq!(listeners.chat.len(), 1);
        let mut addresses = listeners.chat_addresses().expect("addresses");
        addresses.sort();
        assert_eq!(addresses, configured.listen);
        // It would also accept connections that the configuration does not want.
        let (both, port) = pass("", "[::]:0");
        let taken = Listeners::open(&config(&[("::", port)], &[]), vec![both], Vec::new());
        assert!(taken.is_err());
    }

    #[tokio::test]
    async fn sockets_of_the_former_server_are_used_where_they_fit() {
        let first =
            Listeners::open(&config(&[(LOCAL, 0)], &[(LOCAL, 0)]), Vec::new(), Vec::new()).expect("opens");
        let address = first.chat_addresses().expect("addresses")[0];
        let web = first.web[0].local_addr().expect("an address");
        let wanted = config(&[(LOCAL, address.port())], &[(LOCAL, 0)]);
        let next = Listeners::open(&wanted, Vec::new(), first.copies().expect("copies")).expect("opens");
        assert_eq!(next.chat_addresses().expect("addresses"), [address]);
        assert_eq!(next.web.len(), 1);
        assert_eq!(next.web[0].local_addr().expect("an address"), web);
        // Another address: the socket is closed, and one is bound.
        let (_, other) = pass("", "127.0.0.1:0");
        let moved = config(&[(LOCAL, other)], &[]);
        let moved = Listeners::open(&moved, Vec::new(), first.copies().expect("copies")).expect("opens");
        assert_eq!(moved.chat_addresses().expect("addresses")[0].port(), other);
        assert!(moved.web.is_empty());
    }

    #[tokio::test]
    async fn a_socket_that_does_not_fit_is_refused_with_both_addresses() {
        for (name, option) in [("parlour.socket", CHAT_OPTION), (CHAT, CHAT_OPTION), (WEB, WEB_OPTION)] {
            let (socket, port) = pass(name, "127.0.0.1:0");
            // The address is there, but for the other purpose.
            let listen = if name == WEB { vec![(LOCAL, port)] } else { vec![(LOCAL, 0)] };
            let web = if name == CHAT { vec![(LOCAL, port)] } else { vec![] };
            let config = config(&listen, &web);
            let error = Listeners::open(&config, vec![socket], Vec::new()).expect_err("refused").to_string();
            for part in [format!("127.0.0.1:{port} ({name})"), option.to_owned()] {
                assert!(error.contains(&part), "{part} is not in: {error}");
            }
        }
    }
}
