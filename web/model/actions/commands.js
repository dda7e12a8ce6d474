/** Commands that a user types, such as `/join #tea`. Loaded with the first of them. */

import { isChannel, nameProblem } from "../../wire/names.js";

/** @import { Model } from "../model.js" */
/** @import { Actions, CommandResult, Entry } from "../types.js" */

/**
 * @typedef {object} Context Where a command was typed.
 * @property {Model} model
 * @property {Actions} actions
 * @property {string | null} name Conversation on the screen.
 * @property {string | null} replyTo
 *
 * @typedef {(context: Context, args: string) => CommandResult | void | Promise<CommandResult | void>} Run
 *
 * @typedef {object} Command
 * @property {string} name Without the slash, in small letters.
 * @property {string[]} aliases
 * @property {string} usage Capitals stand for what the user fills in, brackets for what may be left out.
 * @property {string} group
 * @property {string} description
 * @property {Run} run
 */

/** What a command lacks; the text is a key of the texts. */
class Invalid extends Error {}

/** @type {(text: string) => [string, string]} */
const split = (text) => {
  const [, word = "", rest = ""] = /^\s*(\S*)\s*([^]*)$/.exec(text) ?? [];
  return [word, rest.trimEnd()];
};

/** @type {(text: string, key: string) => string} */
const need = (text, key) => {
  if (text.trim() === "") throw new Invalid(key);
  return text.trim();
};

/** @type {(name: string) => string} */
const conversation = (name) => {
  const problem = nameProblem(name);
  if (problem !== null) throw new Invalid(problem);
  return name;
};

/** Splits the arguments into the channel, that of the screen if none leads them, and the rest. @type {(context: Context, args: string) => [string, string]} */
const inChannel = ({ name }, args) => {
  if (args.trimStart().startsWith("#")) return split(args);
  if (name === null || !isChannel(name)) throw new Invalid("command.noChannel");
  return [name, args.trim()];
};

/** @type {(word: string) => string} */
const sign = (word) => {
  if (word !== "" && word !== "on" && word !== "off") throw new Invalid("command.onOff");
  return word === "off" ? "-" : "+";
};

/** Asks before what harms somebody. @type {(key: string, values: Record<string, string>, run: () => Promise<unknown>) => CommandResult} */
const ask = (key, values, run) => ({ type: "confirm", key, values, confirm: async () => (await run(), { type: "done" }) });

/** @type {(what: "members" | "mentions" | "bookmarks" | "pins" | "files" | "upload" | "invites" | "devices" | "settings" | "help" | "audit" | "bans") => CommandResult} */
const show = (what) => ({ type: "show", what });

/** @type {(sign: string, letter: string) => Run} */
const status = (plus, letter) => (context, args) => {
  const [channel, rest] = inChannel(context, args);
  const names = need(rest, "command.whom").split(/[\s,]+/);
  return void context.actions.mode(channel, plus + letter.repeat(names.length), ...names).catch(report(context, channel));
};

/** @type {(letter: string) => Run} */
const flag = (letter) => async (context, args) => {
  const [channel, rest] = inChannel(context, args);
  await context.actions.mode(channel, sign(rest) + letter);
};

/** @type {(context: Context, name: string) => (error: Error) => void} */
const report = ({ model }, name) => (error) => model.notify("error", error.message, name);

/** @type {(key: string, run: (actions: Actions, channel: string, name: string, reason: string) => Promise<void>) => Run} */
const against = (key, run) => (context, args) => {
  const [channel, rest] = inChannel(context, args);
  const [name, reason] = split(need(rest, "command.whom"));
  return ask(key, { name, channel }, () => run(context.actions, channel, name, reason));
};

/** @type {(run: (actions: Actions, channel: string, name: string) => Promise<void>) => Run} */
const lift = (run) => async (context, args) => {
  const [channel, rest] = inChannel(context, args);
  await run(context.actions, channel, split(need(rest, "command.whom"))[0]);
};

/** @type {(context: Context, isWanted: (entry: Entry) => boolean) => { name: string, msgid: string }} */
const lastMessage = ({ model, name }, isWanted) => {
  const entry = model.buffer(name ?? "")?.entries.findLast((one) => one.kind !== "event" && one.msgid !== null && !one.redacted && isWanted(one));
  if (name === null || !entry?.msgid) throw new Invalid("command.noMessage");
  return { name, msgid: entry.msgid };
};

/** @type {(on: boolean) => Run} */
const pin = (on) => async (context) => {
  const { name, msgid } = lastMessage(context, () => true);
  await context.actions.pin(name, context.replyTo ?? msgid, on);
};

/** @type {(on: boolean) => Run} */
const bookmark = (on) => async (context) => {
  const { name, msgid } = lastMessage(context, () => true);
  await context.actions.bookmark(name, context.replyTo ?? msgid, on);
};

/** @type {Command[]} */
export const commands = [];

/** @type {(group: string, items: [string, string, string, Run][]) => void} */
const add = (group, items) => {
  for (const [names, usage, description, run] of items) {
    const [name = "", ...aliases] = names.split(" ");
    commands.push({ name, aliases, usage, group, description, run });
  }
};

add("conversations", [
  ["join j", "#CHANNEL… [KEY]", "join channels, or create them", async ({ actions }, args) => {
    const words = need(args, "command.whichChannel").split(/[\s,]+/);
    const [first = "", key] = words;
    const names = words.length === 2 && key !== undefined && !key.startsWith("#") ? [first] : words;
    for (const name of names) if (!isChannel(conversation(name))) throw new Invalid("command.noChannel");
    for (const name of names) await actions.join(name, names.length < words.length ? key : undefined);
    return { type: "open", name: first };
  }],
  ["part leave", "[#CHANNEL] [REASON]", "leave a channel, on all your devices", async (context, args) => {
    await context.actions.part(...inChannel(context, args));
  }],
  ["query q channel", "NAME", "switch to the conversation with a person, or to a channel", (_, args) => ({
    type: "open",
    name: conversation(need(args, "command.whichName")),
  })],
  ["close", "", "remove a direct conversation from the list; its messages stay", ({ actions, name }) => actions.close(name ?? "")],
  ["search find", "[WORDS]", "search the history; filters: in:#channel from:name", (_, text) => ({ type: "show", what: "search", text })],
]);

add("messages", [
  ["msg w", "NAME TEXT", "send a message to a person or another channel", ({ actions }, args) => {
    const [to, text] = split(args);
    actions.send(conversation(to), need(text, "command.whichText"));
    return { type: "sent" };
  }],
  ["me", "TEXT", "send an action: /me waves", ({ model, name, replyTo }, args) => {
    if (name === null) throw new Invalid("command.noConversation");
    model.sending?.send(name, need(args, "command.whichText"), replyTo, true);
    return { type: "sent" };
  }],
  ["reply r", "TEXT", "reply to the last message of another person", (context, args) => {
    const { name, msgid } = lastMessage(context, (entry) => !entry.mine);
    context.actions.send(name, need(args, "command.whichText"), context.replyTo ?? msgid);
    return { type: "sent" };
  }],
  ["react +", "EMOJI", "react to the last message of somebody else: /react 🎉", (context, args) => {
    const { name, msgid } = lastMessage(context, (entry) => !entry.mine);
    context.actions.react(name, context.replyTo ?? msgid, need(args, "command.whichEmoji"));
  }],
  ["delete redact unsend", "", "take back your last message here; ten seconds are left for /undo", (context) => {
    const { name, msgid } = lastMessage(context, (entry) => entry.mine);
    context.actions.redact(name, msgid);
  }],
  ["undo", "", "keep the message that you have just taken back", ({ model }) => {
    const last = [...model.redactions?.held.keys() ?? []].at(-1);
    if (last === undefined || !model.redactions?.release(last)) throw new Invalid("command.nothingToUndo");
  }],
]);

add("channels", [
  ["names", "[#CHANNEL]", "show the members of the channel", () => show("members")],
  ["topic", "[#CHANNEL] [TEXT]", "show or set the channel's topic; a dash removes it", async (context, args) => {
    const [channel, text] = inChannel(context, args);
    if (text !== "") await context.actions.setTopic(channel, text === "-" ? "" : text);
    return { type: "done", ...(text === "" && { text: context.model.channel(channel)?.topic ?? "" }) };
  }],
  ["invite", "NAME [#CHANNEL]", "invite a person to the channel", async (context, args) => {
    const [name, rest] = split(need(args, "command.whom"));
    await context.actions.inviteTo(inChannel(context, rest)[0], name);
  }],
  ["mode", "[#CHANNEL] MODES", "change the channel's modes by their letters: /mode +m, /mode +o bob", async (context, args) => {
    const [channel, modes] = inChannel(context, args);
    const [letters = "", ...params] = need(modes, "command.whichModes").split(/\s+/);
    await context.actions.mode(channel, letters, ...params);
  }],
  ["rename", "[#CHANNEL] #NEW", "rename the channel; its founder and admins may", async (context, args) => {
    const [first, second] = split(need(args, "command.whichName"));
    const from = second === "" ? inChannel(context, "")[0] : first;
    await context.actions.rename(from, conversation(second === "" ? first : second));
  }],
  ["knock", "#CHANNEL [TEXT]", "ask the operators of a channel for an invitation", async ({ actions }, args) => {
    const [channel, text] = split(need(args, "command.whichChannel"));
    await actions.knock(conversation(channel), text);
  }],
]);

add("finding", [
  ["list channels", "[WORDS]", "list all channels, filtered by words of the name or topic", (_, text) => ({ type: "show", what: "directory", text })],
  ["mentions", "", "list the messages that mention you or answer you", () => show("mentions")],
  ["pins pinned", "", "list the pinned messages of the channel", () => show("pins")],
  ["files", "", "list the files of the conversation", () => show("files")],
  ["upload attach", "", "choose files to send, with the text that you write then", () => show("upload")],
  ["pin", "", "pin the latest message of the channel; operators may", pin(true)],
  ["unpin", "", "unpin the latest message of the channel", pin(false)],
  ["bookmarks", "", "list your bookmarks, which all your devices share", () => show("bookmarks")],
  ["bookmark", "", "bookmark the latest message, for yourself", bookmark(true)],
  ["unbookmark", "", "remove the bookmark of the latest message", bookmark(false)],
]);

add("moderation", [
  ["kick", "[#CHANNEL] NAME [REASON]", "remove a member from the channel", against("confirm.kick", (actions, ...args) => actions.kick(...args))],
  ["ban", "[#CHANNEL] NAME", "keep a person from joining and writing", against("confirm.ban", (actions, channel, name) => actions.ban(channel, name, true))],
  ["unban", "[#CHANNEL] NAME", "lift a ban", lift((actions, channel, name) => actions.ban(channel, name, false))],
  ["mute-user", "[#CHANNEL] NAME", "keep a person from writing in the channel", against("confirm.muteMember", (actions, channel, name) => actions.muteMember(channel, name, true))],
  ["unmute-user", "[#CHANNEL] NAME", "let them write again", lift((actions, channel, name) => actions.muteMember(channel, name, false))],
  ["bans", "[#CHANNEL]", "list bans, mutes and exceptions", () => show("bans")],
  ["op", "[#CHANNEL] NAME…", "make members operators of the channel", status("+", "o")],
  ["deop", "[#CHANNEL] NAME…", "take that status from them", status("-", "o")],
  ["halfop", "[#CHANNEL] NAME…", "make members half-operators: they moderate", status("+", "h")],
  ["dehalfop", "[#CHANNEL] NAME…", "take that status from them", status("-", "h")],
  ["voice", "[#CHANNEL] NAME…", "let members write in a moderated channel", status("+", "v")],
  ["devoice", "[#CHANNEL] NAME…", "take voice from them", status("-", "v")],
  ["moderate", "[#CHANNEL] [on|off]", "only members with voice may write", flag("m")],
  ["invite-only", "[#CHANNEL] [on|off]", "joining needs an invitation", flag("i")],
  ["secret", "[#CHANNEL] [on|off]", "hide the channel from people outside", flag("s")],
  ["key", "[#CHANNEL] KEY|off", "joining needs this key", async (context, args) => {
    const [channel, key] = inChannel(context, args);
    const isOff = need(key, "command.whichKey") === "off";
    await context.actions.mode(channel, isOff ? "-k" : "+k", isOff ? "*" : key);
  }],
  ["limit", "[#CHANNEL] NUMBER|off", "limit the number of members", async (context, args) => {
    const [channel, number] = inChannel(context, args);
    if (!/^([1-9]\d*|off)$/.test(number)) throw new Invalid("command.number");
    await (number === "off" ? context.actions.mode(channel, "-l") : context.actions.mode(channel, "+l", number));
  }],
]);

add("people", [
  ["whois", "NAME", "show a person's profile", (_, args) => ({ type: "show", what: "profile", account: need(args, "command.whom") })],
  ["who", "[WORDS]", "list people", (_, text) => ({ type: "show", what: "directory", text })],
  ["setname", "TEXT", "set your full name, which every IRC client shows in /whois", async ({ actions }, args) => {
    await actions.setFullName(need(args, "command.whichName"));
  }],
  ["devices", "", "list the devices that log in to your account", () => show("devices")],
  ["away back", "[MESSAGE]", "set an away message; without one you are back", async ({ actions }, args) => {
    await actions.setAway(args.trim());
  }],
  ["display-name", "NAME|-", "set the name beside your messages, or with - remove it", async ({ actions }, args) => {
    const name = need(args, "command.whichName");
    await actions.setDisplayName(name === "-" ? null : name);
  }],
  ["ns nickserv", "COMMAND", "send a command to NickServ, with passwords hidden", ({ actions }, args) => {
    actions.send("NickServ", need(args, "command.whichText"));
    return { type: "open", name: "NickServ" };
  }],
  ["ignore", "NAME", "hide the messages of a person, on all your devices", ({ actions }, args) => actions.ignore(need(args, "command.whom"), true)],
  ["unignore", "NAME", "show the messages of a person again", ({ actions }, args) => actions.ignore(need(args, "command.whom"), false)],
  ["watch", "NAME", "tell you when a person comes online", ({ actions }, args) => actions.watch(need(args, "command.whom"), true)],
  ["unwatch", "NAME", "no longer tell you when they come online", ({ actions }, args) => actions.watch(need(args, "command.whom"), false)],
]);

add("settings", [
  ["set", "", "show the settings", () => show("settings")],
  ["theme", "light|dark|system", "choose the colours", ({ actions }, args) => {
    const theme = args.trim();
    if (theme !== "light" && theme !== "dark" && theme !== "system") throw new Invalid("command.whichTheme");
    actions.setSetting("theme", theme);
  }],
  ["notify", "all|mentions|nothing|default", "choose what notifies you here", ({ actions, name }, args) => {
    const level = args.trim();
    const isLevel = level === "all" || level === "mentions" || level === "nothing";
    if (name === null || (!isLevel && level !== "default")) throw new Invalid("command.whichLevel");
    actions.setLevel(name, isLevel ? level : null);
  }],
  ["mute", "", "mute this conversation, on all your devices", ({ actions, name }) => actions.mute(name ?? "", true)],
  ["unmute", "", "end the muting of this conversation", ({ actions, name }) => actions.mute(name ?? "", false)],
  ["dnd", "[DURATION|off]", "do not disturb: no notifications, for a while (1h, 30m) or until /dnd off", ({ model, actions }, args) => {
    const [, count = "", unit = ""] = /^(\d{1,4})([mhd])$/.exec(args.trim()) ?? [];
    const ms = Number(count) * ({ m: 60_000, h: 3_600_000, d: 86_400_000 }[unit] ?? 0);
    if (args.trim() !== "" && args.trim() !== "off" && ms === 0) throw new Invalid("command.whichDuration");
    actions.setSetting("doNotDisturbUntil", ms > 0 ? model.env.now() + ms : args.trim() === "off" ? 0 : -1);
  }],
  ["raw-text", "", "show messages as written, or formatted again", ({ model, actions }) => actions.setSetting("rawText", !model.settings.rawText)],
  ["members", "", "show or hide the list of members", ({ model, actions }) => actions.setSetting("showMembers", !model.settings.showMembers)],
  ["help", "", "list the commands and keys", () => show("help")],
]);

add("server", [
  ["motd", "", "show the message of the day", ({ model }) => ({ type: "lines", title: "motd", lines: model.motd })],
  ["invite-link", "[for NAME] […]", "make a link that creates an account, or one that resets NAME's; admins only", () => show("invites")],
  ["invites", "", "list the open invite links; admins only", () => show("invites")],
  ["kill", "NAME [REASON]", "disconnect a person; admins only", ({ actions }, args) => {
    const [name, reason] = split(need(args, "command.whom"));
    return ask("confirm.kill", { name }, () => actions.kill(name, reason));
  }],
  ["wallops", "TEXT", "send a message to everybody who is online; admins only", async ({ actions }, args) => {
    await actions.wallops(need(args, "command.whichText"));
  }],
  ["stats", "", "show uptime and counts of the server; admins only", async ({ actions }) => ({ type: "lines", title: "stats", lines: await actions.statistics() })],
  ["audit", "", "list the latest actions of admins and moderators; admins only", () => show("audit")],
  ["rehash", "", "let the server read its configuration again; admins only", async ({ actions }) => ({ type: "done", text: await actions.rehash() })],
  ["raw quote", "LINE", "send a line of the protocol, and show what the server replies", async ({ model }, args) => {
    const { raw } = await import("./queries.js");
    return { type: "lines", title: "raw", lines: await raw(model, need(args, "command.whichText")) };
  }],
  ["quit exit", "", "log out", ({ actions }) => actions.logout()],
]);

/** Returns the command with a name or an alias. @param {string} name */
export function findCommand(name) {
  const key = name.toLowerCase();
  return commands.find((command) => command.name === key || command.aliases.includes(key));
}

/** Runs a command, such as `/join #tea`. @param {Context} context @param {string} text @returns {Promise<CommandResult>} */
export async function runCommand(context, text) {
  const [word, args] = split(text.slice(1));
  const command = findCommand(word);
  if (command === undefined) return { type: "invalid", key: "command.unknown", values: { command: word } };
  try {
    return (await command.run(context, args)) ?? { type: "done" };
  } catch (error) {
    if (error instanceof Invalid) return { type: "invalid", key: error.message, values: { usage: `/${command.name} ${command.usage}` } };
    throw error;
  }
}
