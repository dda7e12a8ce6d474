//! Slack's form of a post: which one it is, its escapes, and the text of its attachments and blocks
//! (<https://api.slack.com/messaging/webhooks>).

use serde_json::{Map, Value};

/// Fields by which a body in JSON is Slack's. `text` and `username` alone are Parlour's own form.
const FIELDS: [&str; 10] = [
    "attachments",
    "blocks",
    "channel",
    "icon_emoji",
    "icon_url",
    "link_names",
    "mrkdwn",
    "parse",
    "unfurl_links",
    "unfurl_media",
];

/// Returns whether an object has one of Slack's own fields.
pub(super) fn is_slack(object: &Map<String, Value>) -> bool {
    FIELDS.iter().any(|field| object.contains_key(*field))
}

/// Returns the text of a post: its own or else that of its blocks, and that of its attachments below. Pictures, buttons and
/// colours are left out.
pub(super) fn text(object: &Map<String, Value>) -> String {
    let mut lines = Vec::new();
    match string(object.get("text")) {
        Some(text) => lines.push(text),
        None => items(object.get("blocks")).for_each(|block| push_block(block, &mut lines)),
    }
    for attachment in items(object.get("attachments")) {
        push_attachment(attachment, &mut lines);
    }
    without_escapes(&lines.join("\n"))
}

fn push_attachment(attachment: &Value, lines: &mut Vec<String>) {
    let before = lines.len();
    lines.extend(["pretext", "title", "text"].iter().filter_map(|key| string(attachment.get(key))));
    for field in items(attachment.get("fields")) {
        match (string(field.get("title")), string(field.get("value"))) {
            (Some(title), Some(value)) => lines.push(format!("{title}: {value}")),
            (title, value) => lines.extend(title.or(value)),
        }
    }
    items(attachment.get("blocks")).for_each(|block| push_block(block, lines));
    if lines.len() == before {
        // What Slack shows where an attachment cannot be.
        lines.extend(string(attachment.get("fallback")));
    }
}

fn push_block(block: &Value, lines: &mut Vec<String>) {
    lines.extend(block.get("text").and_then(|text| string(text.get("text"))));
    for part in items(block.get("fields")).chain(items(block.get("elements"))) {
        // Buttons have an object as their text, and are left out.
        lines.extend(string(part.get("text")));
    }
}

fn items(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    value.and_then(Value::as_array).into_iter().flatten()
}

/// Returns a text that is not empty.
fn string(value: Option<&Value>) -> Option<String> {
    value.and_then(Value::as_str).filter(|text| !text.trim().is_empty()).map(ToOwned::to_owned)
}

/// Returns a text without the escapes of Slack: `&lt;`, `&gt;`, `&amp;`, and links as `<URL|WORDS>`.
fn without_escapes(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('<') {
        plain.push_str(before);
        let link = after.split_once('>').filter(|(link, _)| {
            ["http://", "https://", "mailto:"].iter().any(|scheme| link.starts_with(scheme))
        });
        if let Some((link, after)) = link {
            match link.split_once('|') {
                Some((url, words)) if url != words => plain.extend([words, " (", url, ")"]),
                Some((url, _)) => plain.push_str(url),
                None => plain.push_str(link),
            }
            rest = after;
        } else {
            plain.push('<');
            rest = after;
        }
    }
    plain.push_str(rest);
    plain.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn text_is_that_of_text_blocks_and_attachments() {
        let shown = |value: Value| text(value.as_object().expect("an object"));
        let blocks = json!([
            { "type": "header", "text": { "type": "plain_text", "text": "Deploy &amp; test" } },
            { "type": "section", "text": { "text": "see <https://h/1|the log>" }, "fields": [{ "text": "ok" }] },
            { "type": "context", "elements": [{ "type": "mrkdwn", "text": "by ci" }] },
            { "type": "actions", "elements": [{ "type": "button", "text": { "text": "Retry" } }] },
            { "type": "image", "image_url": "https://h/x.png" },
        ]);
        assert_eq!(shown(json!({ "blocks": blocks })), "Deploy & test\nsee the log (https://h/1)\nok\nby ci");
        assert_eq!(shown(json!({ "text": "short", "blocks": blocks })), "short");
        let attachments = json!([
            { "fallback": "not this", "title": "Build 17", "text": "failed", "color": "#f00",
              "fields": [{ "title": "Branch", "value": "main" }] },
            { "fallback": "instead" },
            7,
        ]);
        assert_eq!(
            shown(json!({ "text": "x", "attachments": attachments })),
            "x\nBuild 17\nfailed\nBranch: main\ninstead"
        );
        assert_eq!(shown(json!({ "attachments": {}, "blocks": "x" })), "");
    }
}
