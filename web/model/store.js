/** The state as the views see it: snapshots, subscriptions and actions. */

import { createActions, loadActions } from "./actions/index.js";
import { Buffer } from "./buffer.js";

/** @import { Channel } from "./channel.js" */
/** @import { Model } from "./model.js" */
/** @import { ChannelRights, ConnectionState, ConversationItem, LinkActions, Prefix, ServerInfo, Store } from "./types.js" */

const PREFIXES = "~&@%+";
/** Order of names: #room-2 before #room-10. */
const collator = new Intl.Collator(undefined, { numeric: true });

/** @param {Model} model @param {LinkActions & { state: () => ConnectionState, info: () => ServerInfo }} link @returns {Store} */
export function createStore(model, link) {
  const { people } = model;
  /** Timelines of conversations that are not open. */
  const empty = new Buffer("");
  /** @type {(buffer: Buffer) => ConversationItem} */
  const toItem = (buffer) => {
    const { key, name, isChannel, joined, unread, unreadIsLowerBound, mentions, muted } = buffer;
    return {
      key, name, joined, unread, unreadIsLowerBound, mentions, muted,
      kind: isChannel ? "channel" : "direct",
      displayName: isChannel ? null : people.trustedName(name),
      level: model.levelOf(buffer),
      presence: isChannel ? "unknown" : people.presence(name),
      hasDraft: buffer.draft !== "",
      failed: buffer.outgoing.filter((entry) => entry.status === "failed").length,
      time: buffer.activity,
      topic: model.channels.get(key)?.topic ?? "",
    };
  };
  return {
    subscribe: (listener) => {
      model.listeners.add(listener);
      return () => void model.listeners.delete(listener);
    },
    onAlert: (listener) => {
      model.alertListeners.add(listener);
      return () => void model.alertListeners.delete(listener);
    },
    complete: () => loadActions(model),
    connection: () => link.state(),
    session: () => {
      const { caps } = model;
      return {
        ...link.info(),
        account: model.me || link.info().account,
        displayName: people.get(model.me).displayName,
        network: model.isupport.network || link.info().network,
        isAdmin: model.isOper,
        isReady: model.ready,
        away: model.ownAway,
        uploadUrl: model.isupport.uploadUrl,
        features: {
          reactions: caps.has("message-tags"),
          redaction: caps.has("draft/message-redaction"),
          metadata: model.hasMetadata,
        },
      };
    },
    conversations: () => {
      const items = [...model.buffers.values()].map(toItem);
      const byName = (/** @type {ConversationItem} */ a, /** @type {ConversationItem} */ b) => collator.compare(a.key, b.key);
      const channels = items.filter((item) => item.kind === "channel").sort(byName);
      const direct = items.filter((item) => item.kind === "direct").sort((a, b) => b.time - a.time || byName(a, b));
      return [...channels, ...direct];
    },
    conversation: (name) => {
      const buffer = model.buffer(name);
      return buffer ? toItem(buffer) : null;
    },
    current: () => model.shown ? toItem(model.shown) : null,
    timeline: (name) => model.buffer(name) ?? empty,
    ...channelSelectors(model),
    typing: (name) => [...(model.buffer(name)?.typing.values() ?? [])].map((one) => one.name),
    presence: (account) => people.presence(account),
    isKnown: (account) => people.isKnown(account),
    trustedName: (account) => people.trustedName(account),
    draft: (name) => {
      const buffer = model.buffer(name);
      return { text: buffer?.draft ?? "", replyTo: buffer?.draftReply ?? null };
    },
    directory: () => model.directory,
    mentions: () => [...model.mentions].reverse(),
    bookmarks: () => model.rest?.bookmarks() ?? [],
    heldRedactions: () => [...model.redactions?.held.values() ?? []].map(({ name, msgid, until }) => ({ conversation: name, msgid, until })),
    notices: () => model.notices,
    settings: () => model.settings,
    ignored: () => [...model.blocked],
    watched: () => [...model.watched.values()].map(({ name }) => name),
    actions: createActions(model, link),
  };
}

/** @param {Model} model @returns {Pick<Store, "channel" | "members">} */
function channelSelectors(model) {
  const { people } = model;
  return {
    channel: (name) => {
      const channel = model.channel(name);
      const buffer = model.buffer(name);
      if (channel === undefined || buffer === undefined) return null;
      const { topic, topicBy, topicTime, limit } = channel;
      const { key, pinned } = buffer;
      const prefix = channel.prefixOf(model.me);
      const modes = [...channel.modes].sort().join("");
      return { key, name: buffer.name, topic, topicBy, topicTime, modes, limit, hasKey: modes.includes("k"), prefix, may: rightsOf(model, channel, prefix), pinned };
    },
    members: (name) => {
      const members = [...(model.channel(name)?.members.values() ?? [])].map(({ name: nick, prefixes, isOnline }) => {
        const { away, isBot } = people.get(nick);
        const displayName = people.trustedName(nick);
        const prefix = /** @type {Prefix} */ (prefixes.charAt(0));
        const presence = isOnline ? people.presence(nick) : "offline";
        return { name: nick, prefix, displayName, presence, awayMessage: away, isMe: model.isMe(nick), isBot };
      });
      const rank = (/** @type {string} */ prefix) => (prefix === "" ? PREFIXES.length : PREFIXES.indexOf(prefix));
      const isOut = (/** @type {{ presence: string }} */ member) => Number(member.presence === "offline");
      return members.sort((a, b) => isOut(a) - isOut(b) || rank(a.prefix) - rank(b.prefix) || collator.compare(a.name, b.name));
    },
  };
}

/**
 * Returns what the account may do in a channel, as far as its member status and role say.
 * @param {Model} model
 * @param {Channel} channel
 * @param {Prefix} prefix
 * @returns {ChannelRights}
 */
function rightsOf(model, channel, prefix) {
  const has = (/** @type {string} */ prefixes) => model.isOper || (prefix !== "" && prefixes.includes(prefix));
  return {
    speak: !channel.modes.has("m") || has("~&@%+"),
    topic: !channel.modes.has("t") || has("~&@%"),
    moderate: has("~&@%"),
    operate: has("~&@"),
    rename: has("~"),
    invite: !channel.modes.has("i") || has("~&@%"),
  };
}
