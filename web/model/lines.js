/** Handling of lines from the server: changes of the state, and entries of timelines. */

import { clean, cleanLine } from "../wire/clean.js";
import { foldName, isChannel } from "../wire/names.js";
import { nickOf } from "../wire/message.js";
import { Channel } from "./channel.js";
import { conversationOf, countsAsUnread, eventEntry, messageEntry, timeOf, toChange } from "./entries.js";

/** @import { Model } from "./model.js" */
/** @import { LineHandler, Message, Person } from "./types.js" */

const MAX_CHANNELS = 2_000;
/** Token of the WHO for the members of a channel. */
export const MEMBERS = "2";

/** Handles a line that is not part of a result. @type {LineHandler} */
export function handleLine(model, message, label) {
  const handler = HANDLERS[message.command];
  if (handler !== undefined) return handler(model, message, label);
  const { ready } = model;
  const isAwaited = label === "q" || model.requests.isAwaited(label);
  model.whenComplete((rest) => rest.handle(message, label, isAwaited, ready));
}

/** Adds an event to the timeline of its channel. @param {Model} model @param {string} name @param {Message} message */
export function appendEvent(model, name, message) {
  const buffer = model.buffer(name);
  const entry = buffer && eventEntry(model, message);
  if (!buffer || !entry) return;
  buffer.append(entry);
  if (model.shown !== buffer) buffer.trim();
  model.touch(`timeline:${buffer.key}`, `members:${buffer.key}`);
}

/** @type {LineHandler} */
function handleMessage(model, message, label) {
  if (!message.source.includes("!")) {
    if (model.ready) model.notify("info", cleanLine(message.params[1] ?? ""));
    return;
  }
  const name = conversationOf(model, message);
  const entry = messageEntry(model, message);
  if (entry === null || name === "") return;
  if (entry.mine) model.ownSource = message.source;
  // An ignored account opens no conversation.
  if (entry.isIgnored && !isChannel(name) && model.buffer(name) === undefined) return;
  const buffer = model.openBuffer(name);
  const isNew = (entry.mine ? model.sending?.confirm(buffer, label, entry) : null) ?? buffer.append(entry);
  if (entry.mine) buffer.newSince = null;
  else if (!buffer.isChannel) setPerson(model, entry.from, { online: true });
  if (buffer.typing.delete(foldName(entry.from))) model.touch(`typing:${buffer.key}`);
  if (isNew && countsAsUnread(entry) && entry.time > buffer.marker) {
    buffer.countUnread(entry);
    if (!buffer.isChannel) entry.isMention = true;
    model.whenComplete((rest) => rest.hear(buffer, entry));
  }
  if (model.shown !== buffer) buffer.trim();
  model.touchTimeline(buffer);
  if (buffer.extent === "unloaded") model.history.schedule();
}

/** @type {LineHandler} */
function handleTags(model, message) {
  const buffer = model.buffer(conversationOf(model, message));
  if (buffer === undefined) return;
  const change = toChange(model, message);
  if (change !== null) {
    buffer.change(change.msgid, change.change);
    return model.touch(`timeline:${buffer.key}`);
  }
  model.rest?.noteTyping(buffer, message);
}

/** Adds a member to a channel. @type {LineHandler} */
function handleJoin(model, message) {
  const { nick, params: [name = ""] } = message;
  if (!isChannel(name)) return;
  const key = foldName(name);
  const known = model.channels.get(key);
  if (!model.isMe(nick)) {
    if (known === undefined) return;
    known.add(nick);
    setPerson(model, nick, { online: true });
    return appendEvent(model, name, message);
  }
  model.ownSource = message.source;
  if (known === undefined && model.channels.size >= MAX_CHANNELS) return;
  const channel = known ?? new Channel();
  channel.isStale = false;
  channel.members.clear();
  model.channels.set(key, channel);
  const buffer = model.openBuffer(name);
  buffer.joined = true;
  buffer.namesQueried = false;
  // A JOIN that is part of a login reports a channel that the account is in already.
  if (model.ready) {
    appendEvent(model, name, message);
    if (model.current === key) void model.loadChannel(buffer);
    model.history.schedule();
  }
  model.touch("conversations", `channel:${key}`, `members:${key}`);
}

/** Removes an account from a channel. @param {Model} model @param {string} nick @param {Message} message */
function handleLeave(model, nick, message) {
  const [name = ""] = message.params;
  const key = foldName(name);
  const buffer = model.buffers.get(key);
  if (model.isMe(nick)) {
    model.channels.delete(key);
    if (buffer !== undefined) buffer.joined = false;
    model.touch("conversations", `channel:${key}`);
  } else {
    model.channels.get(key)?.remove(nick);
  }
  buffer?.typing.delete(foldName(nick));
  appendEvent(model, name, message);
}

/** @param {Model} model @param {string} names Sources, separated by commas. @param {boolean} online */
function handlePresence(model, names, online) {
  for (const name of names.split(",").map(nickOf)) {
    const watched = model.watched.get(foldName(name));
    if (watched !== undefined) model.whenComplete((rest) => rest.notePresence(watched, name, online));
    model.people.set(name, online ? { online } : { online, away: null });
  }
  model.touch("people", "conversations");
}

/** @param {Model} model @param {string} name @param {Partial<Person>} change */
function setPerson(model, name, change) {
  if (model.people.set(name, change)) model.touch("people");
}

/** @param {Model} model @param {string | null} away */
function setOwnAway(model, away) {
  model.ownAway = away;
  setPerson(model, model.me, { away, online: true });
  model.touch("connection");
}

/** @param {Model} model @param {string | undefined} name @param {Partial<Channel>} change */
function changeChannel(model, name = "", change) {
  const channel = model.channel(name);
  if (channel === undefined) return;
  Object.assign(channel, change);
  model.touch(`channel:${foldName(name)}`, "conversations");
}

/** @type {Record<string, LineHandler>} */
const HANDLERS = {
  PRIVMSG: handleMessage,
  NOTICE: handleMessage,
  TAGMSG: handleTags,
  REDACT: (model, message) => {
    const change = toChange(model, message);
    if (change === null) return;
    model.mentions = model.mentions.filter((known) => known.msgid !== change.msgid);
    model.touch("mentions");
    const buffer = model.buffer(conversationOf(model, message));
    if (buffer === undefined) return;
    buffer.change(change.msgid, change.change);
    buffer.recount();
    model.touchTimeline(buffer);
  },
  JOIN: handleJoin,
  PART: (model, message) => handleLeave(model, message.nick, message),
  KICK: (model, message) => handleLeave(model, message.params[1] ?? "", message),
  QUIT: (model, message) => {
    for (const [key, channel] of model.channels) {
      if (!channel.setOffline(message.nick)) continue;
      model.buffers.get(key)?.typing.delete(foldName(message.nick));
      appendEvent(model, key, message);
    }
    model.people.set(message.nick, { online: false, away: null });
    model.touch("people");
  },
  TOPIC: (model, message) => {
    const [name = "", text = ""] = message.params;
    changeChannel(model, name, { topic: clean(text, 4096), topicBy: message.nick, topicTime: timeOf(model, message) });
    appendEvent(model, name, message);
  },
  MODE: (model, message) => {
    const [target = "", letters = "", ...params] = message.params;
    if (isChannel(target)) {
      model.channel(target)?.applyModes(letters, params, model.isupport);
      appendEvent(model, target, message);
      model.touch(`channel:${foldName(target)}`);
    } else if (model.isMe(target)) {
      if (/\+[^-]*o/.test(letters)) model.isOper = true;
      else if (/-[^+]*o/.test(letters)) model.isOper = false;
      model.touch("connection");
    }
  },
  AWAY: (model, { nick, params }) => setPerson(model, nick, { away: params[0] || null, online: true }),
  MARKREAD: (model, { params: [name = "", stamp = ""] }) => {
    const buffer = model.buffer(name);
    const time = Date.parse(stamp.replace(/^timestamp=/, ""));
    if (buffer === undefined || Number.isNaN(time)) return;
    buffer.marker = Math.max(buffer.marker, time);
    buffer.sentMarker = Math.max(buffer.sentMarker, time);
    buffer.recount();
    model.touch("conversations");
  },
  PING: (model, { params }) => model.env.write(`PONG :${params[0] ?? ""}`),
  "005": (model, { params }) => {
    for (const token of params.slice(1, -1)) model.isupport.apply(token);
    model.touch("connection");
  },
  221: (model, { params: [, modes = ""] }) => {
    model.isOper = modes.includes("o");
    model.touch("connection");
  },
  301: (model, { params: [, name = "", away] }) => setPerson(model, name, { away: away || null, online: true }),
  305: (model) => setOwnAway(model, null),
  306: (model) => setOwnAway(model, model.ownAway ?? ""),
  324: (model, { params: [, name = "", letters = "", ...values] }) => {
    const channel = model.channel(name);
    if (channel === undefined) return;
    channel.modes.clear();
    channel.limit = null;
    channel.applyModes(letters, values, model.isupport);
    model.touch(`channel:${foldName(name)}`);
  },
  331: (model, { params }) => changeChannel(model, params[1], { topic: "", topicBy: null, topicTime: null }),
  332: (model, { params: [, name, topic = ""] }) => changeChannel(model, name, { topic: clean(topic, 4096) }),
  333: (model, { params: [, name, by = "", time] }) => changeChannel(model, name, { topicBy: nickOf(by), topicTime: Number(time) * 1000 || null }),
  // `<token> <channel> <nick> <flags>`
  354: (model, { params: [, token, place = "", name = "", flags = ""] }) => {
    if (token !== MEMBERS) return;
    const online = !flags.startsWith("D");
    const away = flags.startsWith("G") ? model.people.get(name).away ?? "" : null;
    setPerson(model, name, { online, away, isBot: flags.includes("B") });
    model.channel(place)?.add(name, online, flags.replace(/[^~&@%+]/g, ""));
    model.touch(`members:${foldName(place)}`);
  },
  353: (model, { params: [, , name = "", names = ""] }) => model.channel(name)?.addNames(names),
  366: (model, { params: [, name = ""] }) => {
    const channel = model.channel(name);
    if (channel === undefined) return;
    channel.endNames(model.isupport);
    for (const { name: nick, isOnline } of channel.members.values()) if (isOnline) model.people.set(nick, { online: true });
    model.touch(`members:${foldName(name)}`, `channel:${foldName(name)}`, "people");
  },
  730: (model, { params }) => handlePresence(model, params[1] ?? "", true),
  731: (model, { params }) => handlePresence(model, params[1] ?? "", false),
};
