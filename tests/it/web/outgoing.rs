//! Hooks that send messages to programs.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Instant;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::{Value, json};

use super::programs::send;
use crate::support::{Client, Home, Server, WAIT_TIMEOUT, until};

/// A program on this machine that is sent messages.
struct Program {
    url: String,
    requests: Receiver<Request>,
}

/// A request as the program received it.
#[derive(Debug)]
struct Request {
    first_line: String,
    headers: BTreeMap<String, String>,
    body: String,
}

impl Program {
    /// Starts it. It answers its requests with these heads in turn, then with 204; an empty one is no answer.
    fn start(answers: &[&'static str]) -> Self {
        Self::start_with(answers, "http", |stream| stream)
    }

    /// Starts one that speaks TLS with a certificate.
    fn start_with_certificate(certificate: Arc<ServerConfig>) -> Self {
        Self::start_with(&[], "https", move |stream| {
            let connection = ServerConnection::new(certificate.clone()).expect("a configuration");
            StreamOwned::new(connection, stream)
        })
    }

    fn start_with<S: Read + Write + Send + 'static>(
        answers: &[&'static str],
        scheme: &str,
        wrap: impl Fn(TcpStream) -> S + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("{scheme}://{}/in?a=b", listener.local_addr().expect("an address"));
        let (sender, requests) = mpsc::channel();
        let answers = answers.to_vec();
        thread::spawn(move || {
            let mut answers = answers.into_iter();
            let mut unanswered = Vec::new();
            for stream in listener.incoming() {
                let mut stream = wrap(stream.expect("a connection"));
                let Some(request) = read_request(&mut BufReader::new(&mut stream)) else { continue };
                match answers.next().unwrap_or("204 No Content") {
                    "" => unanswered.push(stream),
                    status => {
                        let head =
                            format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nLocation: /elsewhere\r\n\r\n");
                        let _ = stream.write_all(head.as_bytes());
                    }
                }
                if sender.send(request).is_err() {
                    return;
                }
            }
        });
        Self { url, requests }
    }

    #[track_caller]
    fn next(&self) -> Request {
        self.requests.recv_timeout(WAIT_TIMEOUT).expect("a request")
    }
}

fn read_request(stream: &mut impl std::io::BufRead) -> Option<Request> {
    let mut lines = stream.by_ref().lines().map_while(Result::ok).take_while(|line| !line.is_empty());
    let first_line = lines.next()?;
    let headers: BTreeMap<String, String> = lines
        .filter_map(|line| line.split_once(": ").map(|(key, value)| (key.to_lowercase(), value.to_owned())))
        .collect();
    let mut body = vec![0; headers.get("content-length")?.parse().ok()?];
    stream.read_exact(&mut body).ok()?;
    Some(Request { first_line, headers, body: String::from_utf8(body).ok()? })
}

impl Request {
    #[track_caller]
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("JSON")
    }

    /// Checks the signature with the key that was printed.
    fn is_signed(&self, key: &str) -> bool {
        let key = STANDARD.decode(key.trim().strip_prefix("whsec_").expect("a key")).expect("base64");
        let signed =
            format!("{}.{}.{}", self.headers["webhook-id"], self.headers["webhook-timestamp"], self.body);
        let sum = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), signed.as_bytes());
        self.headers["webhook-signature"] == format!("v1,{}", STANDARD.encode(sum))
    }
}

fn create(home: &Home, name: &str, args: &[&str]) -> String {
    home.succeed(&[&["hook", "create", "#builds", "--name", name], args].concat())
}

#[test]
fn what_matches_is_sent_and_signed() {
    let home = Home::with_accounts(&["hooks.enabled = true"]);
    let server = home.serve();
    let mut alice = Client::in_channel(&server, "alice", "#builds");
    alice.request("PRIVMSG #builds :deploy before the hook");
    let program = Program::start(&[]);
    let key = create(&home, "bot", &["--post-to", &program.url, "--match", "deploy"]);
    let posts = create(&home, "ci", &[]);
    alice.request("PRIVMSG #builds :nothing");
    let post = format!("POST {}", posts[posts.find("/hooks/").expect("an address")..].trim_end());
    assert_eq!(
        send(&server, &post, &[], json!({ "text": "deploy of a hook" }).to_string().as_bytes()).status,
        200
    );
    alice.request("PRIVMSG #builds :please Deploy now");
    let request = program.next();
    assert_eq!(request.first_line, "POST /in?a=b HTTP/1.1");
    assert!(request.is_signed(&key), "{request:?}");
    let sent = request.json();
    let shown =
        ["type", "hook", "channel", "from", "kind", "text"].map(|field| sent[field].as_str().expect(field));
    assert_eq!(shown, ["message", "bot", "#builds", "alice", "message", "please Deploy now"]);
    assert_eq!(request.headers["webhook-id"], format!("bot-{}", sent["msgid"].as_str().expect("a msgid")));
    alice.request("PRIVMSG #builds :\u{1}ACTION deploys\u{1}");
    let sent = program.next().json();
    assert_eq!((&sent["kind"], &sent["text"]), (&json!("action"), &json!("deploys")));
    home.succeed(&["hook", "revoke", "bot"]);
    alice.request("PRIVMSG #builds :deploy after the hook");
    assert!(program.requests.try_recv().is_err());
}

#[test]
fn what_fails_is_repeated_in_order() {
    let home = Home::with_accounts(&[]);
    let server = home.serve();
    let mut alice = Client::in_channel(&server, "alice", "#builds");
    let program =
        Program::start(&["500 Internal Server Error", "302 Found", "204 No Content", "400 Bad Request"]);
    create(&home, "bot", &["--post-to", &program.url]);
    for text in ["one", "two", "three"] {
        alice.request(&format!("PRIVMSG #builds :{text}"));
    }
    let requests: Vec<Request> = (0..5).map(|_| program.next()).collect();
    let texts: Vec<Value> = requests.iter().map(|request| request.json()["text"].clone()).collect();
    // The redirect was not followed, and what the program refuses as wrong is not repeated.
    assert_eq!(texts, ["one", "one", "one", "two", "three"]);
    let ids: Vec<&String> = requests.iter().map(|request| &request.headers["webhook-id"]).collect();
    assert!(ids[0] == ids[1] && ids[1] == ids[2] && ids[2] != ids[3], "{ids:?}");
    assert!(requests.iter().all(|request| request.first_line == "POST /in?a=b HTTP/1.1"));
}

#[test]
fn what_was_not_answered_is_sent_after_a_kill() {
    let home = Home::with_accounts(&[]);
    let mut server = home.serve();
    let address = server.address.to_string();
    let mut alice = Client::in_channel(&server, "alice", "#builds");
    let program = Program::start(&[""]);
    create(&home, "bot", &["--post-to", &program.url]);
    alice.request("PRIVMSG #builds :one");
    let first = program.next();
    alice.request("PRIVMSG #builds :two");
    server.kill9();
    let _server = home.serve_at(&address);
    let again = program.next();
    assert_eq!((&again.headers["webhook-id"], &again.body), (&first.headers["webhook-id"], &first.body));
    assert_eq!(program.next().json()["text"], "two");
}

#[test]
fn a_hook_that_fails_is_shown() {
    let home = Home::with_accounts(&[]);
    let server = home.serve();
    let mut alice = Client::in_channel(&server, "alice", "#builds");
    let program = Program::start(&["503 Service Unavailable", "503 Service Unavailable", "400 Bad Request"]);
    create(&home, "bot", &["--post-to", &program.url]);
    alice.request("PRIVMSG #builds :one");
    // The second attempt comes after the first failure was noted.
    let first = program.next();
    program.next();
    let list =
        || -> Value { serde_json::from_str(&home.succeed(&["hook", "list", "--json"])).expect("JSON") };
    let listed = list();
    assert!(listed["state"] == "failing" && listed["failing_since"].is_string(), "{listed}");
    let reason = listed["failing_reason"].as_str().expect("a reason");
    assert!(reason.starts_with("the response is "), "{listed}");
    // Since the message that waits, as after a restart.
    assert_eq!(listed["failing_since"], first.json()["time"]);
    let doctor = home.run_as("nobody", &["doctor"], "");
    assert!(String::from_utf8_lossy(&doctor.stdout).contains("the hook bot fails since"), "{doctor:?}");
    // That message is given up. The next one is taken at once, and the hook does not fail any more.
    program.next();
    alice.request("PRIVMSG #builds :two");
    assert_eq!(program.next().json()["text"], "two");
    let begun = Instant::now();
    while list()["state"] == "failing" {
        assert!(begun.elapsed() < WAIT_TIMEOUT);
    }
    assert!(home.succeed(&["hook", "list"]).contains("#builds"));
}

/// Certificate authority of a test.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).expect("a certificate").pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// Makes a certificate for a host, and a configuration with it.
    fn certify(&self, host: &str) -> Arc<ServerConfig> {
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new([host.to_owned()]).expect("a host");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
        let config = ServerConfig::builder_with_provider(default_provider().into())
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key);
        Arc::new(config.expect("a configuration"))
    }
}

#[test]
fn programs_over_https_are_verified_by_the_authorities_of_the_system() {
    let home = Home::with_accounts(&[]);
    let authority = Authority::new();
    fs::write(home.path("authorities.pem"), &authority.pem).expect("written");
    let mut command = home.command(&["serve", "--listen", "127.0.0.1:0"]);
    command.env("SSL_CERT_FILE", home.path("authorities.pem")).env_remove("SSL_CERT_DIR");
    let server = Server::spawn(home.clone(), command);
    let mut alice = Client::in_channel(&server, "alice", "#builds");
    let trusted = Program::start_with_certificate(authority.certify("127.0.0.1"));
    let unknown = Program::start_with_certificate(Authority::new().certify("127.0.0.1"));
    let named_otherwise = Program::start_with_certificate(authority.certify("ci.example"));
    let key = create(&home, "trusted", &["--post-to", &trusted.url]);
    create(&home, "unknown", &["--post-to", &unknown.url]);
    create(&home, "otherwise", &["--post-to", &named_otherwise.url]);
    alice.request("PRIVMSG #builds :deploy");
    let request = trusted.next();
    assert!(request.is_signed(&key) && request.json()["text"] == "deploy", "{request:?}");
    let is_failing = |name: &str| {
        let list = home.succeed(&["hook", "list", "--json"]);
        list.lines()
            .map(|line| serde_json::from_str::<Value>(line).expect("JSON"))
            .any(|hook| hook["name"] == name && hook["state"] == "failing")
    };
    for (name, program) in [("unknown", &unknown), ("otherwise", &named_otherwise)] {
        until(|| is_failing(name), || format!("{name} does not fail"));
        assert!(program.requests.try_recv().is_err(), "{name} was sent a message");
    }
    assert!(!is_failing("trusted"));
}

#[test]
fn hosts_that_are_not_allowed_are_refused() {
    let home = Home::with_accounts(&["hooks.allow = [\"ci.example\"]"]);
    let server = home.serve();
    let _alice = Client::in_channel(&server, "alice", "#builds");
    let refused = |url: &str| home.fail(&["hook", "create", "#builds", "--name", "bot", "--post-to", url]);
    assert!(refused("https://other.example/").contains("the host other.example is not allowed"));
    assert!(refused("https://192.168.1.2/").contains("the host 192.168.1.2 is not allowed"));
    assert!(refused("http://ci.example/").contains("http:// is for this machine alone"));
    assert!(refused("localhost:8000").contains("no URL"));
    home.succeed(&["hook", "create", "#builds", "--name", "bot", "--post-to", "https://ci.example/"]);
}
