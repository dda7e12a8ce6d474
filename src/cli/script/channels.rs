//! `parlour channels`: lists channels.

use serde::Serialize;

use super::{LoginOptions, Script};
use crate::cli::access;
use crate::cli::exit_code;
use crate::cli::output::{self, print_table};
use crate::client::model::event::{ListReply, ServerEvent};
use crate::client::text::clean::clean;
use crate::wire::ChannelName;

/// List the channels that you can see.
///
/// Prints a row, or with --json one object per line, for each: its name, the number of members online, whether you are
/// a member, and its topic. Secret channels are listed for their members only.
#[derive(clap::Args)]
#[command(after_help = exit_code::exit_codes_help("\
Examples:
  parlour channels
  parlour channels build
  parlour channels '#class-*' --json"))]
pub struct Args {
    /// A part of the name, or a pattern for the whole name with the wildcards * and ?
    #[arg(value_name = "MASK")]
    mask: Option<String>,
    /// Print one JSON object per line.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    login: LoginOptions,
}

/// A channel in the JSON format of docs/scripting.md.
#[derive(Serialize)]
struct Object<'a> {
    name: &'a str,
    online: u64,
    member: bool,
    topic: &'a str,
}

/// Runs the subcommand.
pub fn run(mut args: Args) -> anyhow::Result<()> {
    let mask = args.mask.as_deref().map(to_mask).unwrap_or_default();
    access::run_client(async {
        let script = Script::open(&mut args.login, Some(access::RECONNECT_TIMEOUT)).await?;
        script
            .run("stopped before the server answered", async |script| {
                let fill = |line: crate::client::text::line::Line| {
                    if mask.is_empty() { line } else { line.arg(&mask) }
                };
                let channels = script
                    .query_lines(
                        "LIST",
                        fill,
                        |event| match event {
                            ServerEvent::ListReply(channel) => Some(channel.clone()),
                            _ => None,
                        },
                        |event| matches!(event, ServerEvent::ListEnd),
                    )
                    .await?;
                let model = &script.session.model;
                print_channels(channels, args.json, |name| {
                    ChannelName::parse_foreign(name).is_ok_and(|name| model.is_in(&name))
                })
            })
            .await
    })
}

/// Converts the argument to a mask for LIST. A part of a name matches anywhere in a name. Other conditions of LIST
/// begin with other characters, so they cannot occur.
fn to_mask(text: &str) -> String {
    if text.starts_with('#') || text.contains(['*', '?']) {
        format!("#{}", text.trim_start_matches('#'))
    } else {
        format!("*{text}*")
    }
}

/// Prints the channels.
fn print_channels(
    mut channels: Vec<ListReply>,
    json: bool,
    member: impl Fn(&str) -> bool,
) -> anyhow::Result<()> {
    channels.sort_by_key(|channel| channel.channel.to_lowercase());
    if json {
        let objects: Vec<_> = channels
            .iter()
            .map(|ListReply { channel, members, topic }| Object {
                name: channel,
                online: members.parse().unwrap_or(0),
                member: member(channel),
                topic,
            })
            .collect();
        return output::print_objects(&objects);
    }
    let mut rows = vec![["CHANNEL", "ONLINE", "MEMBER", "TOPIC"].map(str::to_owned)];
    rows.extend(channels.iter().map(|ListReply { channel, members, topic }| {
        let yes = if member(channel) { "yes" } else { "no" };
        [clean(channel), clean(members), yes.to_owned(), clean(topic)]
    }));
    print_table(&rows)
}

#[cfg(test)]
mod tests {
    use super::to_mask;

    #[test]
    fn part_of_a_name_becomes_a_mask() {
        assert_eq!(to_mask("build"), "*build*");
        assert_eq!(to_mask(">5"), "*>5*");
        assert_eq!(to_mask("#ops"), "#ops");
        assert_eq!(to_mask("#class-*"), "#class-*");
        assert_eq!(to_mask("*-ops"), "#*-ops");
    }
}
