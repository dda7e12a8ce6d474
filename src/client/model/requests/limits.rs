//! Checks of a request before it is sent: texts that the server would cut off or that a line cannot carry. The limits
//! are those of its ISUPPORT; a server that names none decides itself.

use super::{ChannelRequest, SecretText, ServerRequest};
use crate::client::model::Model;

impl Model {
    /// Checks a request against the limits of the server. The error is a text for the user.
    pub fn check_request(&self, request: &ServerRequest) -> Result<(), String> {
        let limits = &self.isupport;
        match request {
            ServerRequest::Channel(_, ChannelRequest::Key(Some(key))) => self.check_key(key),
            ServerRequest::Channel(_, ChannelRequest::Topic(text)) => {
                check_length("the topic", text, limits.topic_bytes)
            }
            ServerRequest::Channel(_, ChannelRequest::Kick { reason, .. }) => {
                check_length("the reason", reason, limits.kick_bytes)
            }
            ServerRequest::SetName(name) => check_length("the full name", name, limits.full_name_bytes),
            _ => Ok(()),
        }
    }

    /// Checks a channel key. The error is a text for the user, without the key.
    pub fn check_key(&self, key: &SecretText) -> Result<(), String> {
        let key = key.expose();
        if key.starts_with(':') || key.contains(|c: char| c == ',' || c.is_whitespace() || c.is_control()) {
            return Err("a key cannot have spaces, commas or a colon at its start; choose another".to_owned());
        }
        check_length("the key", key, self.isupport.key_bytes)
    }

    /// Checks an away message. The error is a text for the user.
    pub fn check_away(&self, message: &str) -> Result<(), String> {
        check_length("the away message", message, self.isupport.away_bytes)
    }
}

fn check_length(name: &str, text: &str, limit: Option<usize>) -> Result<(), String> {
    match limit {
        Some(limit) if text.len() > limit => Err(format!(
            "{name} has {} bytes, and this server takes {limit}; make it shorter and send it again",
            text.len()
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{ChannelName, Message, Timestamp};

    fn model() -> Model {
        let mut model = Model::new("run".to_owned());
        let line = ":srv 005 alice KEYLEN=4 TOPICLEN=5 KICKLEN=6 AWAYLEN=7 NAMELEN=8 :are supported";
        model.handle(&Message::parse(line).expect("a line"), Timestamp(1));
        model
    }

    fn in_channel(request: ChannelRequest) -> ServerRequest {
        ServerRequest::Channel(ChannelName::parse("#tea").expect("a channel"), request)
    }

    #[test]
    fn texts_longer_than_the_server_takes_are_refused_with_the_limit() {
        let model = model();
        let requests = |length: usize| {
            let text = "x".repeat(length);
            [
                (4, in_channel(ChannelRequest::Key(Some(SecretText::new(&text))))),
                (5, in_channel(ChannelRequest::Topic(text.clone()))),
                (6, in_channel(ChannelRequest::Kick { name: "bob".into(), reason: text.clone() })),
                (8, ServerRequest::SetName(text)),
            ]
        };
        for length in 1..=9 {
            for (limit, request) in requests(length) {
                let checked = model.check_request(&request);
                let names_limit = |error: &String| error.contains(&format!("takes {limit}"));
                assert_eq!(
                    checked.as_ref().is_err_and(names_limit),
                    length > limit,
                    "{request:?}: {checked:?}"
                );
                assert_eq!(checked.is_ok(), length <= limit);
                assert_eq!(Model::new("run".to_owned()).check_request(&request), Ok(()), "no limit is known");
            }
        }
        assert_eq!(model.check_away("1234567"), Ok(()));
        assert!(model.check_away("12345678").is_err_and(|error| error.contains("takes 7")));
    }

    #[test]
    fn a_key_that_would_change_on_the_way_is_refused() {
        for key in ["a b", "a,b", ":a", "a\tb", "a\0"] {
            let request = in_channel(ChannelRequest::Key(Some(SecretText::new(key))));
            let error = model().check_request(&request).expect_err(key);
            assert!(error.contains("spaces, commas") && !error.contains(key), "{error}");
        }
        for key in ["a:b", "#a", "\u{e9}"] {
            assert_eq!(model().check_key(&SecretText::new(key)), Ok(()), "{key}");
        }
        assert_eq!(model().check_request(&in_channel(ChannelRequest::Key(None))), Ok(()));
    }
}
