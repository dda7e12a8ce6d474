//! The addresses that invites carry, on a machine whose interfaces come and go while its server runs.

use parlour::trust::InviteLink;

use super::{CLIENT, SERVER};
use crate::support::{Home, Lan, PASSWORD, assert_success, run_to_end};

/// Makes an invite on the server's machine.
#[track_caller]
fn invite(lan: &Lan, home: &Home) -> String {
    let output = run_to_end(&mut lan.parlour(SERVER, home, &["invite", "create", "--channel", "#new"]), b"");
    assert_success(&output);
    String::from_utf8(output.stdout).expect("text").trim().to_owned()
}

/// The addresses of an invite that is made now.
#[track_caller]
fn invited_to(lan: &Lan, home: &Home) -> Vec<String> {
    let link: InviteLink = invite(lan, home).parse().expect("a link");
    link.addresses.iter().map(ToString::to_string).collect()
}

#[track_caller]
fn configure(lan: &Lan, machine: usize, commands: &[&str]) {
    for command in commands {
        lan.ip(machine, command).expect(command);
    }
}

#[test]
fn invites_carry_the_addresses_of_the_moment_without_bridges_and_tunnels() {
    let Some(lan) = Lan::new() else { return };
    let home = Home::with_accounts(&[]);
    let bridge =
        ["link add docker0 type bridge", "addr add 172.17.0.1/16 dev docker0", "link set docker0 up"];
    configure(&lan, SERVER, &bridge);
    let server = lan.serve(SERVER, &home, &["--listen", "0.0.0.0:6697", "--listen", "[::]:6697"]);
    assert_eq!(invited_to(&lan, &home), ["10.77.0.1:6697"]);
    let tunnel = [
        "link add vpn0 type vxlan id 7 remote 10.77.0.2 dstport 4789",
        "addr add 10.8.0.1/24 dev vpn0",
        "link set vpn0 up",
    ];
    let uplink = [
        "link add uplink type veth peer name far",
        "addr add 192.0.2.7/24 dev uplink",
        "link set uplink up",
        "link set far up",
        "route add default via 192.0.2.1",
    ];
    configure(&lan, SERVER, &tunnel);
    configure(&lan, SERVER, &uplink);
    assert_eq!(invited_to(&lan, &home), ["192.0.2.7:6697", "10.77.0.1:6697"]);
    configure(&lan, SERVER, &["link del uplink", "addr del 10.77.0.1/24 dev lan", "addr flush dev lan"]);
    assert_eq!(invited_to(&lan, &home), ["172.17.0.1:6697", "10.8.0.1:6697"]);
    assert!(server.terminate().0.success());
}

#[test]
fn a_server_without_other_addresses_is_joined_by_its_link_local_one() {
    let Some(lan) = Lan::new() else { return };
    let home = Home::with_accounts(&[]);
    // The link has another name on the other machine, and that has another link of the server's name.
    configure(&lan, SERVER, &["addr flush dev lan", "addr add fe80::77/64 dev lan nodad"]);
    let renamed = [
        "link set lan down",
        "link set lan name cable",
        "link set cable up",
        "link add lan type veth peer name far",
        "link set far up",
        "addr add fe80::99/64 dev lan nodad",
        "link set lan up",
        "addr add fe80::78/64 dev cable nodad",
    ];
    configure(&lan, CLIENT, &renamed);
    let server = lan.serve(SERVER, &home, &["--listen", "0.0.0.0:6697", "--listen", "[::]:6697"]);
    assert_eq!(invited_to(&lan, &home), ["[fe80::77%lan]:6697"]);
    let link = invite(&lan, &home);
    assert!(link.starts_with("parlour://[fe80::77%25lan]:6697/?"), "{link}");
    let mut join = lan.parlour(CLIENT, &home, &["join", &link, "--name", "newcomer", "--password-stdin"]);
    assert_success(&run_to_end(&mut join, format!("{PASSWORD}\n").as_bytes()));
    assert_eq!(home.count("SELECT count(*) FROM accounts WHERE name = 'newcomer'"), 1);
    assert!(server.terminate().0.success());
}
