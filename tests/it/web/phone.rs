//! The web root for phones: `parlour certs web-root`, `/phone`, and what browsers with that root accept.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use sha2::{Digest as _, Sha256};

use super::browser::{connect, exchange, request, status};
use crate::support::invite::decode_qr;
use crate::support::{Client, Home, Server, has_program};

const NAME: &str = "chat.example";

fn home() -> Home {
    Home::with_accounts(&["web.enabled = true", "tls.names = ['chat.example', '192.0.2.7', 'single']"])
}

/// Makes the web root. Returns the lines of the output by their labels.
fn make_root(home: &Home, args: &[&str]) -> Vec<(String, String)> {
    let printed = home.succeed(&[&["certs", "web-root"], args].concat());
    printed
        .lines()
        .filter_map(|line| line.split_once("  "))
        .map(|(label, value)| (label.to_owned(), value.trim().to_owned()))
        .collect()
}

fn value<'a>(lines: &'a [(String, String)], label: &str) -> &'a str {
    let found = lines.iter().find(|(name, _)| name == label);
    &found.unwrap_or_else(|| panic!("no {label} in {lines:?}")).1
}

fn root_of(home: &Home) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(&fs::read(home.path("certs/web-root.pem")).expect("a root")).expect("PEM")
}

/// Returns the configuration of a browser that trusts this root alone.
fn browser_with(root: CertificateDer<'static>) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(root).expect("a root");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("TLS 1.3")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Arc::new(config)
}

/// Requests a page as a browser that came for this name. The error is that of the handshake.
fn get(
    config: &Arc<ClientConfig>,
    address: SocketAddr,
    name: &str,
    path: &str,
) -> Result<String, rustls::Error> {
    get_with(config, address, name, path, &[])
}

fn get_with(
    config: &Arc<ClientConfig>,
    address: SocketAddr,
    name: &str,
    path: &str,
    headers: &[&str],
) -> Result<String, rustls::Error> {
    let server = ServerName::try_from(name.to_owned()).expect("a name");
    let mut connection = ClientConnection::new(config.clone(), server).expect("a configuration");
    let mut tcp = connect(address);
    while connection.is_handshaking() {
        if let Err(error) = connection.complete_io(&mut tcp) {
            let inner = error.downcast::<rustls::Error>();
            return Err(inner.unwrap_or_else(|error| rustls::Error::General(error.to_string())));
        }
    }
    let host = format!("Host: {name}");
    let request = request(&format!("GET {path} HTTP/1.1"), &[&[&host[..]], headers].concat());
    Ok(exchange(&mut StreamOwned::new(connection, tcp), &request))
}

#[test]
fn phone_page_offers_the_root_that_the_command_shows() {
    let home = home();
    let server = home.serve();
    let address = server.address;
    let pinned = || parlour::trust::tls::client_config(server.pin());
    let mut pinned_browser = ClientConfig::clone(&pinned());
    pinned_browser.alpn_protocols = vec![b"http/1.1".to_vec()];
    let nothing = get(&Arc::new(pinned_browser), address, "127.0.0.1", "/phone").expect("the pinned chain");
    assert_eq!(status(&nothing), 404);
    assert!(nothing.contains("parlour certs web-root"), "{nothing}");

    // The running server shows it at once.
    let made = make_root(&home, &["--qr-file", "page.png"]);
    let fingerprint = value(&made, "fingerprint (SHA-256)");
    let root = root_of(&home);
    let hex: Vec<String> = Sha256::digest(&root).iter().map(|byte| format!("{byte:02X}")).collect();
    assert_eq!(fingerprint, hex.join(":"));
    let names = value(&made, "names");
    assert!(names.starts_with("chat.example, 192.0.2.7") && !names.contains("single"), "{names}");
    assert!(!names.contains("localhost") && !names.contains("127.0.0.1"), "{names}");
    let url = value(&made, "page");
    assert_eq!(url, format!("https://{NAME}:{}/phone", address.port()));
    assert_eq!(decode_qr(&home.path("page.png")), url);
    // A second time it shows the same one.
    assert_eq!(make_root(&home, &[]), made);

    let browser = browser_with(root.clone());
    let page = get(&browser, address, NAME, "/phone").expect("verified");
    assert_eq!(status(&page), 200);
    for expected in [
        fingerprint,
        names,
        "lang=\"en\"",
        "content-language: en",
        "content-security-policy: default-src 'none'; script-src 'self'; style-src 'self'",
        "not verified",
    ] {
        assert!(page.contains(expected), "no {expected} in {page}");
    }
    for (path, header, language) in [
        ("/phone", "Accept-Language: fr-CH, de;q=0.9", "fr"),
        ("/phone/de", "Accept-Language: fr", "de"),
        ("/phone/es", "Accept-Language: fr", "es"),
    ] {
        let page = get_with(&browser, address, NAME, path, &[header]).expect("verified");
        assert!(page.contains(&format!("<html lang=\"{language}\">")), "{path}: {page}");
    }
    let download = get(&browser, address, NAME, "/phone/parlour-web-root.crt").expect("verified");
    assert!(download.contains("content-type: application/x-x509-ca-cert"), "{download}");
    assert!(download.contains(&format!("content-length: {}", root.len())), "{download}");
    assert!(get(&browser, address, NAME, "/phone/style.css").expect("verified").contains("text/css"));

    // The pinned chain and the web root have nothing to do with each other.
    let mut alice = Client::login(&server, "alice");
    alice.request("JOIN #room");
    let pinned_root = fs::read(home.path("certs/root.pem")).expect("a root");
    let pinned_root = CertificateDer::from_pem_slice(&pinned_root).expect("PEM");
    get(&browser_with(pinned_root), address, NAME, "/phone").expect_err("another root");
    let pin = parlour::trust::Pin::from_certificate(&root).expect("a pin");
    let mut by_web_root = ClientConfig::clone(&parlour::trust::tls::client_config(pin));
    get(&Arc::new(by_web_root.clone()), server.address, NAME, "/phone").expect_err("the pinned chain");
    by_web_root.alpn_protocols = vec![b"irc".to_vec()];
    get(&Arc::new(by_web_root), server.address, NAME, "/phone").expect_err("the pinned chain");
    // Clients that know the pin do not take the leaf for browsers either.
    let mut pinned = ClientConfig::clone(&pinned());
    pinned.alpn_protocols = vec![b"http/1.1".to_vec()];
    get(&Arc::new(pinned), address, NAME, "/phone").expect_err("the leaf for browsers");
}

#[test]
fn command_says_what_stands_in_the_way() {
    let home = Home::new(&[]);
    home.succeed(&["certs", "generate"]);
    let output = home.run(&["certs", "web-root", "--name", NAME]);
    let notes = String::from_utf8(output.stderr).expect("UTF-8");
    assert!(output.status.success() && notes.contains("enabled = true"), "{notes}");
    assert!(notes.contains("browsers refuse to open port 6697"), "{notes}");
    let refused = home.fail(&["certs", "web-root", "--name", "other.example"]);
    assert!(refused.contains("--force"), "{refused}");
    let before = root_of(&home);
    home.succeed(&["certs", "web-root", "--name", "other.example", "--force"]);
    assert_ne!(root_of(&home), before);
}

/// Signs a certificate for a name with the web root's stolen key, as the operator's own.
fn forge(home: &Home, name: &str) {
    let key = fs::read_to_string(home.path("certs/web-root.key")).expect("a key");
    let key = rcgen::KeyPair::from_pem(&key).expect("a key");
    let issuer = rcgen::Issuer::from_ca_cert_der(&root_of(home), key).expect("an issuer");
    let leaf_key = rcgen::KeyPair::generate().expect("a key");
    let mut params = rcgen::CertificateParams::new(vec![name.to_owned()]).expect("a name");
    params.use_authority_key_identifier_extension = true;
    params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
    let now = std::time::SystemTime::now();
    params.not_before = (now - std::time::Duration::from_hours(1)).into();
    params.not_after = (now + std::time::Duration::from_hours(1)).into();
    let leaf = params.signed_by(&leaf_key, &issuer).expect("signed");
    let root = fs::read_to_string(home.path("certs/web-root.pem")).expect("a root");
    fs::write(home.path("public.pem"), leaf.pem() + &root).expect("written");
    fs::write(home.path("public.key"), leaf_key.serialize_pem()).expect("written");
}

/// Serves a certificate for another name that was signed with the stolen key of the web root.
fn serve_forged(home: &Home, name: &str) -> Server {
    forge(home, name);
    let config = fs::read_to_string(home.path("parlour.toml")).expect("a configuration");
    let more = "web.certificate = 'public.pem'\nweb.key = 'public.key'\n";
    fs::write(home.path("parlour.toml"), config + more).expect("written");
    home.serve()
}

#[test]
fn stolen_web_root_cannot_vouch_for_other_names() {
    let home = home();
    home.succeed(&["certs", "generate"]);
    make_root(&home, &[]);
    for (name, is_accepted) in [("bank.example", false), ("chat.example", true), ("notchat.example", false)] {
        fs::write(home.path("parlour.toml"), BASE_CONFIG).expect("written");
        let server = serve_forged(&home, name);
        let address = server.address;
        let result = get(&browser_with(root_of(&home)), address, name, "/mode.json");
        match result {
            Ok(_) => assert!(is_accepted, "{name} was accepted"),
            Err(error) => {
                assert!(!is_accepted, "{name}: {error}");
                assert!(format!("{error:?}").contains("NameConstraint"), "{error:?}");
            }
        }
    }
}

const BASE_CONFIG: &str = "web.enabled = true\ntls.names = ['chat.example', '192.0.2.7']\n";

/// Returns what Chromium shows of an address, with a fresh profile that trusts the web root.
fn chromium(home: &Home, profile: &Path, name: &str, port: u16) -> String {
    let resolver = format!("MAP {name} 127.0.0.1");
    let output = Command::new("chromium")
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"])
        .arg(format!("--user-data-dir={}", profile.join("chromium").display()))
        .arg(format!("--host-resolver-rules={resolver}"))
        .args(["--dump-dom", &format!("https://{name}:{port}/phone")])
        .env("HOME", profile)
        .current_dir(home.path(""))
        .stdin(Stdio::null())
        .output()
        .expect("chromium starts");
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

#[test]
fn chromium_with_the_root_accepts_the_server_and_no_other_name() {
    if !has_program("chromium") || !has_program("certutil") {
        return;
    }
    let home = home();
    home.succeed(&["certs", "generate"]);
    make_root(&home, &[]);
    let profile = tempfile::tempdir().expect("a folder");
    let database = profile.path().join(".pki/nssdb");
    fs::create_dir_all(&database).expect("a folder");
    let database = format!("sql:{}", database.display());
    let certutil = |args: &[&str]| {
        let output = Command::new("certutil").args(args).args(["-d", &database]).output().expect("certutil");
        assert!(output.status.success(), "certutil {args:?}: {output:?}");
    };
    certutil(&["-N", "--empty-password"]);
    let server = home.serve();
    let port = server.address.port();
    let before = chromium(&home, profile.path(), NAME, port);
    assert!(before.contains("ERR_CERT_AUTHORITY_INVALID"), "{before}");
    let root = home.path("certs/web-root.pem");
    certutil(&["-A", "-a", "-n", "web-root", "-t", "C,,", "-i", root.to_str().expect("UTF-8")]);
    let after = chromium(&home, profile.path(), NAME, port);
    assert!(after.contains("Parlour on your phone") && !after.contains("ERR_CERT"), "{after}");
    drop(server);
    let server = serve_forged(&home, "bank.example");
    let forged = chromium(&home, profile.path(), "bank.example", server.address.port());
    assert!(forged.contains("ERR_CERT") && !forged.contains("Parlour on your phone"), "{forged}");
}

#[test]
fn openssl_with_the_root_accepts_the_server_and_no_other_name() {
    if !has_program("openssl") {
        return;
    }
    let home = home();
    home.succeed(&["certs", "generate"]);
    make_root(&home, &[]);
    let verify = |leaf: &str, name: &str, options: &[&str]| {
        let output = Command::new("openssl")
            .args(["verify", "-purpose", "sslserver", "-verify_hostname", name])
            .args(options)
            .arg("-CAfile")
            .arg(home.path("certs/web-root.pem"))
            .arg(home.path(leaf))
            .output()
            .expect("openssl");
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
    };
    let own = verify("certs/web.pem", NAME, &["-x509_strict"]);
    assert!(own.contains(": OK"), "{own}");
    forge(&home, "bank.example");
    let forged = verify("public.pem", "bank.example", &[]);
    assert!(forged.contains("permitted subtree violation"), "{forged}");
}

#[test]
fn keys_of_the_web_root_are_private_and_fit() {
    let home = home();
    home.succeed(&["certs", "generate"]);
    make_root(&home, &[]);
    for key in ["certs/web-root.key", "certs/web.key"] {
        let mode = fs::metadata(home.path(key)).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{key}");
        let text = fs::read(home.path(key)).expect("a key");
        PrivateKeyDer::from_pem_slice(&text).expect("a key");
    }
    fs::copy(home.path("certs/root.pem"), home.path("certs/web-root.pem")).expect("copied");
    let refused = home.fail(&["certs", "web-root"]);
    assert!(refused.contains("may vouch for more"), "{refused}");
    let refused = home.fail(&["serve", "--listen", "127.0.0.1:0"]);
    assert!(refused.contains("web-root.pem"), "{refused}");
}
