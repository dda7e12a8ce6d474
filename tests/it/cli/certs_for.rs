//! `parlour certs show --for`: its output word for word, checked for truth.

use std::fs;
use std::process::{Command, Output};

use parlour::trust::certs::{self, CertificateInfo};

use crate::support::{Client, Home, Server, has_program, server};

fn show_for_program(home: &Home, program: &str) -> String {
    home.succeed(&["certs", "show", "--for", program, "--account", "alice"])
}

/// Starts a server. Returns it with its port and the content of its certificates.
fn start_server() -> (Server, u16, CertificateInfo, String) {
    let server = server();
    let certificates = certs::inspect(&server.home.path("certs")).expect("certificates");
    let root = server.home.path("certs/root.pem").canonicalize().expect("a path");
    let port = server.address.port();
    (server, port, certificates, root.display().to_string())
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table of programs")]
fn each_program_gets_its_own_settings() {
    let (server, port, certificates, root) = start_server();
    let of = &certificates.leaf_fingerprints;
    let key = of.public_key.to_colon_hex();
    let weechat = |tls: &str| {
        format!(
            "/server add parlour 127.0.0.1/{port} -{tls} -nicks=alice -sasl_mechanism=plain -sasl_username=alice -autojoin=#lobby"
        )
    };
    let of_root = &certificates.root_fingerprints;
    for (program, expected) in [
        (
            "irssi",
            format!(
                "/set show_server_time ON\n\
                 /network add -nick alice -sasl_mechanism PLAIN -sasl_username alice -sasl_password 'PASSWORD' parlour\n\
                 /server add -network parlour -tls -notls_verify -tls_pinned_pubkey {key} 127.0.0.1 {port}\n\
                 /channel add -auto #lobby parlour\n\
                 /connect parlour\n"
            ),
        ),
        (
            "weechat",
            format!(
                "/set weechat.network.gnutls_ca_user {root}\nWeeChat 3:\n{}\nWeeChat 4:\n{}\nBoth:\n\
                 /secure set parlour PASSWORD\n\
                 /set irc.server.parlour.sasl_password \"${{sec.data.parlour}}\"\n\
                 /connect parlour\n",
                weechat("ssl"),
                weechat("tls")
            ),
        ),
        (
            "halloy",
            format!(
                "[servers.parlour]\nnickname = \"alice\"\nserver = \"127.0.0.1\"\nport = {port}\n\
                 root_cert_path = \"{root}\"\nchannels = [\"#lobby\"]\n\n\
                 [servers.parlour.sasl.plain]\nusername = \"alice\"\npassword = \"PASSWORD\"\n"
            ),
        ),
        (
            "senpai",
            format!(
                "# SSL_CERT_FILE={root} senpai\naddress ircs://127.0.0.1:{port}\nnickname alice\n\
                 password \"PASSWORD\"\nchannel \"#lobby\"\n"
            ),
        ),
        (
            "catgirl",
            format!(
                "host = 127.0.0.1\nport = {port}\ntrust = {root}\nnick = alice\nsasl-plain = alice:PASSWORD\njoin = #lobby\n"
            ),
        ),
        (
            "thelounge",
            format!(
                "NODE_EXTRA_CA_CERTS={root} thelounge start\nName: Parlour\nServer: 127.0.0.1 : {port}\n\
                 Use secure connection (TLS): on\nOnly allow trusted certificates: on\nNick: alice\nChannels: #lobby\n\
                 Authentication: Username + password (SASL PLAIN)\nAccount: alice\n"
            ),
        ),
        (
            "tiny",
            format!(
                "# SSL_CERT_FILE={root} tiny\nservers:\n    - addr: '127.0.0.1'\n      port: {port}\n      tls: true\n\
                 \x20     realname: alice\n      nicks: [alice]\n      join: ['#lobby']\n      sasl:\n\
                 \x20         username: alice\n          password: 'PASSWORD'\n"
            ),
        ),
        (
            "hexchat",
            format!(
                "SSL_CERT_FILE={root} hexchat\nNetwork: Parlour\nServer: 127.0.0.1/+{port}\n\
                 Use SSL for all the servers on this network: on\nAccept invalid SSL certificates: off\n\
                 Nick name, User name: alice\nLogin method: SASL PLAIN (username + password)\nPassword: PASSWORD\n\
                 Autojoin channels: #lobby\n"
            ),
        ),
        (
            "pidgin",
            format!(
                "Protocol: IRC\nUsername: alice\nServer: 127.0.0.1\nPassword: PASSWORD\nAdvanced, Port: {port}\n\
                 Advanced, Use SSL: on\nAdvanced, Authenticate with SASL: on\n"
            ),
        ),
        (
            "soju",
            format!(
                "SSL_CERT_FILE={root} soju\n\
                 network create -addr ircs://127.0.0.1:{port} -name parlour -nick alice\n\
                 sasl set-plain -network parlour alice PASSWORD\n"
            ),
        ),
        (
            "znc",
            format!(
                "SSL_CERT_FILE={root} znc\n/msg *status AddNetwork parlour\n/msg *status JumpNetwork parlour\n\
                 /msg *status LoadMod sasl\n/msg *sasl Set alice PASSWORD\n/msg *sasl RequireAuth yes\n\
                 /msg *status AddServer 127.0.0.1 +{port}\n"
            ),
        ),
        (
            "limnoria",
            format!(
                "supybot.nick: alice\nsupybot.networks: parlour\nsupybot.networks.parlour.servers: 127.0.0.1:{port}\n\
                 supybot.networks.parlour.ssl: True\n\
                 supybot.networks.parlour.ssl.authorityCertificate: {root}\n\
                 supybot.protocols.ssl.verifyCertificates: True\n\
                 supybot.networks.parlour.sasl.username: alice\nsupybot.networks.parlour.sasl.password: PASSWORD\n\
                 supybot.networks.parlour.sasl.required: True\nsupybot.networks.parlour.channels: #lobby\n\
                 supybot.networks.parlour.umodes: +B\n"
            ),
        ),
        (
            "sopel",
            format!(
                "[core]\nnick = alice\nhost = 127.0.0.1\nport = {port}\nuse_ssl = true\nverify_ssl = true\n\
                 ca_certs = {root}\nauth_method = sasl\nauth_username = alice\nauth_password = PASSWORD\n\
                 channels = \"#lobby\"\nmodes = B\n"
            ),
        ),
        (
            "goguma",
            format!(
                "Server: 127.0.0.1:{port}\nNickname: alice\nSHA1 Fingerprint (server): {}\nSHA1 Fingerprint (root): {}\n",
                of.sha1.to_hex(),
                of_root.sha1.to_hex()
            ),
        ),
        (
            "openssl",
            format!(
                "openssl s_client -connect 127.0.0.1:{port} -CAfile {root} -verify_return_error -verify_ip 127.0.0.1 \
                 -tls1_3 -alpn irc\n"
            ),
        ),
        (
            "browser",
            format!(
                "File: {root}\nFirefox, SHA-256 Fingerprint: {}\nChromium, SHA-256 Fingerprints, Certificate: {}\n",
                of_root.certificate.to_colon_hex(),
                of_root.certificate.to_hex()
            ),
        ),
    ] {
        assert_eq!(show_for_program(&server.home, program), expected, "{program}");
    }
    let halloy: toml::Table = show_for_program(&server.home, "halloy").parse().expect("TOML");
    assert_eq!(halloy["servers"]["parlour"]["port"].as_integer(), Some(port.into()));
}

#[test]
fn address_comes_from_configuration_without_a_server() {
    let home = Home::new(&["advertise = ['192.0.2.7:7000', 'chat.example.org']", "name = 'Our-House'"]);
    home.succeed(&["certs", "generate", "--name", "chat.example.org"]);
    let irssi = show_for_program(&home, "irssi");
    assert!(
        irssi.contains("/server add -network ourhouse ") && irssi.ends_with("/connect ourhouse\n"),
        "{irssi}"
    );
    assert!(irssi.contains(" 192.0.2.7 7000\n"), "{irssi}");
    // No name of an account can be two words of another program's configuration.
    let refused = home.run(&["certs", "show", "--for", "irssi", "--account", "x y"]);
    let told = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && told.contains("this cannot be an account's name"), "{told}");
    // A program that compares names gets the address that is in the certificate,
    assert!(show_for_program(&home, "senpai").contains("address ircs://chat.example.org:6697\n"));
    // and if there is none, the output says so.
    let home = Home::new(&["advertise = ['192.0.2.7:7000']"]);
    home.succeed(&["certs", "generate"]);
    let told = home.run(&["certs", "show", "--for", "halloy"]);
    let told = String::from_utf8(told.stderr).expect("text");
    assert!(told.ends_with("parlour certs renew --name 192.0.2.7\n"), "{told}");
    assert!(!home.path("data").exists(), "looking makes nothing");
}

#[test]
fn root_certificate_can_be_exported() {
    let (server, ..) = start_server();
    let (home, root) =
        (&server.home, fs::read_to_string(server.home.path("certs/root.pem")).expect("the root"));
    assert_eq!(home.succeed(&["certs", "export-root"]), root);
    assert_eq!(home.succeed(&["certs", "export-root", "ca.crt"]), "");
    assert_eq!(fs::read_to_string(home.path("ca.crt")).expect("the file"), root);
    let error = home.fail(&["certs", "export-root", "no/such/folder/ca.crt"]);
    assert!(error.contains("cannot write no/such/folder/ca.crt; name another file"), "{error}");
}

/// Runs a printed line as the shell does.
fn run_shell_line(line: &str) -> Output {
    Command::new("sh").args(["-c", &format!("{} </dev/null", line.trim_end())]).output().expect("a shell")
}

#[test]
fn openssl_verifies_the_server_during_rotation() {
    if !has_program("openssl") {
        return;
    }
    let (server, .., root) = start_server();
    let home = &server.home;
    let line = show_for_program(home, "openssl");
    let verified = |line: &str| {
        let output = run_shell_line(line);
        output.status.success()
            && String::from_utf8_lossy(&output.stdout).contains("Verify return code: 0 (ok)")
    };
    assert!(verified(&line));
    // A client with the old root, and one with the new one.
    fs::copy(home.path("certs/root.pem"), home.path("old.pem")).expect("copied");
    let old = line.replace(&root, &home.path("old.pem").display().to_string());
    home.succeed(&["certs", "rotate"]);
    assert_eq!((verified(&old), verified(&line)), (true, true));
    home.succeed(&["certs", "retire", "--yes"]);
    assert_eq!((verified(&old), verified(&line)), (false, true));
    Client::login(&server, "alice");
}
