//! AUDIT, and the facts about accounts in WHOIS.

use crate::core::tests::driver::Driver;

#[test]
fn audit_lists_the_latest_actions_for_admins_alone() {
    let mut d = Driver::new();
    let (al, cy) = (d.open("al", ""), d.open("cy", "labeled-response batch"));
    let bo = d.open("bo", "");
    d.send_line(al, "JOIN #a");
    d.send_line(bo, "JOIN #a");
    d.send_line(al, "KICK #a bo :too loud");
    d.send_line(cy, "KILL bo");
    assert!(d.send_line(al, "AUDIT").contains(" 481 al "), "not an admin");
    let listed = d.send_line(cy, "@label=7 AUDIT");
    let lines: Vec<&str> = listed.lines().collect();
    assert!(lines[0].contains("label=7") && lines[0].contains("BATCH +"), "{listed}");
    assert!(
        lines[1].contains("NOTE AUDIT ENTRY 20") && lines[1].ends_with(" cy :server kill bo"),
        "{listed}"
    );
    assert!(lines[2].ends_with(" al :channel kick bo: #a: too loud"), "{listed}");
    assert!(listed.contains("NOTE AUDIT AUDIT_LIST :2 entries"), "{listed}");
    let one = d.send_line(cy, "AUDIT 1");
    assert!(
        one.contains("server kill") && !one.contains("channel kick") && one.contains(":1 entry"),
        "{one}"
    );
    for bad in ["0", "501", "x", "-1"] {
        assert!(d.send_line(cy, &format!("AUDIT {bad}")).contains("FAIL AUDIT INVALID_PARAMS"), "{bad}");
    }
    d.remove_admin_role("cy");
    assert!(d.send_line(cy, "AUDIT").contains(" 481 cy "), "no longer an admin");
}

#[test]
fn audit_names_the_command_line_by_a_star() {
    let mut d = Driver::new();
    let cy = d.open("cy", "");
    d.add_user("dora");
    let listed = d.send_line(cy, "AUDIT");
    assert!(listed.contains(" * :user add dora"), "{listed}");
}

#[test]
fn whois_shows_the_age_of_an_account_and_to_admins_its_devices() {
    let mut d = Driver::new();
    let (al, cy) = (d.open("al", "draft/metadata-2"), d.open("cy", "draft/metadata-2"));
    let bo = d.open("bo", "");
    assert!(d.send_line(al, "WHOIS bo").contains(" 760 al bo parlour/created * :"));
    assert!(!d.send_line(al, "WHOIS bo").contains("parlour/devices"), "of others for admins alone");
    assert!(d.send_line(al, "WHOIS al").contains(" 760 al al parlour/devices * :0"));
    assert!(d.send_line(cy, "WHOIS bo").contains(" 760 cy bo parlour/devices * :0"));
    assert!(!d.send_line(bo, "WHOIS al").contains(" 760 "), "the client does not know metadata");
}
