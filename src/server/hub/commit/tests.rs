//! Batches that the store refuses, or is slow to commit.

use super::*;
use crate::core::effects::{EventTo, InputEffects, ReplyTo};
use crate::core::record::device::CertificateFingerprint;
use crate::core::record::received::{ReceivedRange, ReceivedRanges};
use crate::core::record::{AccountId, ChannelId, Conversation, MessageKind, SendId};
use crate::core::request::admin::RequestOutcome;
use crate::core::{Event, EventKind};
use crate::wire::{CapSet, Label, Reply, Tagging, Tags, Timestamp};

#[test]
fn repeat_of_refused_message_is_not_confirmed() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut commits = CommitPipeline::new(Store::open(folder.path()).expect("a store"));
    let session = |slot| SessionId { slot, generation: 0 };
    let (id, al) = (MessageId::first_at(Timestamp(7)), AccountId(16));
    let message = StoredMessage {
        id,
        conversation: Conversation::direct(al, al),
        from: al,
        kind: MessageKind::Privmsg,
        text: "once".into(),
        tags: "".into(),
        send_id: Some(SendId("x".into())),
    };
    let echo = |to| {
        Output::Event(EventTo {
            to,
            caps: CapSet::EMPTY,
            event: Event {
                source: "al!al@parlour".into(),
                account: None,
                bot: false,
                time: Timestamp(7),
                id: Some(id),
                tags: "".into(),
                kind: EventKind::Tagmsg { target: "al".into(), own_copy: false },
            },
            tagging: Tagging::None,
        })
    };
    let label = Label::in_tags(Tags("label=l"));
    let mut effects = Effects::default();
    effects.outputs.extend([echo(session(1)), echo(session(2)), note(session(3), "PONG")]);
    effects.by_input.extend([
        InputEffects { records: 0..1, outputs: 0..1, from: Some((session(1), None)), session: None },
        InputEffects { records: 1..1, outputs: 1..2, from: Some((session(2), label.clone())), session: None },
        InputEffects { records: 1..1, outputs: 2..3, from: Some((session(3), None)), session: None },
    ]);
    let records = Arc::new(vec![Record::Message(message)]);
    let batch = InFlightCommit {
        records,
        backlog_len: 0,
        held_outputs: Vec::new(),
        effects,
        result: oneshot::channel().1,
        started_at: Instant::now(),
        is_probe: false,
        is_hanging: false,
        overtaking: None,
    };
    let outcome = commits.finish_refused(batch, StoreError::Full);
    let refused: Vec<_> =
        outcome.refused_commands.iter().map(|r| (r.session.slot, r.messages.len())).collect();
    assert_eq!(refused, [(1, 1), (2, 0)]);
    assert_eq!(outcome.refused_commands[1].label, label);
    assert!(matches!(outcome.outputs.as_slice(), [Output::Reply(reply)] if reply.to.slot == 3));
}

/// Posts of programs, and their repetitions.
#[test]
fn refused_posts_and_their_repetitions_are_not_confirmed() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut commits = CommitPipeline::new(Store::open(folder.path()).expect("a store"));
    let (id, hook) = (MessageId::first_at(Timestamp(7)), AccountId(16));
    let message = StoredMessage {
        id,
        conversation: Conversation::Channel(ChannelId(1)),
        from: hook,
        kind: MessageKind::Privmsg,
        text: "once".into(),
        tags: "".into(),
        send_id: Some(SendId("x".into())),
    };
    let posted = |request| Output::RequestDone(RequestId(request), Ok(RequestOutcome::Posted(id)));
    let step = |records, outputs| InputEffects { records, outputs, from: None, session: None };
    let mut effects = Effects::default();
    effects.records.push(Record::Message(message));
    effects.outputs.extend([posted(1), posted(2)]);
    effects.by_input.extend([step(0..1, 0..1), step(1..1, 1..2)]);
    let mut pending = Effects::default();
    pending.outputs.push(posted(3));
    pending.by_input.push(step(0..0, 0..1));
    let outcome = commits.refuse_pending(effects);
    assert!(outcome.outputs.is_empty() && outcome.deferred_requests.is_empty());
    let (mut commands, mut requests) = (outcome.refused_commands, outcome.refused_requests);
    withdraw_repeats(&mut pending, &mut commands, &mut requests);
    let refused: Vec<_> = requests.iter().map(|refused| (refused.id.0, refused.messages.len())).collect();
    assert_eq!(refused, [(1, 1), (2, 0), (3, 0)]);
    assert!(commands.is_empty() && pending.outputs.is_empty());
}

/// A note for a session.
pub fn note(to: SessionId, text: &str) -> Output {
    Output::Reply(ReplyTo { to, nick: "al".into(), reply: Reply::command("NOTE").text(text) })
}

/// Returns the texts of the notes among the outputs.
pub fn lines(outputs: &[Output]) -> Vec<String> {
    let text = |output: &Output| match output {
        Output::Reply(reply) => {
            let line = reply.reply.render("s", "al");
            let text = line.strip_prefix(":s NOTE :").and_then(|text| text.strip_suffix("\r\n"));
            Some(text.expect("a note").to_owned())
        }
        _ => None,
    };
    outputs.iter().filter_map(text).collect()
}

fn commits() -> (tempfile::TempDir, CommitPipeline) {
    let folder = tempfile::tempdir().expect("a folder");
    let commits = CommitPipeline::new(Store::open(folder.path()).expect("a store"));
    (folder, commits)
}

/// Adds the effects of a session's input: records, and a line to that session.
fn step(effects: &mut Effects, slot: u32, records: &[Record], line: &str) {
    let (first, output) = (effects.records.len(), effects.outputs.len());
    let session = SessionId { slot, generation: 0 };
    effects.records.extend_from_slice(records);
    effects.outputs.push(note(session, line));
    effects.by_input.push(InputEffects {
        records: first..effects.records.len(),
        outputs: output..output + 1,
        from: Some((session, None)),
        session: Some(session),
    });
}

fn message_record(n: i64) -> Record {
    let al = AccountId(16);
    Record::Message(StoredMessage {
        id: MessageId::from_i64(n),
        conversation: Conversation::direct(al, al),
        from: al,
        kind: MessageKind::Privmsg,
        text: "x".into(),
        tags: "".into(),
        send_id: None,
    })
}

/// A commit of these effects that the test ends.
fn start_in_flight(
    commits: &mut CommitPipeline,
    mut effects: Effects,
) -> oneshot::Sender<Result<(), StoreError>> {
    let (done, result) = oneshot::channel();
    let old = commits.backlog.len();
    let mut records = std::mem::take(&mut commits.backlog);
    records.append(&mut effects.records);
    commits.in_flight = Some(InFlightCommit {
        records: records.into(),
        backlog_len: old,
        held_outputs: std::mem::take(&mut commits.held_outputs),
        effects,
        result,
        started_at: Instant::now(),
        is_probe: false,
        is_hanging: false,
        overtaking: None,
    });
    done
}

#[tokio::test]
async fn backlog_does_not_grow_with_sessions_while_store_fails() {
    let (_folder, mut commits) = commits();
    for n in 1..500 {
        let mut effects = Effects::default();
        let seen = received_up_to(n);
        step(&mut effects, 1, &[Record::ReceivedSet(AccountId(16 + n % 2), seen)], "QUIT");
        let done = start_in_flight(&mut commits, effects);
        done.send(Err(StoreError::Full)).expect("waited for");
        let outcome = commits.next().await;
        assert_eq!(lines(&outcome.outputs), ["QUIT"], "it is shown, whatever is stored");
        assert!(commits.backlog.len() <= 2 && commits.held_outputs.is_empty(), "{}", commits.backlog.len());
    }
    let newest = |account| Record::ReceivedSet(account, received_up_to(498 + account.0 % 2));
    assert_eq!(commits.backlog, [newest(AccountId(16)), newest(AccountId(17))]);
}

#[tokio::test]
async fn refusal_behind_hanging_commit_keeps_other_records() {
    let (_folder, mut commits) = commits();
    let mut effects = Effects::default();
    step(&mut effects, 1, &[message_record(7)], "echo 7");
    let done = start_in_flight(&mut commits, effects);
    let mut pending = Effects::default();
    // The same session sends a PING, another one a message, a third one changes the state.
    step(&mut pending, 1, &[], "pong 1");
    step(&mut pending, 2, &[message_record(8)], "echo 8");
    step(&mut pending, 2, &[], "pong 2");
    let joined = Record::Joined { channel: ChannelId(1), account: AccountId(16), at: Timestamp(0) };
    step(&mut pending, 3, std::slice::from_ref(&joined), "joined");
    let refused = commits.refuse_pending(pending);
    assert_eq!(refused.refused_commands.iter().map(|it| it.session.slot).collect::<Vec<_>>(), [2]);
    assert_eq!(lines(&refused.outputs), ["pong 2"]);
    // It was only slow: what belongs to it is shown, and not what is not stored yet.
    done.send(Ok(())).expect("waited for");
    let kept = commits.next().await;
    assert_eq!(
        (lines(&kept.outputs), kept.stored_messages),
        (vec!["echo 7".to_owned(), "pong 1".to_owned()], Some(1))
    );
    assert_eq!(commits.backlog, [joined]);
    let done = start_in_flight(&mut commits, Effects::default());
    done.send(Ok(())).expect("waited for");
    assert_eq!(lines(&commits.next().await.outputs), ["joined"]);
}

#[tokio::test]
async fn times_of_logins_by_device_cause_no_commit_of_their_own() {
    let (_folder, mut commits) = commits();
    let used = Record::DeviceUsed { fingerprint: CertificateFingerprint([7; 32]), at: Timestamp(7) };
    let mut effects = Effects::default();
    step(&mut effects, 1, std::slice::from_ref(&used), "welcome");
    assert_eq!(lines(&commits.start(effects).expect("nothing to wait for")), ["welcome"]);
    assert!(!commits.is_busy());
    // The next commit takes it along, before later records.
    let mut effects = Effects::default();
    step(&mut effects, 1, &[message_record(8)], "echo");
    assert!(commits.start(effects).is_none());
    let in_flight = commits.in_flight.as_ref().expect("under way");
    assert_eq!(*in_flight.records, [used.clone(), message_record(8)]);
    assert_eq!(lines(&commits.next().await.outputs), ["echo"]);
    // Without another one it is committed a little later, or when the server stops.
    let mut effects = Effects::default();
    step(&mut effects, 1, &[used], "welcome");
    assert!(commits.start(effects).is_some());
    assert!(commits.deferred_until.is_some());
    commits.commit_deferred();
    assert!(commits.is_busy());
    let stored = commits.next().await;
    assert!(stored.store_error.is_none() && commits.backlog.is_empty() && commits.deferred_until.is_none());
}

fn received_up_to(n: i64) -> ReceivedRanges {
    ReceivedRanges::from_ranges([ReceivedRange {
        after: MessageId::from_i64(0),
        up_to: MessageId::from_i64(n),
    }])
}
