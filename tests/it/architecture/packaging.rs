//! The files of packages, as far as they can be checked without making one: `scripts/release.sh` makes them, and
//! `scripts/package-test.sh` tries the one for Debian.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use parlour::server::config::Config;

use super::{cargo_toml, root};

fn read(name: &str) -> String {
    let path = root().join("packaging").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Returns the keys of a unit of systemd with their values, those of a key that is set several times in lines.
fn unit(name: &str) -> BTreeMap<String, String> {
    let mut keys: BTreeMap<String, String> = BTreeMap::new();
    for (key, value) in
        read(name).lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('='))
    {
        let values = keys.entry(key.to_owned()).or_default();
        if !values.is_empty() {
            values.push('\n');
        }
        values.push_str(value);
    }
    keys
}

#[test]
fn the_socket_listens_where_the_configuration_does() {
    let socket = unit("parlour.socket");
    // The port alone is that of every address.
    let port: u16 = socket["ListenStream"].parse().expect("a port");
    assert_eq!(socket["BindIPv6Only"], "both");
    let listen = Config::default().listen;
    assert!(listen.iter().all(|address| address.port() == port && address.ip().is_unspecified()));
    assert!(listen.iter().any(SocketAddr::is_ipv4) && listen.iter().any(SocketAddr::is_ipv6));
}

#[test]
fn the_service_has_no_rights_and_its_user_is_made() {
    let service = unit("parlour.service");
    for (key, value) in [
        ("Type", "notify"),
        ("User", "parlour"),
        ("UMask", "0077"),
        ("StateDirectory", "parlour"),
        ("StateDirectoryMode", "0700"),
        ("CapabilityBoundingSet", ""),
        ("AmbientCapabilities", ""),
        ("NoNewPrivileges", "yes"),
        ("ProtectSystem", "strict"),
        ("MemoryDenyWriteExecute", "yes"),
        ("Also", "parlour.socket"),
    ] {
        assert_eq!(service.get(key).map(String::as_str), Some(value), "{key}");
    }
    assert!(service.contains_key("WatchdogSec") && service.contains_key("SystemCallFilter"));
    let user = read("parlour.sysusers");
    let line = user.lines().find(|line| !line.starts_with('#')).expect("a user");
    assert!(line.starts_with("u parlour ") && line.ends_with("/var/lib/parlour"), "{line}");
}

/// Returns source and destination of each file of a package.
fn assets(of: &str) -> Vec<(String, String)> {
    let manifest = cargo_toml();
    let assets = manifest["package"]["metadata"][of]["assets"].as_array().expect("assets").clone();
    let text = |value: &toml::Value| value.as_str().expect("a text").to_owned();
    assets
        .iter()
        .map(|asset| match asset.as_array() {
            Some(fields) => (text(&fields[0]), format!("/{}", text(&fields[1]))),
            None => (text(&asset["source"]), text(&asset["dest"])),
        })
        .collect()
}

#[test]
fn both_packages_have_the_same_files_and_those_exist() {
    let release = fs::read_to_string(root().join("scripts/release.sh")).expect("release.sh");
    for of in ["deb", "generate-rpm"] {
        let assets = assets(of);
        for (source, _) in &assets {
            let staged = source.strip_prefix("target/package/");
            // The script makes what is staged, under the name before a `*`.
            let name = staged.unwrap_or(source).split('*').next().unwrap_or_default().trim_end_matches('/');
            let folder = Path::new(source).parent().expect("a folder");
            let exists = match staged {
                Some(_) => release.contains(&format!("\"$stage/{name}")),
                None if source.contains('*') => root().join(folder).is_dir(),
                None => root().join(source).is_file(),
            };
            assert!(exists, "{of}: {source}");
        }
        for needed in [
            "/usr/bin/",
            "/etc/parlour/",
            "/usr/lib/systemd/system/",
            "/usr/lib/sysusers.d/",
            "/usr/share/man/man1/",
        ] {
            assert!(assets.iter().any(|(_, to)| to.starts_with(needed)), "{of} has nothing in {needed}");
        }
    }
}

#[test]
fn the_container_runs_as_a_user_with_its_data_in_a_volume() {
    let text = read("Containerfile");
    let instructions: Vec<(&str, &str)> =
        text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(' ')).collect();
    let last = |name| instructions.iter().rfind(|(found, _)| *found == name).map(|(_, value)| *value);
    let user = last("USER").expect("a user");
    // A number, so that the container's runtime can see that it is not root.
    assert!(user.split(':').all(|id| id.parse::<u32>().is_ok_and(|id| id > 0)), "{user}");
    assert_eq!(last("VOLUME"), Some(r#"["/var/lib/parlour"]"#));
    assert_eq!(last("ENV"), Some("PARLOUR_HOME=/var/lib/parlour"));
    assert_eq!(last("EXPOSE"), Some("6697"));
    assert!(last("HEALTHCHECK").is_some_and(|check| check.contains(r#"CMD ["/usr/bin/parlour""#)));
    assert_eq!(last("ENTRYPOINT"), Some(r#"["/usr/bin/parlour"]"#));
}
