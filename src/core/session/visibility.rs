//! Invisible sessions: those of scripts, which do not change what others see of their account.
//!
//! An account whose sessions are all invisible is offline for others: no JOIN and QUIT, no AWAY, no notification of
//! MONITOR, and not in NAMES, WHO, WHOIS and ISON. What such a session does, such as sending a message, is seen as
//! always, but for JOIN and PART: others learn of a membership when the account comes online, and from the history. What it
//! receives is replayed to other clients all the same.

use crate::core::login::Login;
use crate::core::model::accounts::AccountState;
use crate::core::model::audience::Audience;
use crate::core::state::Core;
use crate::wire::Cap;

/// Returns whether others see the session of this login. `parlour/invisible` gives `AWAY *` before the login this
/// meaning, so that a client that requests every capability does not become invisible.
pub(in crate::core) fn is_visible(login: &Login) -> bool {
    !(login.caps.has(Cap::Invisible) && login.away.as_deref() == Some("*"))
}

impl Core {
    /// Returns the sessions of an audience that are not the account's own.
    pub(in crate::core) fn other_sessions(
        &self,
        account_state: &AccountState,
        audience: Audience,
    ) -> Audience {
        if account_state.sessions.is_empty() {
            return audience;
        }
        self.count_scanned_rows(audience.len());
        let is_other = |session| !account_state.sessions.has(session);
        audience.recipients().filter(|recipient| is_other(recipient.session)).copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rand::RngExt as _;
    use rand::seq::IndexedRandom as _;

    use crate::core::tests::driver::{Driver, INVISIBLE};
    use crate::core::tests::simulation::seed::Seed;
    use crate::core::{InputKind, SessionId};

    /// Another account in two channels of `al`, and what it concludes from the lines that it is sent.
    struct Observer {
        session: SessionId,
        present_in: BTreeSet<String>,
        online: bool,
        away: Option<String>,
    }

    impl Observer {
        /// Takes the lines since the last call. Returns those about the presence of `al`.
        fn take(&mut self, d: &mut Driver) -> Vec<String> {
            let mut changes = Vec::new();
            for line in d.take_output(self.session).lines() {
                let words: Vec<&str> = line.split(' ').collect();
                match (words[0], words[1]) {
                    (":al!al@parlour", "JOIN") => drop(self.present_in.insert(words[2].to_owned())),
                    (":al!al@parlour", "PART") => drop(self.present_in.remove(words[2])),
                    (":al!al@parlour", "QUIT") => self.present_in.clear(),
                    (":al!al@parlour", "AWAY") => self.away = words.get(2).map(ToString::to_string),
                    (_, "730") => self.online = true,
                    (_, "731") => (self.online, self.away) = (false, None),
                    _ => continue,
                }
                changes.push(line.to_owned());
            }
            changes
        }

        /// Asserts that every query has the same result as the lines.
        fn check(&self, d: &mut Driver) {
            for channel in ["#a", "#b"] {
                let names = d.send_line(self.session, &format!("NAMES {channel}"));
                let list = names.lines().next().and_then(|line| line.rsplit(':').next()).unwrap_or_default();
                let has_al = list.split(' ').any(|name| name.trim_start_matches(['~', '@']) == "al");
                assert_eq!(has_al, self.present_in.contains(channel), "{names}");
            }
            let whois = d.send_line(self.session, "WHOIS al");
            assert_eq!(whois.contains(" 311 "), self.online, "{whois}");
            assert_eq!(whois.contains(" 301 "), self.online && self.away.is_some(), "{whois}");
            for (query, shown) in [
                ("ISON al", " :al\r"),
                ("MONITOR S", " :al!al@"),
                ("WHO al", " al H"),
                ("WHO al", " al G"),
                ("USERHOST al", ":al="),
            ] {
                let is_expected = match shown {
                    " al H" => self.online && self.away.is_none(),
                    " al G" => self.online && self.away.is_some(),
                    _ => self.online,
                };
                let answer = d.send_line(self.session, query);
                assert_eq!(answer.contains(shown), is_expected, "{query}: {answer}");
            }
        }
    }

    #[test]
    fn presence_follows_visible_sessions_only() {
        let seed = Seed(0x1715);
        let mut rng = seed.rng();
        let mut d = Driver::new();
        let session = d.open("bo", "away-notify extended-monitor");
        for line in ["JOIN #a", "JOIN #b", "MONITOR + al"] {
            d.send_line(session, line);
        }
        let mut bo = Observer { session, present_in: BTreeSet::new(), online: false, away: None };
        let (mut visible, mut hidden): (Vec<SessionId>, Vec<SessionId>) = (Vec::new(), Vec::new());
        for _ in 0..3000 {
            let acts_visibly = rng.random();
            let was_online = !visible.is_empty();
            let sessions = if acts_visibly { &mut visible } else { &mut hidden };
            match rng.random_range(0..10) {
                0..2 => sessions.push(d.open("al", if acts_visibly { "" } else { INVISIBLE })),
                2..5 if !sessions.is_empty() => {
                    let session = sessions.swap_remove(rng.random_range(0..sessions.len()));
                    if rng.random() {
                        d.input(InputKind::SessionClosed(session, "lost".into()));
                    } else {
                        d.send_line(session, "QUIT");
                    }
                }
                _ => {
                    let line =
                        ["JOIN #a", "JOIN #b", "PART #a", "PART #b", "AWAY :x", "AWAY", "PRIVMSG bo :hi"];
                    if let Some(&session) = sessions.choose(&mut rng) {
                        let own = d.send_line(session, line.choose(&mut rng).expect("one"));
                        assert!(own.matches(":al!al@parlour JOIN").count() <= 1, "{own}");
                    }
                }
            }
            let changes = bo.take(&mut d);
            assert_eq!(bo.online, !visible.is_empty());
            assert!(was_online || bo.online || changes.is_empty(), "{changes:?}");
            bo.check(&mut d);
            for &own in visible.iter().chain(&hidden) {
                assert!(!d.take_output(own).contains("QUIT"), "no session of its own sees it quit");
            }
        }
    }

    #[test]
    fn invisible_session_is_told_and_can_do_everything() {
        let mut d = Driver::new();
        let bo = d.open("bo", "");
        d.send_line(bo, "JOIN #a");
        let al = d.open("al", INVISIBLE);
        assert!(d.send_line(al, "JOIN #a").contains(":al!al@parlour JOIN #a\r\n"));
        assert_eq!(d.take_output(bo), "", "the membership shows once the account is online");
        d.send_line(al, "PRIVMSG #a :from a script");
        assert_eq!(d.take_output(bo), ":al!al@parlour PRIVMSG #a :from a script\r\n");
        d.send_line(bo, "PRIVMSG al :hi");
        d.send_line(bo, "PRIVMSG #a :all");
        assert_eq!(d.take_output(al), ":bo!bo@parlour PRIVMSG al :hi\r\n:bo!bo@parlour PRIVMSG #a :all\r\n");
        let lusers = d.send_line(bo, "LUSERS");
        assert!(
            lusers.contains("There are 1 users") && lusers.contains("Current local users 1, max 1"),
            "{lusers}"
        );
        let laptop = d.open("al", "");
        assert_eq!(d.take_output(bo), ":al!al@parlour JOIN #a\r\n");
        assert_eq!(d.take_output(al), "", "it has joined already");
        d.input(InputKind::SessionClosed(laptop, "lost".into()));
        assert_eq!(d.take_output(bo), ":al!al@parlour QUIT :lost\r\n");
        assert_eq!(d.take_output(al), "");
    }

    #[test]
    fn capability_alone_hides_nothing() {
        let mut d = Driver::new();
        let bo = d.open("bo", "");
        d.send_line(bo, "MONITOR + al");
        let al = d.open("al", "parlour/invisible");
        assert!(d.take_output(bo).contains(" 730 bo :al!al@parlour"));
        // Nor does AWAY later.
        d.send_line(al, "AWAY *");
        assert!(d.send_line(bo, "WHOIS al").contains(" 301 "));
    }
}
