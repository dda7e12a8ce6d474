//! TOPIC (<https://modern.ircdocs.horse/#topic-message>): queries or sets the topic. Any member may set it, unless the
//! channel has mode `t`.

use std::sync::Arc;

use super::part::not_on_channel;
use crate::core::commands::targets::no_such_channel;
use crate::core::commands::{Command, Spec};
use crate::core::effects::event::EventKind;
use crate::core::record::member_status::PrefixMode;
use crate::core::record::modes::ModeFlag;
use crate::core::record::{MessageKind, Record, Topic};
use crate::core::settings::{Settings, truncate_str};
use crate::core::state::context::{Context, chanop_privs_needed, topic_replies};
use crate::wire::numeric::RPL_NOTOPIC;
use crate::wire::{ChannelName, Message, Reply};

/// The TOPIC command: queries or sets the topic.
pub const SPEC: Spec = Spec { name: "TOPIC", min_params: 1, parse };

/// A parsed TOPIC: a query without a text, a change with one.
#[derive(Debug)]
pub struct SetTopic {
    channel: ChannelName,
    text: Option<Arc<str>>,
}

fn parse(message: &Message<'_>) -> Result<Command, Reply> {
    let name = message.param(0).unwrap_or_default();
    let channel = ChannelName::parse(name).map_err(|_| no_such_channel(name))?;
    let text = message.param(1).map(|text| truncate_str(text, Settings::MAX_TOPIC_BYTES).into());
    Ok(Command::SetTopic(SetTopic { channel, text }))
}

impl SetTopic {
    /// Returns whether it sets the topic.
    pub(in crate::core::commands) fn sets(&self) -> bool {
        self.text.is_some()
    }

    pub(in crate::core::commands) fn run(self, cx: &mut Context<'_>) {
        let Some(channel) = cx.visible_channel(&self.channel) else {
            return cx.reply(no_such_channel(self.channel.as_str()));
        };
        let (is_in, level) = (cx.is_member(channel), cx.permission_level(channel));
        if !is_in && !level.at_least(PrefixMode::HalfOp) {
            return cx.reply(not_on_channel(self.channel.as_str()));
        }
        let (id, name) = (channel.id, channel.name.clone());
        let Some(text) = self.text else {
            let mut replies = topic_replies(channel);
            if replies.is_empty() {
                replies.push(Reply::numeric(RPL_NOTOPIC).arg(name.as_str()).text("No topic is set"));
            }
            return replies.into_iter().for_each(|reply| cx.reply(reply));
        };
        if channel.modes.has(ModeFlag::TopicLock) && !level.at_least(PrefixMode::HalfOp) {
            let text = "You're not channel operator (+t: half-op or higher required)";
            return cx.reply(chanop_privs_needed(name.as_str(), text));
        }
        if cx.is_silenced(channel) {
            let text = "Cannot set the topic: you may not send to this channel";
            return cx.reply(chanop_privs_needed(name.as_str(), text));
        }
        let topic = Topic { text: text.clone(), by: cx.sender.nick.clone(), at: cx.at };
        let topic = Some(topic).filter(|topic| !topic.text.is_empty());
        if let Some(channel) = cx.core.channels.get_mut(id) {
            channel.topic.clone_from(&topic);
        }
        cx.fx.records.push(Record::TopicSet(id, topic));
        let stored = (MessageKind::Topic, text.clone());
        if let Some(event) = cx.record_channel_event(id, stored, EventKind::Topic(name.clone(), text)) {
            cx.send_to_channel(&name, event);
        }
        if !is_in {
            cx.audit("channel topic", name.as_str(), "as an admin, not a member");
        }
    }
}
