/**
 * Types that the model, the connection and the views share. A declaration file: it exists for the type check only and is
 * not served.
 */

import type { Model } from "./model.js";

/** Folded name of a conversation, as a key of maps. Display `name` instead. */
export type ConversationKey = string;

/** Part of the state that changed, as a subscriber is told of it. */
export type Topic =
  | "connection" // connection state, account, network, rights, features
  | "conversations" // list, unread counts, mutes, pinned and draft marks
  | `timeline:${ConversationKey}` // entries, loading state, "new" line
  | `members:${ConversationKey}` // members and their member status
  | `channel:${ConversationKey}` // topic, modes, pinned messages
  | `typing:${ConversationKey}`
  | "people" // presence, away messages and display names of accounts
  | "directory"
  | "mentions"
  | "bookmarks"
  | "settings"
  | "held" // held redactions, which can be undone
  | "notices"; // sentences of the server or the model for the user

export type ConnectionState =
  /** Between two steps; `attempt` counts from 1 since the last time online. */
  | { phase: "connecting"; attempt: number }
  /** Server mode: the form of name and password. `error` says why the last login failed. */
  | { phase: "login"; network: string; error: LoginFailure | null; canRegister: boolean }
  | { phase: "online" }
  /** Tries again at `retryAt` (ms since the epoch) by itself, or at once by `actions.reconnect()`. */
  | { phase: "waiting"; reason: string; retryAt: number }
  /** Ended for good; only reloading or the named remedy helps. */
  | { phase: "ended"; code: "token" | "refused" | "logged-out"; reason: string };

/** Why a login failed: a numeric, the code of a FAIL, or `CAP` for what the server lacks; and the server's words. */
export interface LoginFailure {
  code: string;
  reason: string;
}

/** The session and what it may do. */
export interface Session {
  mode: "local" | "server";
  /** Own account; empty before the first login. */
  account: string;
  /** Own display name as it was set, also where others do not see it. */
  displayName: string | null;
  network: string;
  /** Server in use and all that the binary knows (local mode). */
  server: string | null;
  servers: string[];
  /** Certificate fingerprint of this machine's device (local mode). */
  device: string | null;
  isAdmin: boolean;
  /** Set while the conversations are known, which the server lists after the login. */
  isReady: boolean;
  /** The own away message; `null` if back. */
  away: string | null;
  /** Address that files are sent to; "" if the server takes none. */
  uploadUrl: string;
  features: Features;
}

/** What the connection knows before a login. */
export interface ServerInfo {
  mode: "local" | "server";
  account: string;
  network: string;
  server: string | null;
  servers: string[];
  device: string | null;
}

/** What the server offers; views hide what it lacks. */
export interface Features {
  reactions: boolean;
  redaction: boolean;
  metadata: boolean;
}

export type NotificationLevel = "all" | "mentions" | "nothing";

/** An item of the list of conversations. */
export interface ConversationItem {
  key: ConversationKey;
  name: string;
  kind: "channel" | "direct";
  /** Display name of the account of a direct conversation, where it cannot be taken for somebody else's. */
  displayName: string | null;
  /** Set while the account is in the channel; always for direct ones. */
  joined: boolean;
  unread: number;
  /** Set if there may be more unread messages than were counted. */
  unreadIsLowerBound: boolean;
  mentions: number;
  muted: boolean;
  level: NotificationLevel;
  presence: Presence;
  hasDraft: boolean;
  failed: number;
  /** Time of the latest message, 0 for none. */
  time: number;
  topic: string;
}

export type Presence = "online" | "away" | "offline" | "unknown";

/** Member status, highest first: founder, op, half-op, voice, none. */
export type Prefix = "~" | "&" | "@" | "%" | "+" | "";

export interface Member {
  name: string;
  prefix: Prefix;
  /** Only where it cannot be taken for somebody else's. */
  displayName: string | null;
  presence: Presence;
  awayMessage: string | null;
  isMe: boolean;
  isBot: boolean;
}

export interface ChannelInfo {
  key: ConversationKey;
  name: string;
  topic: string;
  topicBy: string | null;
  topicTime: number | null;
  /** Mode letters without parameter that are set, such as `mnt`; parameters of `k` and `l` in `limit` and `hasKey`. */
  modes: string;
  limit: number | null;
  hasKey: boolean;
  /** Own member status. */
  prefix: Prefix;
  /** Own rights here, by member status and role. */
  may: ChannelRights;
  /** Ids of the pinned messages, oldest first. */
  pinned: string[];
}

export interface ChannelRights {
  speak: boolean;
  topic: boolean;
  moderate: boolean; // kick, ban, mute, redact others' messages
  operate: boolean; // modes, member status, pins
  rename: boolean;
  invite: boolean;
}

export type EntryKind = "message" | "action" | "notice" | "event";

/**
 * A row of a timeline. The same object for as long as it is loaded; `version` counts its changes, `row` never changes,
 * also when a pending message is confirmed.
 */
export interface Entry {
  readonly row: string;
  version: number;
  /** Place in the order of the timeline, for the model. Use `Timeline.indexOfRow`. */
  position: number;
  kind: EntryKind;
  /** Milliseconds since the epoch. */
  time: number;
  msgid: string | null;
  from: string;
  mine: boolean;
  /** Text as written, cleaned; `\n` between the lines. Format it with `parseMarkup`. */
  text: string;
  status: "sent" | "pending" | "failed";
  /** Why it failed. */
  reason: string | null;
  /** Id of the message that it replies to. */
  replyTo: string | null;
  isMention: boolean;
  isBot: boolean;
  /** Files that it shares, as the tag `parlour/files` lists them; split it by `splitFiles`. They stay known when it was taken back. */
  files: string;
  /** Set while an ignored account wrote it: the views fold such rows. */
  isIgnored: boolean;
  redacted: { by: string; reason: string } | null;
  /** Set while a held redaction waits for it, until `until`. */
  heldUntil: number | null;
  /** Emoji with the accounts that reacted, in order of their first use. */
  reactions: Reaction[] | null;
  /** Ids of the latest change of each reaction, for the model. */
  stamps: Map<string, string> | null;
  /** Reactions that wait for the code that applies them. */
  reacting?: Extract<Change, { type: "react" }>[];
  /** For kind `event`. */
  event: TimelineEvent | null;
}

export interface Reaction {
  emoji: string;
  from: string[];
  mine: boolean;
  /** Form in which the own account reacted, by which other clients know the reaction. */
  own: string | null;
}

/** A change in a channel that the timeline shows. Texts are made by the views, in the user's language. */
export type TimelineEvent =
  | { type: "join"; who: string }
  | { type: "part"; who: string; reason: string }
  | { type: "kick"; who: string; by: string; reason: string }
  | { type: "quit"; who: string; reason: string }
  | { type: "topic"; by: string; text: string }
  | { type: "mode"; by: string; text: string }
  | { type: "rename"; by: string; from: string; to: string }
  | { type: "gap" }; // messages between here and the next row are not loaded; never within a loaded range

/** Loaded part of a conversation, without gaps, oldest first; pending and failed messages stand at the end. */
export interface Timeline {
  readonly key: ConversationKey;
  /** Counts every change. */
  version: number;
  readonly length: number;
  /** Set if nothing older exists. */
  atStart: boolean;
  /** Set if the latest message is loaded, so that new ones are added. */
  atEnd: boolean;
  /** Set if the loaded part is one around an older message, which does not lead to the latest one by itself. */
  readonly isApart: boolean;
  loading: "none" | "latest" | "older" | "newer" | "around";
  /** Reason of the last failed query, until the next one. */
  error: string | null;
  /** Row before which the "new" line stands; `null` for none. It stays until the conversation is opened again. */
  newRow: string | null;
  at(index: number): Entry | undefined;
  slice(from: number, to: number): Entry[];
  /** Index of a row, or -1. */
  indexOfRow(row: string): number;
  /** Index of a message, or -1. */
  indexOfMsgid(msgid: string): number;
  /** Message by its id, if it is loaded. */
  byMsgid(msgid: string): Entry | undefined;
}

/** A file that a message shares. */
export interface FileInfo {
  id: string;
  name: string;
  /** Media type, as the server found it in the content. */
  type: string;
  /** In bytes. */
  size: number;
  /** Of a picture, in pixels; 0 if it is not known. */
  width: number;
  height: number;
}

/** Files of a conversation, each with the message that shares it. */
export interface SharedFiles {
  files: { file: FileInfo; message: Pick<ListedMessage, "msgid" | "time" | "from"> }[];
  before: string | null;
}

/** A request about a file. */
export interface HttpRequest {
  method: string;
  path: string;
  headers: Record<string, string>;
  body: Blob | null;
  signal: AbortSignal;
  /** Called with the bytes of the body that were sent. */
  progress: (sent: number) => void;
}

export interface HttpAnswer {
  status: number;
  header(name: string): string | null;
  text: string;
}

/** What an upload needs from outside. */
export interface UploadEnvironment {
  /** Returns a token for one upload. */
  token(): Promise<string>;
  /** Rejects where there was no answer. */
  request(request: HttpRequest): Promise<HttpAnswer>;
  /** Returns the function that cancels it. */
  later(ms: number, run: () => void): () => void;
  /** Number from 0 to 1. */
  random(): number;
  /** Called with each change of the upload. */
  changed(): void;
}

export interface Profile {
  name: string;
  /** Only where it cannot be taken for somebody else's. */
  displayName: string | null;
  fullName: string;
  isOnline: boolean;
  isAdmin: boolean;
  isBot: boolean;
  away: string | null;
  idleSeconds: number | null;
  signOn: number | null;
  created: number | null;
  devices: number | null;
  /** Shared channels with the prefix of member status. */
  channels: { name: string; prefix: Prefix }[];
  pronouns: string | null;
  isIgnored: boolean;
  isWatched: boolean;
}

/** A message in a list: a result of a search, a pinned message, a bookmark, a mention. */
export interface ListedMessage {
  conversation: string;
  msgid: string;
  time: number;
  from: string;
  text: string;
  kind: EntryKind;
  mine: boolean;
  replyTo: string | null;
  /** As `files` of an entry. */
  files: string;
  /** Set if it was removed or has expired: then `text` is empty. */
  isGone: boolean;
}

export interface SearchQuery {
  text: string;
  in?: string;
  from?: string;
  /** Only up to this time, for the next page. */
  before?: number;
  limit?: number;
}

export interface SearchPage {
  messages: ListedMessage[]; // newest first
  isComplete: boolean;
  /** Set if the server may have missed some. */
  isIncompleteIndex: boolean;
}

export interface ListedChannel {
  name: string;
  members: number;
  topic: string;
  joined: boolean;
}

/** An account of the server. Its display name is that of `Store.trustedName`, which changes with those of others. */
export interface ListedAccount {
  name: string;
  fullName: string;
  online: boolean;
  isAdmin: boolean;
}

export interface Directory {
  channels: ListedChannel[];
  accounts: ListedAccount[];
  loading: boolean;
  /** Unset if there are more accounts or channels than the server lists. */
  isComplete: boolean;
  time: number;
}

export interface Invite {
  id: number;
  text: string;
}

export interface Device {
  fingerprint: string;
  /** Milliseconds since the epoch; `null` if it is not known. */
  added: number | null;
  /** `null` for never. */
  lastUsed: number | null;
}

export interface AuditItem {
  time: number;
  account: string | null;
  text: string;
}

export interface Ban {
  list: "b" | "e" | "I";
  mask: string;
  /** Account of a mask `a:NAME` or `NAME!*@*`, if it is one. */
  account: string | null;
  isMute: boolean;
  by: string;
  time: number | null;
}

export interface InviteOptions {
  /** Existing account that gets a new password. */
  for?: string;
  uses?: number;
  /** Such as `24h` or `7d`. */
  lifetime?: string;
  channel?: string;
  admin?: boolean;
}

/** A sentence for the user that belongs to no row: errors, info, message of the day. */
export interface Notice {
  id: number;
  kind: "info" | "error" | "motd" | "invited" | "presence" | "wallops";
  /** Conversation that it is about. */
  conversation: string | null;
  /** A text of the server, in its language, or a key of the language module for texts of the model. */
  text: string;
  /** Key in the language module and its values, in place of `text`. */
  message: { key: string; values: Record<string, string> } | null;
  time: number;
}

/** A message that should notify the user, as the levels of notification and the focus say. */
export interface Alert {
  conversation: string;
  entry: Entry;
}

/** Rejection of an action. `text` may be shown; it comes from the server or names a key of the language module. */
export interface RefusalInfo {
  code: string; // numeric, FAIL code, "offline", "timeout"
  text: string;
  isTemporary: boolean;
}

export interface Settings {
  theme: "system" | "light" | "dark";
  /** BCP 47 tag, or `auto` for the browser's. */
  language: string;
  hour12: "auto" | "12" | "24";
  showMembers: boolean;
  /** Lists of conversations that show only what is unread or open. */
  foldedSections: ConversationItem["kind"][];
  showJoins: boolean;
  rawText: boolean;
  sendTyping: boolean;
  sendReadMarks: boolean;
  notifications: boolean;
  sound: boolean;
  levels: { channels: NotificationLevel; direct: NotificationLevel; conversations: Record<ConversationKey, NotificationLevel> };
  highlights: string[];
  /** Emoji used lately, the latest first. */
  recentEmoji: string[];
  /** End of the span without notifications in ms since the epoch; 0 for none, `Infinity` is stored as -1. */
  doNotDisturbUntil: number;
  reducedMotion: "system" | "on" | "off";
}

export interface Store {
  /** Calls back, at most once a task, with the topics that changed. Returns the function that ends it. */
  subscribe(listener: (topics: Set<Topic>) => void): () => void;
  /** Calls back for each message that should notify the user. */
  onAlert(listener: (alert: Alert) => void): () => void;

  /** Loads what the first view does without: the other actions, mentions, display names, what the server tells. */
  complete(): Promise<void>;
  connection(): ConnectionState;
  session(): Session;
  /** Channels by name, then direct conversations by time. */
  conversations(): ConversationItem[];
  conversation(name: string): ConversationItem | null;
  /** Conversation on the screen, as the views have opened it. */
  current(): ConversationItem | null;
  timeline(name: string): Timeline;
  channel(name: string): ChannelInfo | null;
  /** Members by member status, then name; those that are offline last. Of a large channel, some of these may be missing. */
  members(name: string): Member[];
  /** Names of the accounts that are typing. */
  typing(name: string): string[];
  presence(account: string): Presence;
  /** Display name that cannot be taken for somebody else's, so that it may stand without the nick; `null` otherwise. */
  trustedName(account: string): string | null;
  /** Whether the account is one that the page has heard of. */
  isKnown(account: string): boolean;
  draft(name: string): { text: string; replyTo: string | null };
  directory(): Directory;
  mentions(): ListedMessage[];
  bookmarks(): ListedMessage[];
  heldRedactions(): { conversation: string; msgid: string; until: number }[];
  notices(): Notice[];
  settings(): Settings;
  ignored(): string[];
  watched(): string[];
  actions: Actions;
}

/** All that a user can do. What returns a promise rejects with `Refusal` (model/requests.js, the fields of RefusalInfo). */
export interface Actions {
  // Connection
  login(name: string, password: string): void;
  register(name: string, password: string, token: string): void;
  logout(): void;
  reconnect(): void;
  switchServer(name: string): void;

  // Conversations
  /** Opens a conversation on the screen: loads its latest messages, sets its "new" line. `null` for none. */
  open(name: string | null): void;
  close(name: string): void;
  join(channel: string, key?: string): Promise<void>;
  part(channel: string, reason?: string): Promise<void>;
  /** Views call it when the end of the timeline is visible and the page has the focus. */
  markRead(name: string): void;
  loadOlder(name: string): void;
  loadNewer(name: string): void;
  /** Loads the part around a message; resolves to its row. */
  jumpTo(name: string, msgid: string): Promise<string>;
  jumpToLatest(name: string): void;
  setDraft(name: string, text: string, replyTo: string | null): void;
  /** Call at each keystroke; the model limits what it sends. */
  typing(name: string, status: "active" | "done"): void;

  // Messages
  /**
   * Sends what the composer holds: a message, several, or a command such as `/join #tea`. Clears the draft where it was
   * accepted. The result of a command that shows something is `{ show }`.
   */
  submit(name: string | null, text: string, replyTo: string | null): Promise<CommandResult>;
  /** Sends a text. `files` stands for the tag `parlour/files` until the server has sent it. */
  send(name: string, text: string, replyTo?: string | null, files?: string): void;
  /** Sends a failed message again, or drops it. */
  resend(name: string, row: string): void;
  discard(name: string, row: string): void;
  react(name: string, msgid: string, emoji: string): void; // toggles the own reaction
  /** Takes an own message back after ten seconds, within which `undoRedact` keeps it. */
  redact(name: string, msgid: string): void;
  undoRedact(name: string, msgid: string): void;
  /** Removes another account's message at once; views ask first. */
  redactOther(name: string, msgid: string, reason?: string): Promise<void>;
  pin(name: string, msgid: string, on: boolean): Promise<void>;
  bookmark(name: string, msgid: string, on: boolean): Promise<void>;
  pinned(name: string): Promise<ListedMessage[]>;
  loadBookmarks(): Promise<ListedMessage[]>;
  loadMentions(): Promise<ListedMessage[]>;
  /** A message with its answers, and the answers to these, oldest first. */
  thread(name: string, msgid: string): Promise<ListedMessage[]>;
  /** One message that is not loaded, for the quote of a reply; cached. `null` if it is gone. */
  message(name: string, msgid: string): Promise<ListedMessage | null>;
  search(query: SearchQuery): Promise<SearchPage>;
  /** Files that messages of a conversation share, the latest first; `before` goes on where the page before ended, `null` at the end. */
  sharedFiles(name: string, before?: string): Promise<SharedFiles>;
  /** A token for requests about files, and how long it is valid. */
  fileToken(): Promise<{ token: string; seconds: number }>;

  // Finding
  loadDirectory(words?: string): Promise<Directory>;
  profile(account: string): Promise<Profile>;

  // Own account
  setAway(message: string): Promise<void>; // "" comes back
  setDisplayName(name: string | null): Promise<void>;
  setFullName(name: string): Promise<void>;
  changePassword(old: string, next: string): Promise<string>;
  devices(): Promise<Device[]>;
  revokeDevice(fingerprint: string): Promise<void>;
  ignore(account: string, on: boolean): void;
  watch(account: string, on: boolean): void;
  mute(name: string, on: boolean): void;
  setLevel(name: string, level: NotificationLevel | null): void;
  setSetting<K extends keyof Settings>(key: K, value: Settings[K]): void;

  // Channels
  setTopic(channel: string, text: string): Promise<void>;
  inviteTo(channel: string, account: string): Promise<void>;
  knock(channel: string, text?: string): Promise<void>;
  rename(channel: string, to: string): Promise<void>;
  mode(channel: string, letters: string, ...params: string[]): Promise<void>; // such as "+o", "bob"
  kick(channel: string, account: string, reason?: string): Promise<void>;
  ban(channel: string, account: string, on: boolean): Promise<void>;
  muteMember(channel: string, account: string, on: boolean): Promise<void>;
  bans(channel: string): Promise<Ban[]>;

  // Admins
  invites(): Promise<Invite[]>;
  createInvite(options: InviteOptions): Promise<string>; // the link
  revokeInvite(id: number): Promise<void>;
  kill(account: string, reason?: string): Promise<void>;
  wallops(text: string): Promise<void>;
  audit(count?: number): Promise<AuditItem[]>;
  statistics(): Promise<string[]>;
  rehash(): Promise<string>;

  dismissNotice(id: number): void;
  /** Whether the page has the focus; start.js calls it. */
  setFocused(focused: boolean): void;
}

/** What the views do after `submit`. */
export type CommandResult =
  | { type: "sent" }
  | { type: "done"; text?: string }
  | { type: "open"; name: string }
  | { type: "show"; what: "search"; text: string }
  | { type: "show"; what: "profile"; account: string }
  | { type: "show"; what: "directory"; text: string }
  | { type: "show"; what: "members" | "mentions" | "bookmarks" | "pins" | "files" | "upload" | "invites" | "devices" | "settings" | "help" | "audit" | "bans" }
  | { type: "lines"; title: string; lines: string[] }
  /** Nothing was sent: `key` of the language module, with values. The draft stays. */
  | { type: "invalid"; key: string; values?: Record<string, string> }
  /** Views ask, then call `confirm`. */
  | { type: "confirm"; key: string; values: Record<string, string>; confirm: () => Promise<CommandResult> };

/** A piece of formatted text, from `parseMarkup` in wire/markup.js. */
export type Span = {
  text: string;
  bold?: boolean;
  italic?: boolean;
  underline?: boolean;
  strike?: boolean;
  code?: boolean;
  reverse?: boolean;
  /** Colours of IRC as CSS colours. */
  color?: string;
  background?: string;
  /** Target of a link: `http:` or `https:`, safe as `href`. */
  href?: string;
  /** Channel that the text names. */
  channel?: string;
  /** Account that the text names. */
  person?: string;
  /** Set for the own nick and highlights. */
  mention?: boolean;
};

/** A block of a text: lines of spans, or code. */
export type Block = { type: "text"; lines: Span[][] } | { type: "code"; text: string };

/** What the model needs from outside. */
export interface ModelEnvironment {
  /** Time in ms since the epoch. */
  now(): number;
  later(ms: number, run: () => void): void;
  /** Runs at the end of the present task. */
  soon(run: () => void): void;
  /** Random prefix of the send ids of this run. */
  runId: string;
  storage: Storage;
  /** Name of the tab, which it keeps when it is loaded anew. */
  tab: string;
  /** Returns the conversation that the page's address names, to begin with. */
  wanted(): string | null;
  /** Sends a line, if there is a connection. */
  write(line: string): void;
}

/** Texts by their keys. Nothing of it may throw. */
export interface Storage {
  get(key: string): string | null;
  /** Removes for `null`. */
  set(key: string, value: string | null): void;
  keys(prefix: string): string[];
}

/** The part of a WebSocket that is used. */
export interface Socket {
  send(text: string): void;
  close(code?: number): void;
}

export interface SocketEvents {
  open(): void;
  message(text: string): void;
  close(code: number, reason: string): void;
}

/** What the connection needs from outside. */
export interface LinkEnvironment {
  now(): number;
  /** Returns the function that cancels it. */
  later(ms: number, run: () => void): () => void;
  /** Number from 0 to 1. */
  random(): number;
  connect(events: SocketEvents): Socket;
  /** Storage that ends with the tab. */
  secrets: Storage;
  /** The login that the tab keeps. */
  logins: LoginStore;
  /** Loads the page anew. */
  reload(): void;
}

/** What the connection reports. */
export type LinkChange =
  | { type: "state" }
  | { type: "connected"; nick: string; caps: Set<string> }
  | { type: "disconnected" }
  | { type: "line"; line: string };

export type Credentials =
  | { type: "external"; account: string }
  | { type: "plain"; account: string; password: string }
  | { type: "invite"; account: string; password: string; token: string };

/** What a line of the server did to a login; `isRefused` is set if the same login would fail again. */
export type LoginStep =
  | { type: "more" }
  | { type: "done"; nick: string; caps: Set<string> }
  | { type: "failed"; code: string; reason: string; isRefused: boolean };

/** Keeps the login of the server's own page as long as the tab. Nothing of it rejects. */
export interface LoginStore {
  load(): Promise<{ account: string; password: string } | null>;
  keep(login: { account: string; password: string }): Promise<void>;
  forget(): Promise<void>;
}

/** The complete reply to a request. */
export interface Reply {
  /** Without the start and the end of batches; a multiline message is one line. */
  lines: Message[];
  /** Tags of the batch of the result. */
  tags: Map<string, string>;
}

/** A batch of lines that has not ended. */
export interface Batch {
  type: string;
  /** Own, or that of the enclosing batch; "" for none. */
  label: string;
  /** Whether the label is its own, so that the reply ends with it. */
  hasLabel: boolean;
  parent: Batch | undefined;
  start: Message;
  /** The message that the lines of a multiline batch make. */
  text: Message | null;
}

/** One line of the protocol. */
export interface Message {
  /** Valid keys with their unescaped values; of equal keys the last. */
  tags: Map<string, string>;
  /** The source without its colon, or "". */
  source: string;
  /** The part of the source before `!` or `@`. */
  nick: string;
  /** In capitals, or three digits. */
  command: string;
  /** The last one without its colon. */
  params: string[];
}

/** A change of a message: a reaction or a redaction. */
export type Change =
  | { type: "react"; emoji: string; from: string; mine: boolean; remove: boolean; at: string }
  | { type: "redact"; by: string; reason: string };

/** What is known of an account. */
export interface Person {
  /** `null` if it is not known. */
  online: boolean | null;
  /** The away message. */
  away: string | null;
  displayName: string | null;
  isBot: boolean;
}

/** Part of the history that is queried. */
export type Page = "latest" | "older" | "newer" | "around";

/** Loaded part of the history: nothing; up to the latest message; up to a gap before it; a part around the target of a jump. */
export type Extent = "unloaded" | "latest" | "behind" | "past";

export interface MarkupOptions {
  /** The own nick. */
  me?: string;
  /** Words that count as a mention. */
  highlights?: readonly string[];
  /** Whether `#name` in the text is a channel to link. */
  isChannel?: (name: string) => boolean;
  /** Whether `@name` in the text, or `name:` at the start of a line, is an account. */
  isPerson?: (name: string) => boolean;
  /** Set to show the text as written: with its marks, without blocks. */
  raw?: boolean;
}

export type Format = Omit<Span, "text">;

/** What a stretch of a text is; `mark` and `fence` are left out when it is drawn. */
export type Attribute = "bold" | "italic" | "strike" | "code" | "mark" | "block" | "fence" | "mention";

/** What the connection can do. */
export type LinkActions = Pick<Actions, "login" | "register" | "logout" | "reconnect" | "switchServer">;

/** Handles a line of the server; `label` is that of the command that the line replies to. */
export type LineHandler = (model: Model, message: Message, label: string) => void;
