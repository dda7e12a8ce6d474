//! Metadata: permissions to set it, visibility and notification.

use super::driver::Driver;
use crate::core::record::AccountId;

const REVISED: &str = "batch draft/metadata-3";
const DRAFT: &str = "batch draft/metadata-2";

#[test]
fn metadata_change_reaches_subscribers_in_shared_channels() {
    let mut d = Driver::new();
    let (al, other, bo, cy) =
        (d.open("al", REVISED), d.open("al", REVISED), d.open("bo", DRAFT), d.open("cy", REVISED));
    d.send_line(al, "JOIN #a");
    d.send_line(bo, "JOIN #a");
    assert!(d.send_line(other, "METADATA * SUB status").contains(" 770 al status\r\n"));
    let answer = d.send_line(bo, "METADATA * SUB status color");
    assert!(answer.contains(" 770 bo status color\r\n") && answer.contains(" 774 bo #a 0\r\n"), "{answer}");
    d.send_line(cy, "METADATA * SUB status");
    for session in [al, other, bo] {
        d.take_output(session);
    }
    assert_eq!(
        d.send_line(al, "METADATA * SET status :gone fishing"),
        ":chat.parlour 761 al al status * :gone fishing\r\n"
    );
    assert_eq!(d.take_output(other), ":chat.parlour 761 * al status * :gone fishing\r\n");
    assert_eq!(d.take_output(bo), ":chat.parlour METADATA al status * :gone fishing\r\n");
    assert_eq!(d.take_output(cy), "", "cy shares no channel with al");
    let response = d.send_line(cy, "MONITOR + al");
    assert!(
        response.ends_with(":chat.parlour 761 * al status * :gone fishing\r\n"),
        "what there is comes at once: {response}"
    );
    d.send_line(al, "METADATA al SET status back");
    assert_eq!(d.take_output(cy), ":chat.parlour 761 * al status * :back\r\n", "who watches is told too");
    d.send_line(al, "METADATA * SET avatar https://example.org/al.png");
    assert_eq!(
        d.take_output(other),
        ":chat.parlour 761 * al status * :back\r\n",
        "and not what they do not follow"
    );
    assert!(d.send_line(al, "METADATA * SET status").contains(" 766 al al status :"));
    assert_eq!(d.take_output(bo).matches("METADATA al status *\r\n").count(), 1);
    assert!(d.send_line(bo, "METADATA * SET status").contains("FAIL METADATA KEY_NOT_SET bo status :"));
    assert!(
        d.send_line(bo, "METADATA al SET status x").contains("FAIL METADATA KEY_NO_PERMISSION al status :")
    );
    assert!(d.send_line(al, "METADATA nobody GET x").contains("FAIL METADATA INVALID_TARGET nobody :"));
    assert!(d.send_line(al, "METADATA * SET color red").contains("FAIL METADATA INVALID_VALUE color :"));
    assert!(d.send_line(bo, "METADATA * SET color red").contains("FAIL METADATA VALUE_INVALID :"));
    assert!(
        d.send_line(bo, "METADATA al GET avatar nope").contains("@batch=m :chat.parlour 766 bo al nope :")
    );
    let gone = d.send_line(al, "METADATA * CLEAR");
    assert!(gone.contains("BATCH +m metadata al") && gone.contains("766 al al avatar"), "{gone}");
    let empty = d.send_line(al, "METADATA * LIST");
    assert_eq!(empty, ":chat.parlour BATCH +m metadata al\r\n:chat.parlour BATCH -m\r\n");
}

#[test]
fn channel_metadata_requires_op_and_is_sent_on_join() {
    let mut d = Driver::new();
    let (al, bo) = (d.open("al", REVISED), d.open("bo", REVISED));
    d.send_line(al, "JOIN #a");
    d.send_line(bo, "METADATA * SUB homepage status");
    d.send_line(al, "METADATA * SET status here");
    assert!(d.send_line(bo, "METADATA #a SET homepage x").contains("KEY_NO_PERMISSION #a homepage"));
    d.send_line(al, "METADATA #A SET homepage https://example.org");
    let joined = d.send_line(bo, "JOIN #a");
    assert!(joined.contains(":chat.parlour 761 * #a homepage * :https://example.org\r\n"), "{joined}");
    assert!(joined.contains(":chat.parlour 761 * al status * :here\r\n"), "{joined}");
    assert!(
        d.send_line(bo, "METADATA #a SET homepage x").contains("KEY_NO_PERMISSION"),
        "a plain member does not"
    );
    let all = d.send_line(bo, "METADATA *ALL SYNC");
    assert!(
        all.contains("BATCH +m metadata *ALL") && all.contains("@batch=m :chat.parlour 761 * #a homepage"),
        "{all}"
    );
    d.send_line(al, "MODE #a +s");
    let cy = d.open("cy", REVISED);
    d.send_line(bo, "PART #a");
    assert!(
        d.send_line(bo, "METADATA #a LIST").contains("INVALID_TARGET #a"),
        "a secret channel is not shown"
    );
    assert!(d.send_line(cy, "METADATA #a LIST").contains("homepage"), "admins see all");
}

#[test]
fn private_metadata_is_visible_to_own_account_only() {
    let mut d = Driver::new();
    let (al, phone, bo) = (d.open("al", REVISED), d.open("al", REVISED), d.open("bo", REVISED));
    d.send_line(al, "JOIN #a");
    d.send_line(bo, "JOIN #a");
    for session in [phone, bo] {
        d.send_line(session, "METADATA * SUB soju.im/pinned");
    }
    d.take_output(phone);
    assert!(
        d.send_line(al, "METADATA bo SET soju.im/pinned 1")
            .contains(" 761 al bo soju.im/pinned private :1\r\n")
    );
    assert_eq!(d.take_output(phone), ":chat.parlour 761 * bo soju.im/pinned private :1\r\n");
    assert_eq!(d.take_output(bo), "");
    assert!(d.send_line(bo, "METADATA * GET soju.im/pinned").contains(" 766 bo bo soju.im/pinned :"));
    assert!(d.send_line(al, "METADATA bo LIST").contains("soju.im/pinned private :1"));
    assert!(!d.send_line(bo, "METADATA bo LIST").contains("pinned"));
    assert!(
        d.send_line(al, "METADATA #a SET soju.im/muted 1").contains("761 al #a soju.im/muted private :1")
    );
    assert!(d.send_line(al, "METADATA #b SET soju.im/muted 1").contains("INVALID_TARGET #b"));
    assert!(d.send_line(phone, "METADATA bo SYNC").contains("761 * bo soju.im/pinned private :1"));
    d.send_line(bo, "PART #a");
    d.take_output(phone);
    let all = d.send_line(phone, "METADATA *ALL SYNC");
    assert!(all.contains("761 * bo soju.im/pinned private :1"), "without a channel of both: {all}");
}

#[test]
fn monitor_sends_metadata_when_account_comes_online() {
    let mut d = Driver::new();
    let al = d.open("al", REVISED);
    d.send_line(al, "METADATA * SET status here");
    d.send_line(al, "QUIT");
    let bo = d.open("bo", REVISED);
    d.send_line(bo, "METADATA * SUB status");
    d.send_line(bo, "MONITOR + al");
    d.open("al", "");
    assert!(d.take_output(bo).ends_with(":chat.parlour 761 * al status * :here\r\n"));
}

#[test]
fn metadata_keys_are_limited() {
    let mut d = Driver::new();
    let al = d.open("al", REVISED);
    for n in 0..32 {
        assert!(d.send_line(al, &format!("METADATA * SET key-{n} x")).contains(" 761 "));
    }
    assert!(d.send_line(al, "METADATA * SET one-more x").contains("FAIL METADATA LIMIT_REACHED al 32 :"));
    assert!(d.send_line(al, "METADATA * SET key-1 y").contains(" 761 "));
    for tens in 0..5 {
        let keys: Vec<String> = (0..10).map(|n| format!("k{tens}{n}")).collect();
        d.send_line(al, &format!("METADATA * SUB {}", keys.join(" ")));
    }
    let answer = d.send_line(al, "METADATA * SUB k49 k50 k51");
    assert!(
        answer.contains("FAIL METADATA LIMIT_REACHED k50 50 :") && answer.contains(" 770 al k49\r\n"),
        "{answer}"
    );
}

#[test]
fn metadata_clear_before_login_takes_effect_at_login() {
    let mut d = Driver::new();
    let al = d.open("al", "draft/metadata-3");
    d.send_line(al, "METADATA * SET status :here");
    d.send_line(al, "METADATA * SET avatar :https://example.org/a");
    d.open_with_login("al", |login| {
        for line in [
            &["*", "SET", "status", "gone"][..],
            &["*", "CLEAR"],
            &["*", "SET", "avatar", "https://example.org/b"],
        ] {
            login.metadata.handle_command(line, login.caps);
        }
    });
    let list = d.send_line(al, "METADATA * LIST");
    assert!(!list.contains(" status ") && list.contains("https://example.org/b"), "{list}");
}

#[test]
fn removed_channel_leaves_no_markers_or_metadata() {
    let mut d = Driver::new();
    let al = d.open("al", "draft/read-marker draft/metadata-3");
    for n in 0..3 {
        d.send_line(al, &format!("JOIN #gone{n}"));
        d.send_line(al, &format!("METADATA #gone{n} SET soju.im/pinned 1"));
        d.send_line(al, &format!("MARKREAD #gone{n} timestamp=2020-01-01T00:00:00.000Z"));
        d.send_line(al, &format!("PART #gone{n}"));
    }
    let me = d.core.accounts.get(AccountId(16)).expect("al");
    assert!(me.markers.is_empty() && me.private_metadata.is_empty());
}
