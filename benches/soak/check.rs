//! Comparison of the history with the members' journals.

use std::collections::HashMap;

use anyhow::{Result, bail};

use crate::client::{Client, Dialer};
use crate::load::Load;

/// Count of messages that one CHATHISTORY requests.
const PAGE_SIZE: usize = 500;

/// Counts of the comparison. The fields from `lost` on count errors.
#[derive(Debug, Default)]
pub struct CheckResult {
    pub sent: usize,
    pub confirmed: usize,
    pub refused: usize,
    /// Messages in the history.
    pub stored: usize,
    /// Messages that were confirmed but are not in the history, or have another id there.
    pub lost: usize,
    /// Messages that are in the history more than once.
    pub duplicated: usize,
    /// Messages after a later message of the same sender, in the history or as received by a member.
    pub reordered: usize,
    /// Messages that were refused with FAIL and are stored all the same.
    pub refused_but_stored: usize,
    /// Messages in the history between two that a member received live on one connection, but not received.
    pub skipped: usize,
    /// Messages received live twice on one connection, or received and not in the history.
    pub received_wrong: usize,
}

impl CheckResult {
    pub fn is_clean(&self) -> bool {
        self.lost
            + self.duplicated
            + self.reordered
            + self.refused_but_stored
            + self.skipped
            + self.received_wrong
            == 0
            && self.confirmed > 0
    }
}

/// Reads the whole history of `#load` like any client and compares.
pub async fn check_history(dialer: &Dialer, load: &Load) -> Result<CheckResult> {
    let caps = "batch draft/chathistory message-tags server-time";
    let mut client = dialer.login(251, "checker", caps).await?;
    client.send("JOIN #load\r\n").await?;
    let history = read_history(&mut client).await?;
    let position: HashMap<&str, usize> =
        history.iter().enumerate().map(|(at, kept)| (kept.id.as_str(), at)).collect();
    let mut checked = CheckResult { stored: history.len(), ..CheckResult::default() };

    let mut by_sender: HashMap<&str, Vec<(usize, &str)>> = HashMap::new();
    for stored in &history {
        by_sender.entry(&stored.sender).or_default().push((stored.number, &stored.id));
    }
    for (number, journal) in load.journals.iter().enumerate() {
        let journal = journal.lock();
        let name = format!("member{number}");
        let own = by_sender.get(name.as_str()).map_or(&[][..], Vec::as_slice);
        checked.sent += journal.sent;
        checked.confirmed += journal.confirmed.len();
        checked.refused += journal.refused.len();
        let mut seen: HashMap<usize, &str> = HashMap::new();
        for (n, id) in own {
            if seen.insert(*n, id).is_some() {
                checked.duplicated += 1;
            }
        }
        checked.reordered += own.windows(2).filter(|pair| pair[0].0 > pair[1].0).count();
        checked.lost += journal.confirmed.iter().filter(|(n, id)| seen.get(n) != Some(&id.as_str())).count();
        checked.refused_but_stored += journal.refused.iter().filter(|n| seen.contains_key(n)).count();
        for ids in &journal.received {
            let positions: Vec<Option<usize>> =
                ids.iter().map(|id| position.get(id.as_str()).copied()).collect();
            checked.received_wrong += positions.iter().filter(|place| place.is_none()).count();
            for pair in positions.windows(2) {
                match (pair[0], pair[1]) {
                    (Some(a), Some(b)) if b == a => checked.received_wrong += 1,
                    (Some(a), Some(b)) if b < a => checked.reordered += 1,
                    (Some(a), Some(b)) => {
                        let between = &history[a + 1..b];
                        checked.skipped +=
                            between.iter().filter(|kept| !journal.resent.contains(&kept.id)).count();
                    }
                    _ => {}
                }
            }
        }
    }
    Ok(checked)
}

struct HistoryMessage {
    id: String,
    sender: String,
    /// The sender's own number of the message.
    number: usize,
}

async fn read_history(client: &mut Client) -> Result<Vec<HistoryMessage>> {
    let mut history: Vec<HistoryMessage> = Vec::new();
    loop {
        let from = history
            .last()
            .map_or("timestamp=2000-01-01T00:00:00.000Z".to_owned(), |kept| format!("msgid={}", kept.id));
        client.send(&format!("CHATHISTORY AFTER #load {from} {PAGE_SIZE}\r\n")).await?;
        let before = history.len();
        let mut batch = None;
        loop {
            let line = client.next_line().await?;
            match line.command.as_str() {
                "PING" => client.answer_ping(&line).await?,
                "FAIL" | "ERROR" => bail!("CHATHISTORY: {}", line.text()),
                "BATCH" if line.param(1).ends_with("chathistory") => {
                    batch = line.param(0).strip_prefix('+').map(str::to_owned);
                }
                "BATCH" if batch.as_deref() == line.param(0).strip_prefix('-') => break,
                "PRIVMSG" if batch.is_some() && line.tag("batch") == batch.as_deref() => {
                    let mut words = line.text().split(' ').skip(1);
                    history.push(HistoryMessage {
                        id: line.tag("msgid").unwrap_or_default().to_owned(),
                        sender: line.source.clone(),
                        number: words.next().and_then(|n| n.parse().ok()).unwrap_or_default(),
                    });
                }
                _ => {}
            }
        }
        if history.len() == before {
            return Ok(history);
        }
    }
}
