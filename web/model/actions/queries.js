/** Questions of the user to the server: people, lists, messages that are not loaded. Loaded with the first of them. */

import { cleanLine } from "../../wire/clean.js";
import { escapeValue } from "../../wire/message.js";
import { nameIn, parseTag, splitFiles } from "../../wire/files.js";
import { foldName, isChannel } from "../../wire/names.js";
import { nickOf } from "../../wire/message.js";
import { isMessage, makeEntries, messageEntry } from "../entries.js";
import { noteMention, toListed } from "../rest.js";
import { Refusal } from "../requests.js";

/** @import { Model } from "../model.js" */
/** @import { AuditItem, Ban, Device, Invite, InviteOptions, ListedMessage, Message, Prefix, Profile, SearchPage, SearchQuery, SharedFiles } from "../types.js" */

/** Count of accounts from which a server cuts its reply to a WHO with a mask. */
const WHO_LIMIT = 500;
const MAX_LISTED = 50_000;
/** Idle time, in seconds, from which an account has never sent a message: it counts as idle since 1970. */
const UNKNOWN_IDLE = 20 * 365 * 86_400;
/** Lines of a page in which files are looked for, the pages of one search, and the files that are enough. */
const FILES_PAGE = 500;
const MAX_FILES_PAGES = 10;
const WANTED_FILES = 30;
const MAX_THREAD_PAGES = 5;
const MAX_PARENTS = 20;
/** Room of a value of metadata, in bytes: 17 ids of messages. */
const MAX_MARKS = 300;

/** Returns the first line with a command, or one without parameters. @param {Message[]} lines @param {string} command */
const find = (lines, command) => lines.find((line) => line.command === command);

/** @type {(message: Message | undefined, index: number) => string} */
const text = (message, index) => cleanLine(message?.params[index] ?? "");

/** @param {Model} model @param {string} name @returns {Promise<Profile>} */
export async function profile(model, name) {
  const [whois, whowas] = await Promise.all([model.requests.ask("WHOIS", name), model.requests.ask("WHOWAS", name)]);
  const { lines } = whois;
  const user = find(lines, "311") ?? find(whowas.lines, "314");
  if (user === undefined) {
    const refusal = lines.map(Refusal.fromMessage).find((one) => one !== null);
    throw refusal ?? new Refusal("401", "refusal.noAccount");
  }
  const nick = text(user, 1);
  const facts = new Map(lines.filter(({ command }) => command === "760").map((line) => [line.params[2], text(line, 4)]));
  const display = facts.get("display-name");
  if (display !== undefined && model.people.names?.set(nick, display)) model.touch("people", "conversations");
  const idle = find(lines, "317");
  const idleSeconds = Number(idle?.params[2] ?? UNKNOWN_IDLE);
  const created = Date.parse(facts.get("parlour/created") ?? "");
  return {
    name: nick,
    displayName: model.people.trustedName(nick),
    fullName: text(user, 5),
    isOnline: find(lines, "311") !== undefined,
    isAdmin: find(lines, "313") !== undefined,
    isBot: find(lines, "335") !== undefined,
    away: find(lines, "301") === undefined ? null : text(find(lines, "301"), 2),
    idleSeconds: idleSeconds < UNKNOWN_IDLE ? idleSeconds : null,
    signOn: idle === undefined ? null : Number(idle.params[3]) * 1000 || null,
    created: Number.isNaN(created) ? null : created,
    devices: facts.has("parlour/devices") ? Number(facts.get("parlour/devices")) : null,
    channels: lines.filter(({ command }) => command === "319").flatMap((line) =>
      text(line, 2).split(" ").filter((item) => item !== "").map((item) => {
        const { name: channel, prefixes } = model.isupport.splitPrefixes(item);
        return { name: channel, prefix: /** @type {Prefix} */ (prefixes.charAt(0)) };
      }),
    ),
    pronouns: facts.get("pronouns") ?? null,
    isIgnored: model.isIgnored(nick),
    isWatched: model.watched.has(foldName(nick)),
  };
}

/** Loads the channels and accounts of the server; with words, the accounts whose name contains them, too. @param {Model} model @param {string} [words] */
export async function loadDirectory(model, words = "") {
  model.directory = { ...model.directory, loading: true };
  model.touch("directory");
  const mask = words.trim() === "" ? "*" : `*${words.trim().replace(/\s+/g, "*")}*`;
  try {
    const [list, who] = await Promise.all([model.requests.send("LIST"), model.requests.send("WHO", mask, "a%tnflr,1")]);
    const channels = list.lines.filter(({ command }) => command === "322").slice(0, MAX_LISTED).map((line) => {
      const name = line.params[1] ?? "";
      return { name, members: Number(line.params[2]) || 0, topic: text(line, 3), joined: model.channel(name) !== undefined };
    });
    const found = who.lines.filter(({ command }) => command === "354").slice(0, MAX_LISTED);
    // `<token> <nick> <flags> <idle> :<realname>`
    const accounts = found.map(({ params }) => {
      const [, , name = "", flags = "", , fullName = ""] = params;
      return { name, fullName: cleanLine(fullName, 300), online: /^[HG]/.test(flags), isAdmin: flags.includes("*") };
    });
    channels.sort((a, b) => a.name.localeCompare(b.name));
    accounts.sort((a, b) => a.name.localeCompare(b.name));
    const isComplete = found.length < WHO_LIMIT;
    model.directory = { channels, accounts, loading: false, isComplete, time: model.env.now() };
  } catch (error) {
    model.directory = { ...model.directory, loading: false };
    throw error;
  } finally {
    model.touch("directory");
  }
  return model.directory;
}

/** @param {Model} model @param {SearchQuery} query @returns {Promise<SearchPage>} */
export async function search(model, query) {
  const limit = query.limit ?? 50;
  const before = query.before === undefined ? undefined : new Date(query.before).toISOString();
  const fields = Object.entries({ text: query.text, in: query.in, from: query.from, before, limit: String(limit) });
  const attributes = fields.flatMap(([key, value]) => (value ? [`${key}=${escapeValue(value)}`] : []));
  const { lines } = await model.requests.send("SEARCH", attributes.join(";"));
  const isIncompleteIndex = lines.some(({ command, params }) => command === "NOTE" && params[1] === "INCOMPLETE");
  const messages = listMessages(model, lines).reverse();
  return { messages, isComplete: messages.length < limit, isIncompleteIndex };
}

/** @param {Model} model @param {Message[]} lines @returns {ListedMessage[]} */
function listMessages(model, lines) {
  return lines.filter(isMessage).flatMap((line) => {
    const entry = messageEntry(model, line);
    const target = line.params[0] ?? "";
    const conversation = isChannel(target) || model.isMe(line.nick) ? target : line.nick;
    return entry === null ? [] : [toListed(conversation, entry)];
  });
}

/**
 * Returns one message, loaded or not; `null` if it is gone.
 * @param {Model} model
 * @param {string} name
 * @param {string} msgid
 * @returns {Promise<ListedMessage | null>}
 */
export async function message(model, name, msgid) {
  const loaded = model.buffer(name)?.byMsgid(msgid);
  if (loaded !== undefined) return toListed(name, loaded);
  const { lines } = await model.requests.send("CHATHISTORY", "AROUND", name, `msgid=${msgid}`, "1");
  return listMessages(model, lines).find((one) => one.msgid === msgid) ?? null;
}

/** @param {Model} model @param {string} name @param {string[]} ids @returns {Promise<ListedMessage[]>} */
export async function messages(model, name, ids) {
  const gone = { conversation: name, time: 0, from: "", text: "", kind: /** @type {const} */ ("message"), mine: false, replyTo: null, files: "", isGone: true };
  const found = await Promise.all(ids.map((id) => message(model, name, id).catch(() => null)));
  return found.map((one, index) => one ?? { ...gone, msgid: ids[index] ?? "" });
}

/**
 * Returns a message with its answers, and the answers to these, oldest first.
 * @param {Model} model
 * @param {string} name
 * @param {string} msgid
 * @returns {Promise<ListedMessage[]>}
 */
export async function thread(model, name, msgid) {
  let root = await message(model, name, msgid);
  for (let depth = 0; root?.replyTo != null && depth < MAX_PARENTS; depth += 1) {
    const parent = await message(model, name, root.replyTo);
    if (parent === null) break;
    root = parent;
  }
  if (root === null) return [];
  const ids = new Set([root.msgid]);
  const found = [root];
  const add = (/** @type {ListedMessage} */ one) => {
    if (one.replyTo === null || !ids.has(one.replyTo) || ids.has(one.msgid)) return;
    ids.add(one.msgid);
    found.push(one);
  };
  const buffer = model.buffer(name);
  const isLoaded = buffer?.atEnd === true && buffer.byMsgid(root.msgid) !== undefined;
  for (let page = 0, point = root.msgid; !isLoaded && page < MAX_THREAD_PAGES; page += 1) {
    const { lines, tags } = await model.requests.send("CHATHISTORY", "AFTER", name, `msgid=${point}`, "200");
    listMessages(model, lines).forEach(add);
    const last = lines.findLast((line) => line.tags.has("msgid"))?.tags.get("msgid");
    if (last === undefined || last === point || tags.has("draft/chathistory-end")) break;
    point = last;
  }
  for (const entry of buffer?.entries ?? []) if (entry.kind !== "event") add(toListed(name, entry));
  return found;
}

/**
 * Lists what the messages of a conversation share. A server that cannot list it is asked for its history.
 * @param {Model} model
 * @param {string} name
 * @param {string} [before] Message id.
 * @returns {Promise<SharedFiles>}
 */
export async function sharedFiles(model, name, before) {
  const { lines } = await model.requests.ask("FILES", "LIST", name, ...(before === undefined ? [] : [`msgid=${before}`]));
  const [end] = notes(lines, "SHARED_LIST");
  if (end === undefined) return sharedFilesInHistory(model, name, before);
  const files = notes(lines, "SHARED").flatMap(({ context: [, msgid = "", time = "", from = "", entry = ""], text: called }) => {
    const [file] = parseTag(entry).values();
    return file === undefined ? [] : [{ file: { ...file, name: nameIn(encodeURIComponent(called)) }, message: { msgid, time: Date.parse(time) || 0, from } }];
  });
  const next = end.context[1] ?? "*";
  return { files, before: next === "*" ? null : next };
}

/**
 * Finds messages that share files by paging back through the history.
 * @param {Model} model
 * @param {string} name
 * @param {string} [before] Message id.
 * @returns {Promise<SharedFiles>}
 */
async function sharedFilesInHistory(model, name, before) {
  const limit = Math.min(FILES_PAGE, model.isupport.historyPage);
  /** @type {SharedFiles["files"]} */
  const files = [];
  let point = before ?? "";
  for (let page = 0; page < MAX_FILES_PAGES && files.length < WANTED_FILES; page += 1) {
    const from = point === "" ? ["LATEST", name, "*"] : ["BEFORE", name, `msgid=${point}`];
    const { lines, tags } = await model.requests.send("CHATHISTORY", ...from, String(limit));
    for (const message of listMessages(model, lines).reverse()) {
      files.push(...splitFiles(message.text, message.files).files.map((file) => ({ file, message })));
    }
    // A reaction that comes with its message has another place in the history.
    const first = lines.find((line) => line.tags.has("msgid") && !line.tags.has("draft/chathistory-context"))?.tags.get("msgid");
    if (first === undefined || first === point || tags.has("draft/chathistory-end")) return { files, before: null };
    point = first;
  }
  return { files, before: point };
}

/** Fetches a token that proves the account in requests over HTTP: good for one upload, and for any reads while the session lasts. @param {Model} model */
export async function fileToken(model) {
  const { lines } = await model.requests.send("FILES", "TOKEN");
  const [token = "", seconds = "0"] = notes(lines, "TOKEN")[0]?.context ?? [];
  return { token, seconds: Number(seconds) || 0 };
}

/** Finds mentions that were not received, by the server's search. @param {Model} model */
export async function loadMentions(model) {
  const { lines } = await model.requests.send("SEARCH", `text=${escapeValue(model.me)};limit=100`);
  for (const entry of makeEntries(model, lines).entries) {
    const line = lines.find((one) => one.tags.get("msgid") === entry.msgid);
    const target = line?.params[0] ?? "";
    if (isChannel(target)) noteMention(model, model.openBuffer(target), entry);
  }
  model.mentions.sort((a, b) => a.time - b.time);
  model.touch("mentions");
  return [...model.mentions].reverse();
}

/**
 * Marks a message of a conversation, or removes the mark: the latest mark comes first.
 * @param {Model} model
 * @param {string} name
 * @param {string} key Metadata key.
 * @param {string} msgid
 * @param {boolean} on
 */
export async function mark(model, name, key, msgid, on) {
  const reply = await model.requests.ask("METADATA", name, "GET", key);
  const line = find(reply.lines, "761");
  const ids = (line?.params[4] ?? "").split(",").filter((id) => id !== "" && id !== msgid);
  const value = (on ? [msgid, ...ids] : ids).join(",");
  if (value.length > MAX_MARKS) throw new Refusal("full", "refusal.marksFull");
  await model.requests.send("METADATA", name, "SET", key, ...(value === "" ? [] : [value]));
}

/** @param {Model} model @param {string} channel @returns {Promise<Ban[]>} */
export async function bans(model, channel) {
  const lists = /** @type {const} */ ([["b", "367"], ["e", "348"], ["I", "346"]]);
  const replies = await Promise.all(lists.map(([list]) => model.requests.send("MODE", channel, list)));
  return lists.flatMap(([list, numeric], index) =>
    (replies[index]?.lines ?? []).filter(({ command }) => command === numeric).map((line) => {
      const mask = text(line, 2);
      const isMute = /^m:/i.test(mask);
      const inner = isMute ? mask.slice(2) : mask;
      const account = /^(?:a:(.+)|([^!*?]+)!\*@\*)$/.exec(inner);
      const time = Number(line.params[4]) * 1000 || null;
      return { list, mask, account: account?.[1] ?? account?.[2] ?? null, isMute, by: nickOf(text(line, 3)), time };
    }),
  );
}

/** Returns the notes of a reply with one code: their context and their text. @param {Message[]} lines @param {string} code */
function notes(lines, code) {
  const matching = lines.filter(({ command, params }) => command === "NOTE" && params[1] === code);
  return matching.map(({ params }) => ({ context: params.slice(2, -1), text: cleanLine(params[params.length - 1] ?? "") }));
}

/** @param {Model} model @returns {Promise<Device[]>} */
export async function devices(model) {
  const { lines } = await model.requests.send("CERT", "LIST");
  const time = (/** @type {string} */ one) => Date.parse(one) || null;
  return notes(lines, "CERT").map(({ context: [fingerprint = "", added = "", used = "*"] }) => ({ fingerprint, added: time(added), lastUsed: time(used) }));
}

/** @param {Model} model @returns {Promise<Invite[]>} */
export async function invites(model) {
  const { lines } = await model.requests.send("INVITES", "LIST");
  return notes(lines, "INVITE").map(({ context, text: sentence }) => ({ id: Number(context[0]), text: sentence }));
}

/** Makes an invite and returns its link. @param {Model} model @param {InviteOptions} options */
export async function createInvite(model, options) {
  const { uses, lifetime, channel, admin } = options;
  const words = options.for
    ? ["FOR", options.for, lifetime ?? ""]
    : ["CREATE", String(uses ?? ""), lifetime ?? "", channel ?? "", admin ? "admin" : ""];
  const { lines } = await model.requests.send("INVITES", ...words.filter((word) => word !== ""));
  return notes(lines, "INVITE_LINK")[0]?.text ?? "";
}

/** @param {Model} model @param {number} count @returns {Promise<AuditItem[]>} */
export async function audit(model, count) {
  const { lines } = await model.requests.send("AUDIT", String(count));
  return notes(lines, "ENTRY").map(({ context: [time = "", account = "*"], text: sentence }) => ({
    time: Date.parse(time) || 0,
    account: account === "*" ? null : account,
    text: sentence,
  }));
}

/** @param {Model} model */
export async function statistics(model) {
  const replies = await Promise.all([model.requests.send("STATS", "u"), model.requests.send("STATS", "m")]);
  const lines = replies.flatMap((reply) => reply.lines).filter(({ command }) => command === "242" || command === "249");
  return lines.map(({ params }) => cleanLine(params.slice(1).join(" ")));
}

/** Sends a line as the user typed it, and returns the replies as lines. @param {Model} model @param {string} line */
export async function raw(model, line) {
  const at = line.indexOf(" :");
  const words = (at < 0 ? line : line.slice(0, at)).split(/\s+/).filter((word) => word !== "");
  const [command = "", ...params] = words;
  const { lines } = await model.requests.ask(command, ...params, ...(at < 0 ? [] : [line.slice(at + 2)]));
  return lines.map((reply) => cleanLine(`${reply.command} ${reply.params.join(" ")}`));
}
