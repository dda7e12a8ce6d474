//! Hints about a firewall. Only another machine can tell whether it lets connections in.

use std::fs;
use std::path::Path;

use super::report::{Finding, Level};
use crate::platform::process;

/// Checks the usual firewalls of distributions, as far as their files are readable.
pub fn check(root: &Path, ports: &[u16]) -> Finding {
    if let Some(remedy) = process::firewall_rule(ports) {
        return firewall_hint("the system has a firewall", &remedy);
    }
    let ufw = fs::read_to_string(root.join("etc/ufw/ufw.conf")).unwrap_or_default();
    if ufw.lines().any(|line| line.trim().eq_ignore_ascii_case("ENABLED=yes")) {
        let remedy =
            ports.iter().map(|port| format!("sudo ufw allow {port}/tcp")).collect::<Vec<_>>().join("; ");
        return match fs::read_to_string(root.join("etc/ufw/user.rules")) {
            Ok(rules) => {
                match ports.iter().filter(|port| !ufw_allows(&rules, **port)).collect::<Vec<_>>()[..] {
                    [] => Finding::ok("firewall", "ufw is on and lets others in"),
                    [port, ..] => Finding::warning(
                        "firewall",
                        format!("ufw is on, and no rule of it names port {port}"),
                        remedy,
                    ),
                }
            }
            Err(_) => firewall_hint("ufw is on", &remedy),
        };
    }
    if root.join("run/firewalld.pid").exists() || root.join("run/firewalld").exists() {
        let add = ports.iter().map(|port| format!("--add-port={port}/tcp")).collect::<Vec<_>>().join(" ");
        let remedy = format!("sudo firewall-cmd --permanent {add} && sudo firewall-cmd --reload");
        return firewall_hint("firewalld is on", &remedy);
    }
    Finding::ok("firewall", "neither ufw nor firewalld is on")
}

fn firewall_hint(text: &str, remedy: &str) -> Finding {
    Finding {
        level: Level::Ok,
        check: "firewall",
        summary: format!("{text}; whether it lets others in was not seen"),
        remedy: Some(format!("if others cannot connect: {remedy}")),
    }
}

/// Returns whether a rule of ufw accepts connections to a TCP port. Its file has a comment for each rule, such as
/// `### tuple ### allow tcp 6697 …`.
fn ufw_allows(rules: &str, port: u16) -> bool {
    rules.lines().filter_map(|line| line.strip_prefix("### tuple ### ")).any(|rule| {
        let words: Vec<&str> = rule.split_whitespace().collect();
        let [action, protocol, ports, ..] = words[..] else { return false };
        let covers = |part: &str| match part.split_once(':') {
            Some((from, to)) => {
                from.parse().is_ok_and(|from: u16| from <= port) && to.parse().is_ok_and(|to: u16| port <= to)
            }
            None => part == "any" || part.parse() == Ok(port),
        };
        matches!(action, "allow" | "limit")
            && matches!(protocol, "tcp" | "any")
            && ports.split(',').any(covers)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().expect("a folder");
        for (name, text) in files {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            fs::write(path, text).expect("written");
        }
        root
    }

    #[test]
    fn blocking_firewall_is_reported() {
        let on = ("etc/ufw/ufw.conf", "# comment\nENABLED=yes\n");
        let rules = "### tuple ### allow any 22 0.0.0.0/0 any 0.0.0.0/0 in\n### tuple ### allow tcp 6690:6700 0.0.0.0/0 any 0.0.0.0/0 in\n";
        let check_machine = |files: &[(&str, &str)], ports: &[u16]| check(machine(files).path(), ports);
        if let Some(rule) = process::firewall_rule(&[6697]) {
            let hint = check_machine(&[], &[6697]).remedy;
            assert!(hint.is_some_and(|hint| hint.ends_with(&rule) && hint.contains("6697")));
            return;
        }
        assert_eq!(check_machine(&[], &[6697]), Finding::ok("firewall", "neither ufw nor firewalld is on"));
        assert_eq!(check_machine(&[("etc/ufw/ufw.conf", "ENABLED=no")], &[6697]).remedy, None);
        assert_eq!(check_machine(&[on, ("etc/ufw/user.rules", rules)], &[6697]).level, Level::Ok);
        let closed = check_machine(&[on, ("etc/ufw/user.rules", rules)], &[6697, 7000]);
        assert_eq!(closed.level, Level::Warning);
        assert!(closed.summary.ends_with("port 7000"), "{closed:?}");
        let unseen = check_machine(&[on], &[6697]);
        assert_eq!(unseen.level, Level::Ok);
        assert_eq!(unseen.remedy.as_deref(), Some("if others cannot connect: sudo ufw allow 6697/tcp"));
        let firewalld = check_machine(&[("run/firewalld.pid", "1")], &[6697]);
        assert!(firewalld.remedy.is_some_and(|remedy| remedy.contains("--add-port=6697/tcp")));
    }
}
