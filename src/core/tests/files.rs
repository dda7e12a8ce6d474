//! Files of a conversation, as `FILES LIST` shows them.

use super::driver::Driver;
use crate::core::SessionId;
use crate::core::record::AccountId;
use crate::core::record::file::{Dimensions, FileId};
use crate::core::request::admin::ChangeRequest;
use crate::core::request::files::{FileChange, NewFile};

/// Adds a file of `al`. Returns its address.
fn add(d: &mut Driver, n: u16) -> String {
    let [high, low] = n.to_be_bytes();
    let mut id = [high; 16];
    id[15] = low;
    let new = NewFile {
        id: FileId(id),
        owner: AccountId(16),
        name: format!("photo {n}.png").into(),
        media_type: "image/png".into(),
        size: 20_481,
        hash: [low; 32],
        dimensions: Some(Dimensions { width: 640, height: 480 }),
    };
    let id = new.id;
    d.request(ChangeRequest::Files(FileChange::Add(new))).expect("added");
    format!("https://h/f/{id}/photo.png")
}

fn driver() -> (Driver, [SessionId; 3]) {
    let mut d = Driver::new();
    d.core.settings.upload_url = Some("https://h/upload".into());
    let sessions = ["al", "bo", "cy"].map(|name| d.open(name, "draft/message-redaction"));
    for session in sessions {
        d.send_line(session, "JOIN #a");
    }
    (d, sessions)
}

/// Returns the names of what a reply lists, and the message before which there are more.
fn listed(reply: &str) -> (Vec<&str>, &str) {
    let mut names = Vec::new();
    for line in reply.lines() {
        if line.contains(" NOTE FILES SHARED ") {
            names.push(line.rsplit_once(" :").expect("a name").1);
        } else if let Some((_, last)) = line.split_once(" NOTE FILES SHARED_LIST ") {
            return (names, last.split(' ').nth(1).expect("a message"));
        }
    }
    panic!("no end: {reply}")
}

#[test]
fn the_files_of_a_conversation_are_for_its_readers() {
    let (mut d, [al, bo, cy]) = driver();
    let [one, two, three] = [1, 2, 3].map(|n| add(&mut d, n));
    d.send_line(al, &format!("PRIVMSG #a :{one} and {two}"));
    let first = d.last_message();
    d.send_line(bo, &format!("PRIVMSG #a :again {one}"));
    let second = d.last_message();
    d.send_line(al, &format!("PRIVMSG bo :{three}"));
    let reply = d.send_line(cy, "FILES LIST #A");
    assert_eq!(listed(&reply), (vec!["photo 1.png", "photo 2.png", "photo 1.png"], "*"), "{reply}");
    let latest = format!(" NOTE FILES SHARED #a {second} 20");
    let shared = reply.lines().find(|line| line.contains(" NOTE FILES SHARED ")).expect("a file");
    assert!(shared.contains(&latest), "{reply}");
    assert!(reply.contains("Z al AAAAAAAAAAAAAAAAAAAAAQ;image/png;20481;640x480 :photo 1.png"), "{reply}");
    let reply = d.send_line(cy, &format!("FILES LIST #a msgid={second}"));
    assert_eq!(listed(&reply).0.len(), 2, "{reply}");
    // A direct conversation has those of its two accounts.
    for (session, other) in [(al, "bo"), (bo, "al")] {
        let reply = d.send_line(session, &format!("FILES LIST {other}"));
        assert_eq!(listed(&reply), (vec!["photo 3.png"], "*"), "{reply}");
    }
    for other in ["al", "bo"] {
        assert_eq!(listed(&d.send_line(cy, &format!("FILES LIST {other}"))).0, Vec::<&str>::new());
    }
    d.send_line(cy, "PART #a");
    for target in ["#a", "#none", "nobody", "!"] {
        let reply = d.send_line(cy, &format!("FILES LIST {target}"));
        assert!(reply.contains(&format!(" FAIL FILES INVALID_TARGET {target} :")), "{reply}");
    }
    let reply = d.send_line(al, "FILES LIST #a 12");
    assert!(reply.contains(" FAIL FILES INVALID_PARAMS :"), "{reply}");
    // What is taken back leaves it; what another message shares stays.
    d.send_line(al, &format!("REDACT #a {first}"));
    assert_eq!(listed(&d.send_line(bo, "FILES LIST #a")), (vec!["photo 1.png"], "*"));
    d.send_line(bo, &format!("REDACT #a {second}"));
    assert_eq!(listed(&d.send_line(bo, "FILES LIST #a")), (vec![], "*"));
}

#[test]
fn pages_lead_to_each_file_once_and_split_no_message() {
    let (mut d, [al, ..]) = driver();
    let files: Vec<String> = (0..256).map(|n| add(&mut d, n)).collect();
    for shared in files.chunks(3) {
        d.send_line(al, &format!("PRIVMSG #a :{}", shared.join(" ")));
    }
    let (mut seen, mut pages, mut before) = (Vec::new(), Vec::new(), String::new());
    while pages.len() < 10 {
        let reply = d.send_line(al, &format!("FILES LIST #a{before}"));
        let (names, next) = listed(&reply);
        pages.push(names.len());
        seen.extend(names.iter().map(|name| (*name).to_owned()));
        if next == "*" {
            break;
        }
        before = format!(" msgid={next}");
    }
    assert_eq!(pages, [100, 102, 54]);
    let count = seen.len();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!((count, seen.len()), (256, 256));
    assert!(d.send_line(al, "FILES LIST").contains(" NOTE FILES FILE_LIST "));
}
