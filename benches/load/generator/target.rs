//! The server to measure, and how clients connect to it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use clap::{Args, ValueEnum};
use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::{CipherSuite, ClientConfig, DigitallySignedStruct, NamedGroup, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::client::{Client, Login};
use super::devices::Device;

/// The server under test.
#[derive(Args, Clone, Debug)]
#[group(skip)]
pub struct Target {
    /// Address of the server, on this machine
    #[arg(long)]
    pub address: SocketAddr,
    /// Process of the server, for its CPU time and its memory
    #[arg(long)]
    pub pid: Option<u32>,
    /// Name of the server in the output
    #[arg(long, default_value = "server")]
    pub server: String,
    /// Name of the measurement in the output, instead of that of the scenario
    #[arg(long)]
    pub name: Option<String>,
    /// Proof that clients log in with
    #[arg(long, value_enum, default_value_t = Proof::Password)]
    pub proof: Proof,
    /// Accounts, which must exist, are called this and a number from 0
    #[arg(long, default_value = "load")]
    pub prefix: String,
    /// Password of every account
    #[arg(long, env = "LOAD_PASSWORD", default_value = "lanterns-over-the-harbour", hide_env_values = true)]
    pub password: String,
    /// Logins at a time
    #[arg(long, default_value_t = 50)]
    pub concurrency: usize,
    /// Source addresses, 127.0.0.1 and on; each has ports for some 28,000 connections
    #[arg(long, default_value_t = 1)]
    pub sources: u8,
    /// Threads of the load generator that run the clients
    #[arg(long, default_value_t = 1)]
    pub threads: usize,
    /// Exchange keys by X25519MLKEM768 instead of X25519, which all servers have
    #[arg(long)]
    pub hybrid: bool,
    /// Seconds after which a login has failed
    #[arg(long, default_value_t = 60)]
    pub login_timeout: u64,
}

/// Proof of a client at its login.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Proof {
    /// None, for servers without accounts
    None,
    /// The password, by SASL PLAIN
    Password,
    /// A client certificate, by SASL EXTERNAL
    Device,
    /// The same in a resumed TLS session
    Resumed,
}

/// Opens connections to the server.
pub struct Dialer {
    /// The server under test.
    pub target: Target,
    config: ClientConfig,
    /// A configuration for each client that has a device.
    devices: Vec<TlsConnector>,
    plain: TlsConnector,
    negotiated: OnceLock<String>,
}

impl Dialer {
    /// Makes one without devices.
    ///
    /// # Errors
    /// When the server is on another machine: its certificate is not verified.
    pub fn new(target: &Target) -> Result<Self> {
        ensure!(target.address.ip().is_loopback(), "the server must be on this machine: {}", target.address);
        let config = client_config(target.hybrid)?;
        let plain = TlsConnector::from(Arc::new(config.clone()));
        Ok(Self { target: target.clone(), config, devices: Vec::new(), plain, negotiated: OnceLock::new() })
    }

    /// Gives the first clients a device each. Connections of a client resume its latest session if `resumed` is set.
    pub fn set_devices(&mut self, devices: &[Device], resumed: bool) -> Result<()> {
        let with_device = |device: &Device| {
            let mut config = self.config.clone();
            config.client_auth_cert_resolver = device.resolver(&config)?;
            if resumed {
                config.resumption = Resumption::in_memory_sessions(1);
            }
            Ok(TlsConnector::from(Arc::new(config)))
        };
        self.devices = devices.iter().map(with_device).collect::<Result<_>>()?;
        Ok(())
    }

    /// Opens a connection for a client and completes the handshake. Shows the client's device, if it has one.
    pub async fn connect(&self, client: usize) -> Result<TlsStream<TcpStream>> {
        self.connect_with(self.devices.get(client).unwrap_or(&self.plain), client).await
    }

    /// The same without a device.
    pub async fn connect_without_device(&self, client: usize) -> Result<TlsStream<TcpStream>> {
        self.connect_with(&self.plain, client).await
    }

    async fn connect_with(&self, tls: &TlsConnector, client: usize) -> Result<TlsStream<TcpStream>> {
        let socket = TcpSocket::new_v4()?;
        let source = client % usize::from(self.target.sources.max(1));
        let source = Ipv4Addr::new(127, 0, 0, u8::try_from(source + 1).unwrap_or(1));
        socket.bind(SocketAddr::new(IpAddr::V4(source), 0)).context("a source address")?;
        socket.set_nodelay(true)?;
        let tcp = socket.connect(self.target.address).await.context("connecting")?;
        let name = ServerName::from(self.target.address.ip());
        let stream = tls.connect(name, tcp).await.context("the TLS handshake")?;
        self.negotiated.get_or_init(|| {
            let connection = stream.get_ref().1;
            let group =
                connection.negotiated_key_exchange_group().map(rustls::crypto::SupportedKxGroup::name);
            let suite = connection.negotiated_cipher_suite().map(|suite| suite.suite());
            format!("{suite:?} {group:?}").replace("Some(", "").replace(')', "")
        });
        Ok(stream)
    }

    /// Connects a client and logs it in, with these capabilities where the server has them.
    pub async fn log_in(&self, client: usize, proof: Proof, capabilities: &str) -> Result<Client> {
        let work = async {
            let stream = self.connect(client).await?;
            let name = format!("{}{client}", self.target.prefix);
            let login = Login { name: &name, password: &self.target.password, proof, capabilities };
            Client::log_in(stream, login).await
        };
        let limit = Duration::from_secs(self.target.login_timeout);
        let result = tokio::time::timeout(limit, work).await.context("timed out").and_then(|done| done);
        result.with_context(|| format!("login of client {client}"))
    }

    /// Returns the cipher suite and the key exchange of the first connection.
    pub fn negotiated(&self) -> &str {
        self.negotiated.get().map_or("", String::as_str)
    }
}

/// Returns the configuration that all clients start from: the same cryptography with every server.
fn client_config(hybrid: bool) -> Result<ClientConfig> {
    let mut provider: CryptoProvider = aws_lc_rs::default_provider();
    provider.cipher_suites.sort_by_key(|suite| suite.suite() != CipherSuite::TLS13_AES_128_GCM_SHA256);
    let group = if hybrid { NamedGroup::X25519MLKEM768 } else { NamedGroup::X25519 };
    provider.kx_groups.retain(|offered| offered.name() == group);
    let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(LocalServerVerifier))
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    Ok(config)
}

/// Accepts any certificate, and spends no time on it: the server runs on this machine for the measurement.
#[derive(Debug)]
struct LocalServerVerifier;

impl ServerCertVerifier for LocalServerVerifier {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(rustls::Error::General("TLS 1.3 alone is offered".into()))
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        aws_lc_rs::default_provider().signature_verification_algorithms.supported_schemes()
    }
}
