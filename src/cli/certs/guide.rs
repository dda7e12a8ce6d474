//! Instructions for configuring other programs, such that they verify this server.

use std::path::Path;

use clap::ValueEnum;

use crate::trust::Address;
use crate::trust::certs::{CertificateInfo, SubjectAltName};

/// A program to configure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Program {
    /// irssi 1.4
    Irssi,
    /// `WeeChat` 3 and 4
    #[value(name = "weechat", help = "WeeChat 3 and 4")]
    WeeChat,
    /// Halloy, a graphical client.
    Halloy,
    /// senpai, a client for the terminal.
    Senpai,
    /// catgirl, a client for the terminal.
    Catgirl,
    /// The Lounge, a client for the browser with a server of its own.
    #[value(name = "thelounge")]
    TheLounge,
    /// tiny, a client for the terminal.
    Tiny,
    /// `HexChat`
    #[value(name = "hexchat", help = "HexChat")]
    HexChat,
    /// Pidgin and Finch
    Pidgin,
    /// Goguma, for Android
    Goguma,
    /// soju, the bouncer
    Soju,
    /// ZNC, the bouncer
    Znc,
    /// Limnoria, for bots
    Limnoria,
    /// Sopel, for bots
    Sopel,
    /// openssl, to test the connection
    Openssl,
    /// A web browser, to import or to compare the root
    Browser,
}

/// The values of this server.
pub struct ServerFacts<'a> {
    /// Name of the network.
    pub network: &'a str,
    /// Address for the client to connect to.
    pub address: &'a Address,
    /// Account to log in to.
    pub account: &'a str,
    /// Path of the root certificate.
    pub root: &'a Path,
    /// Names and fingerprints of the certificates.
    pub certificates: &'a CertificateInfo,
}

impl Program {
    /// Returns whether the program compares the server's host name with those in the certificate.
    pub fn checks_names(self) -> bool {
        !matches!(self, Self::Irssi | Self::Catgirl | Self::Goguma | Self::Browser)
    }

    /// Returns the lines to paste. None of them contains a password.
    pub fn settings(self, facts: &ServerFacts<'_>) -> String {
        match self {
            Self::Irssi => irssi(facts),
            Self::WeeChat => weechat(facts),
            Self::Halloy => halloy(facts),
            Self::Senpai => senpai(facts),
            Self::Catgirl => catgirl(facts),
            Self::TheLounge => the_lounge(facts),
            Self::Tiny => tiny(facts),
            Self::HexChat => hexchat(facts),
            Self::Pidgin => pidgin(facts),
            Self::Goguma => goguma(facts),
            Self::Soju => soju(facts),
            Self::Znc => znc(facts),
            Self::Limnoria => limnoria(facts),
            Self::Sopel => sopel(facts),
            Self::Openssl => openssl(facts),
            Self::Browser => browser(facts),
        }
    }

    /// Returns notes about the lines.
    pub fn note(self) -> &'static str {
        match self {
            Self::Irssi => {
                "Type these into irssi, with your password in the second. -notls_verify turns off only the search for an \
                 authority: a server with another key than the one with this fingerprint is refused. The key stays when \
                 the certificate is renewed. show_server_time shows when a missed message was said."
            }
            Self::WeeChat => {
                "Type these into WeeChat, the first, the line of your version and then the others, with your password in \
                 one of them. The file is the root's certificate (`parlour certs export-root`): copy it to where WeeChat \
                 runs and name it by its full path. WeeChat notices no renewal. It takes the root for an authority in all \
                 networks."
            }
            Self::Halloy => {
                "Put these into Halloy's config.toml, with your password. Halloy notices no renewal; the file is the \
                 root's certificate: copy it to where Halloy runs (`parlour certs export-root`) and name it by its full path. \
                 To upload files, install that for the system, too: Halloy takes authorities for them from there."
            }
            Self::Senpai => {
                "Put these into senpai.scfg, with your password. senpai takes authorities from the system: start it as \
                 the first line says, with the root's certificate (`parlour certs export-root`), or install that."
            }
            Self::Catgirl => {
                "Put these into a file in ~/.config/catgirl, with your password, and name that file to catgirl. The one at \
                 `trust` is the root's certificate (`parlour certs export-root`); catgirl notices no renewal."
            }
            Self::TheLounge => {
                "Start The Lounge with the first line, where the file is the root's certificate (`parlour certs \
                 export-root`), and fill in the rest under Connect to network, with your password."
            }
            Self::Tiny => {
                "Put these into tiny's config.yml, with your password. tiny takes authorities from the system: start it as \
                 the first line says, with the root's certificate (`parlour certs export-root`), or install that."
            }
            Self::HexChat => {
                "Start HexChat with the first line, where the file is the root's certificate (`parlour certs export-root`), \
                 and fill in the rest in the network list, with your password."
            }
            Self::Pidgin => {
                "Install the root's certificate (`parlour certs export-root`) as an authority of the system first, and add an \
                 account with these. Accept no certificate that Pidgin asks about: it would ask again after each renewal."
            }
            Self::Soju => {
                "Start soju with the first line, where the file is the root's certificate (`parlour certs export-root`), and \
                 send the others to BouncerServ, with your password."
            }
            Self::Znc => {
                "Start ZNC with the first line, where the file is the root's certificate (`parlour certs export-root`), and \
                 type the others into a client that is connected to it, with your password."
            }
            Self::Limnoria => {
                "Put these into the bot's configuration file, with its password. The file is the root's certificate \
                 (`parlour certs export-root`). The mode +B says that it is a bot, to which nothing is replayed."
            }
            Self::Sopel => {
                "Put these into the bot's configuration file, with its password. The file at `ca_certs` is the root's \
                 certificate (`parlour certs export-root`). The mode B says that it is a bot, to which nothing is replayed."
            }
            Self::Goguma => {
                "Goguma does not know the root and shows a certificate: accept it only if its fingerprint is one of these."
            }
            Self::Openssl => {
                "Prints `Verify return code: 0 (ok)`, or fails. The file is the root's certificate (`parlour certs \
                 export-root`)."
            }
            Self::Browser => {
                "A browser does not speak IRC and gets no connection. To compare the root where a browser or a system \
                 shows it, or before importing it as an authority:"
            }
        }
    }
}

fn irssi(facts: &ServerFacts<'_>) -> String {
    let (id, account) = (to_identifier(facts.network), facts.account);
    let (host, port) = (facts.address.host(), facts.address.port());
    let pin = facts.certificates.leaf_fingerprints.public_key.to_colon_hex();
    join_lines([
        "/set show_server_time ON".to_owned(),
        format!(
            "/network add -nick {account} -sasl_mechanism PLAIN -sasl_username {account} -sasl_password 'PASSWORD' {id}"
        ),
        format!("/server add -network {id} -tls -notls_verify -tls_pinned_pubkey {pin} {host} {port}"),
        format!("/channel add -auto #lobby {id}"),
        format!("/connect {id}"),
    ])
}

fn weechat(facts: &ServerFacts<'_>) -> String {
    let (id, account) = (to_identifier(facts.network), facts.account);
    let (host, port) = (facts.address.host(), facts.address.port());
    let add = |tls: &str| {
        format!(
            "/server add {id} {host}/{port} -{tls} -nicks={account} -sasl_mechanism=plain -sasl_username={account} -autojoin=#lobby"
        )
    };
    join_lines([
        format!("/set weechat.network.gnutls_ca_user {}", facts.root.display()),
        "WeeChat 3:".to_owned(),
        add("ssl"),
        "WeeChat 4:".to_owned(),
        add("tls"),
        "Both:".to_owned(),
        format!("/secure set {id} PASSWORD"),
        format!("/set irc.server.{id}.sasl_password \"${{sec.data.{id}}}\""),
        format!("/connect {id}"),
    ])
}

fn halloy(facts: &ServerFacts<'_>) -> String {
    let id = to_identifier(facts.network);
    let text = |text: &str| toml::Value::from(text).to_string();
    join_lines([
        format!("[servers.{id}]"),
        format!("nickname = {}", text(facts.account)),
        format!("server = {}", text(facts.address.host())),
        format!("port = {}", facts.address.port()),
        format!("root_cert_path = {}", text(&facts.root.display().to_string())),
        "channels = [\"#lobby\"]".to_owned(),
        String::new(),
        format!("[servers.{id}.sasl.plain]"),
        format!("username = {}", text(facts.account)),
        "password = \"PASSWORD\"".to_owned(),
    ])
}

fn senpai(facts: &ServerFacts<'_>) -> String {
    join_lines([
        format!("# SSL_CERT_FILE={} senpai", shell_quote(&facts.root.display().to_string())),
        format!("address ircs://{}", facts.address),
        format!("nickname {}", facts.account),
        "password \"PASSWORD\"".to_owned(),
        "channel \"#lobby\"".to_owned(),
    ])
}

fn catgirl(facts: &ServerFacts<'_>) -> String {
    join_lines([
        format!("host = {}", facts.address.host()),
        format!("port = {}", facts.address.port()),
        format!("trust = {}", facts.root.display()),
        format!("nick = {}", facts.account),
        format!("sasl-plain = {}:PASSWORD", facts.account),
        "join = #lobby".to_owned(),
    ])
}

fn the_lounge(facts: &ServerFacts<'_>) -> String {
    join_lines([
        format!("NODE_EXTRA_CA_CERTS={} thelounge start", shell_quote(&facts.root.display().to_string())),
        format!("Name: {}", facts.network),
        format!("Server: {} : {}", facts.address.host(), facts.address.port()),
        "Use secure connection (TLS): on".to_owned(),
        "Only allow trusted certificates: on".to_owned(),
        format!("Nick: {}", facts.account),
        "Channels: #lobby".to_owned(),
        "Authentication: Username + password (SASL PLAIN)".to_owned(),
        format!("Account: {}", facts.account),
    ])
}

fn tiny(facts: &ServerFacts<'_>) -> String {
    let account = facts.account;
    join_lines([
        format!("# SSL_CERT_FILE={} tiny", shell_quote(&facts.root.display().to_string())),
        "servers:".to_owned(),
        format!("    - addr: '{}'", facts.address.host()),
        format!("      port: {}", facts.address.port()),
        "      tls: true".to_owned(),
        format!("      realname: {account}"),
        format!("      nicks: [{account}]"),
        "      join: ['#lobby']".to_owned(),
        "      sasl:".to_owned(),
        format!("          username: {account}"),
        "          password: 'PASSWORD'".to_owned(),
    ])
}

fn hexchat(facts: &ServerFacts<'_>) -> String {
    join_lines([
        format!("SSL_CERT_FILE={} hexchat", shell_quote(&facts.root.display().to_string())),
        format!("Network: {}", facts.network),
        format!("Server: {}/+{}", facts.address.host(), facts.address.port()),
        "Use SSL for all the servers on this network: on".to_owned(),
        "Accept invalid SSL certificates: off".to_owned(),
        format!("Nick name, User name: {}", facts.account),
        "Login method: SASL PLAIN (username + password)".to_owned(),
        "Password: PASSWORD".to_owned(),
        "Autojoin channels: #lobby".to_owned(),
    ])
}

fn pidgin(facts: &ServerFacts<'_>) -> String {
    join_lines([
        "Protocol: IRC".to_owned(),
        format!("Username: {}", facts.account),
        format!("Server: {}", facts.address.host()),
        "Password: PASSWORD".to_owned(),
        format!("Advanced, Port: {}", facts.address.port()),
        "Advanced, Use SSL: on".to_owned(),
        "Advanced, Authenticate with SASL: on".to_owned(),
    ])
}

fn soju(facts: &ServerFacts<'_>) -> String {
    let (id, account) = (to_identifier(facts.network), facts.account);
    join_lines([
        format!("SSL_CERT_FILE={} soju", shell_quote(&facts.root.display().to_string())),
        format!("network create -addr ircs://{} -name {id} -nick {account}", facts.address),
        format!("sasl set-plain -network {id} {account} PASSWORD"),
    ])
}

fn znc(facts: &ServerFacts<'_>) -> String {
    let (id, account) = (to_identifier(facts.network), facts.account);
    join_lines([
        format!("SSL_CERT_FILE={} znc", shell_quote(&facts.root.display().to_string())),
        format!("/msg *status AddNetwork {id}"),
        format!("/msg *status JumpNetwork {id}"),
        "/msg *status LoadMod sasl".to_owned(),
        format!("/msg *sasl Set {account} PASSWORD"),
        "/msg *sasl RequireAuth yes".to_owned(),
        format!("/msg *status AddServer {} +{}", facts.address.host(), facts.address.port()),
    ])
}

fn limnoria(facts: &ServerFacts<'_>) -> String {
    let (id, account) = (to_identifier(facts.network), facts.account);
    join_lines([
        format!("supybot.nick: {account}"),
        format!("supybot.networks: {id}"),
        format!("supybot.networks.{id}.servers: {}", facts.address),
        format!("supybot.networks.{id}.ssl: True"),
        format!("supybot.networks.{id}.ssl.authorityCertificate: {}", facts.root.display()),
        "supybot.protocols.ssl.verifyCertificates: True".to_owned(),
        format!("supybot.networks.{id}.sasl.username: {account}"),
        format!("supybot.networks.{id}.sasl.password: PASSWORD"),
        format!("supybot.networks.{id}.sasl.required: True"),
        format!("supybot.networks.{id}.channels: #lobby"),
        format!("supybot.networks.{id}.umodes: +B"),
    ])
}

fn sopel(facts: &ServerFacts<'_>) -> String {
    let account = facts.account;
    join_lines([
        "[core]".to_owned(),
        format!("nick = {account}"),
        format!("host = {}", facts.address.host()),
        format!("port = {}", facts.address.port()),
        "use_ssl = true".to_owned(),
        "verify_ssl = true".to_owned(),
        format!("ca_certs = {}", facts.root.display()),
        "auth_method = sasl".to_owned(),
        format!("auth_username = {account}"),
        "auth_password = PASSWORD".to_owned(),
        "channels = \"#lobby\"".to_owned(),
        "modes = B".to_owned(),
    ])
}

fn goguma(facts: &ServerFacts<'_>) -> String {
    let certificates = facts.certificates;
    join_lines([
        format!("Server: {}", facts.address),
        format!("Nickname: {}", facts.account),
        format!("SHA1 Fingerprint (server): {}", certificates.leaf_fingerprints.sha1.to_hex()),
        format!("SHA1 Fingerprint (root): {}", certificates.root_fingerprints.sha1.to_hex()),
    ])
}

fn openssl(facts: &ServerFacts<'_>) -> String {
    let host = facts.address.host();
    let verify =
        if matches!(host.parse(), Ok(SubjectAltName::Ip(_))) { "verify_ip" } else { "verify_hostname" };
    join_lines([format!(
        "openssl s_client -connect {} -CAfile {} -verify_return_error -{verify} {host} -tls1_3 -alpn irc",
        facts.address,
        shell_quote(&facts.root.display().to_string()),
    )])
}

fn browser(facts: &ServerFacts<'_>) -> String {
    let root = &facts.certificates.root_fingerprints.certificate;
    join_lines([
        format!("File: {}", facts.root.display()),
        format!("Firefox, SHA-256 Fingerprint: {}", root.to_colon_hex()),
        format!("Chromium, SHA-256 Fingerprints, Certificate: {}", root.to_hex()),
    ])
}

fn join_lines(lines: impl IntoIterator<Item = String>) -> String {
    lines.into_iter().map(|line| line + "\n").collect()
}

/// Reduces the network's name to a key that every program accepts.
fn to_identifier(network: &str) -> String {
    let plain: String = network.chars().filter(char::is_ascii_alphanumeric).collect();
    if plain.is_empty() { "parlour".to_owned() } else { plain.to_ascii_lowercase() }
}

/// Quotes a word for the shell if necessary.
fn shell_quote(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+,@%:".contains(c);
    if text.chars().all(plain) { text.to_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_and_paths_are_escaped() {
        assert_eq!(to_identifier("Parlour"), "parlour");
        assert_eq!(to_identifier("Class-3b"), "class3b");
        assert_eq!(to_identifier("茶室"), "parlour");
        assert_eq!(shell_quote("/a b's"), r"'/a b'\''s'");
    }
}
