/** English texts. The other languages have the same keys; `{count}` chooses between `one` and `other`. */
export default {
  // Names of things
  action: "Action", actions: "Actions", admin: "admin", away: "away",
  awayMessage: "Away message", bans: "Bans", bookmarks: "Bookmarks", bot: "bot", by: "By", channels: "Channels", commands: "Commands",
  composer: "Write a message", conversation: "Conversation", conversations: "Conversations", devices: "Devices", directMessages: "Direct messages", displayName: "Display name",
  draft: "draft", emoji: "Emoji", founder: "founder", founders: "Founders", halfOperator: "half-operator", halfOperators: "Half-operators",
  help: "Help", highlights: "Words that count as a mention", key: "Key", keys: "Keys", language: "Language", limit: "Limit of members", members: "Members", mentions: "Mentions",
  menu: "Menu", messages: "Messages", motd: "Message of the day", muted: "muted", notifications: "Notifications", offline: "offline", online: "online",
  operator: "operator", operators: "Operators", password: "Password", people: "People", pins: "Pinned messages",
  profile: "Profile", protectedMember: "protected member", role: "Role", rules: "Rules", settings: "Settings",
  theme: "Theme", thread: "Thread", topic: "Topic", voice: "voice", voices: "Voices",
  when: "When", who: "Who", you: "(you)", invites: "Invites", audit: "Latest actions",
  // Actions
  back: "Back", backToList: "Back to the list", ban: "Ban", bold: "Bold", browseChannels: "Browse channels", cancel: "Cancel", cancelReply: "Cancel the reply",
  changePassword: "Change password", close: "Close", code: "Code",
  conversationMenu: "Conversation menu", discard: "Discard",
  disconnect: "Disconnect", filterMembers: "Filter members", format: "Format", goTo: "Go to…",
  ignore: "Ignore", inviteSomebody: "Invite somebody", italic: "Italic", join: "Join", kick: "Kick", leave: "Leave",
  makeInvite: "Make an invite link", markRead: "Mark as read",
  messageActions: "Message actions", moreActions: "More actions", mute: "Mute", newDirect: "New direct message",
  olderResults: "Older results", open: "Open", openThread: "Open thread", react: "React", reload: "Reload",
  removeBookmark: "Remove bookmark", rename: "Rename", reply: "Reply",
  search: "Search", send: "Send", sendAgain: "Send again", setAway: "Set away", setTopicAction: "Set a topic", skipToMessages: "Skip to the message field", strike: "Strikethrough",
  toLatest: "To the latest", toUnread: "To the first unread",
  tryAgain: "Try again", tryNow: "Try now", undo: "Undo", unpin: "Unpin",
  watch: "Watch",
  // Connection and login
  connecting: "Connecting…", connectionEnded: "The connection ended: {reason}", disconnected: "Not connected: {reason}", triesAgainIn: { one: "Tries again in {count} second.", other: "Tries again in {count} seconds." },
  pageEnded: "This page has ended",
  // First steps
  welcome: "Welcome to {network}, {name}", youRunThisServer: "You run this server, and nobody else is in {name} yet. Make an invite link, and send it to somebody.",
  nobodyElse: "Nobody else is in {name} right now.", withYou: "In {name} with you: {names}.", inNoChannel: "You are in no channel yet.", chooseConversation: "Choose a conversation.",
  beginningOf: "This is the beginning of {name}.", noMessagesWith: "No messages with {name} yet", onlyYouAnd: "Only you and {name} see what is written here.", waitsForThem: "{name} is offline. What you write waits for them.",
  noChannels: "None yet: browse the channels with +", noDirect: "None yet: write to somebody with +",
  // Conversations
  unreadCount: { one: "{count} unread message", other: "{count} unread messages" }, mentionCount: { one: "{count} mention", other: "{count} mentions" }, failedCount: { one: "{count} message not sent", other: "{count} messages not sent" },
  yourAccount: "Your account: {name}, {status}", others: { one: "{count} other", other: "{count} others" }, typing: { one: "{names} is typing…", other: "{names} are typing…" }, severalTyping: "Several people are typing…",
  notMember: "You are not in this channel.", needsVoice: "Writing here needs voice, which an operator gives.",
  messageTo: "Message {name}", replyingTo: "Reply to {name}", newMessages: "New messages", messageIn: "{name} in {channel}",
  inviteTo: "Invite to {name}", invited: "{name} is invited to {channel}",
  // Messages
  messageOf: "{name}, {time}", inReplyTo: "In reply to", takenBack: "Message taken back", removedBy: "Removed by {name}", willBeTakenBack: "The message will be taken back.",
  sending: "Sending…", notSent: "Not sent. {reason}", reactedWith: "{names} reacted with {emoji}", repliesCount: { one: "{count} reply", other: "{count} replies" },
  ignoredMessages: { one: "{count} ignored message", other: "{count} ignored messages" }, loading: "Loading…", loadingOlder: "Loading older messages…", notLoaded: "Older messages could not be loaded.", gap: "Some messages are not loaded.",
  copied: "Copied",
  answerInThread: "Answer in the thread", openMessage: "Open the message of {name}, {time}",
  // Events
  joined: "{name} joined", left: "{name} left", wentOffline: "{name} went offline", kicked: "{by} kicked {name}", setTopic: "{name} set the topic: {text}", clearedTopic: "{name} cleared the topic", renamed: "{by} renamed {from} to {to}",
  cameRun: { one: "{names} joined", other: "{names} joined" }, leftRun: { one: "{names} left", other: "{names} left" },
  modeInviteOnly: "made the channel invite-only", modeOpen: "opened the channel to everybody", modeModerated: "made the channel moderated: writing needs voice", modeUnmoderated: "ended the moderation: every member may write",
  modeSecret: "made the channel secret", modeListed: "made the channel visible to everybody", modeTopicLocked: "kept the topic to half-operators and higher", modeTopicOpen: "let every member set the topic",
  modeMembersOnly: "kept messages to members", modeOutside: "let people outside write too", modeNoCtcp: "refused requests of programs (CTCP)", modeCtcp: "allowed requests of programs (CTCP)",
  modeKey: "set a channel key", modeNoKey: "removed the channel key", modeLimit: { one: "limited the channel to {count} member", other: "limited the channel to {count} members" }, modeNoLimit: "removed the limit of members",
  modeGiveStatus: "gave {name} the status of {status}", modeTakeStatus: "took the status of {status} from {name}", modeVoice: "gave {name} voice", modeNoVoice: "took voice from {name}",
  modeMute: "muted {name}", modeUnmute: "unmuted {name}", modeBan: "banned {name}", modeUnban: "unbanned {name}", modeExcept: "excepted {name} from bans", modeNoExcept: "ended the exception of {name} from bans",
  modeInvited: "let {name} join without an invitation", modeNotInvited: "ended the standing invitation of {name}", modeUnknown: "set mode {text}",
  // Search and lists
  searchFor: "Search messages", searchHint: "Words, from:name and in:#channel", searching: "Searching…", onlyIn: "Only in {name}", resultsCount: { one: "{count} result", other: "{count} results" }, nothingFound: "Nothing found.", nobodyFound: "Nobody found.",
  indexIncomplete: "The index is being rebuilt, so some may be missing.", noMentions: "Nobody has mentioned you yet.", noBookmarks: "You have no bookmarks yet.", noPins: "Nothing is pinned yet.",
  // Moderation
  done: "Done",
  hasKey: "Joining needs a key.",
  topicBy: "Set by {name}, {time}",
  // Settings
  showJoins: "Show who joins and leaves", rawText: "Show messages as written, without formats", sound: "Play a sound",
  sendTyping: "Show others when I type", sendReadMarks: "Share up to where I have read with my devices",
  // Emoji
  recentEmoji: "Used lately", symbols: "Symbols",
  // Refusals
  errUnknown: "That failed. Reload the page, then try again.", errTimeout: "The server did not answer in time. Try again.",
  errNoChannel: "There is no such channel that you can see.", errCannotSend: "The channel does not take it: {reason}", errTooManyChannels: "You are in too many channels. Leave one first.",
  errAlreadyThere: "They are in the channel already.", errWrongPassword: "Wrong name or password. Check both and try again.", errFull: "The channel is full. An operator can raise its limit.", errInviteOnly: "The channel is invite-only. Ask its operators for an invitation: /knock",
  errBanned: "You are banned from the channel. Only its operators can lift that.", errNeedsKey: "The channel needs a key: /join #channel KEY", errChannelName: "That cannot be the name of a channel. Choose another, such as #tea.", errListFull: "The list is full. Remove an entry first.",
  errAdminOnly: "Only admins of the server may do that.", errNotOperator: "You may not do that here ({reason}). Ask an operator of the channel.", errKnockedAlready: "You have asked already. Wait five minutes.", errNameTaken: "There is a channel with this name already.",
  errServerFailed: "The server cannot do that right now ({reason}). Try again later.", errNoInvite: "There is no such invite any more.", errMayNotRemove: "You may not remove that message. Ask an operator.", errTokenSpent: "The invite is spent, expired or revoked. Ask for a new one.",
  errWeakPassword: "That password is too weak ({reason}). Choose another.",
  // Texts that the model names
  "refusal.offline": "Not connected. Try again once the connection is back.", "refusal.gone": "The message no longer exists.", "refusal.notMember": "You are not in that channel. Join it first.", "refusal.noAccount": "There is nobody with this name.", "refusal.marksFull": "There is no room for more. Remove one first.",
  "refusal.unconfirmed": "The server did not confirm it.", "notice.online": "{name} is online", "notice.invited": "{by} invites you to {channel}", "notice.invitedOther": "{by} invited {who} to {channel}", "notice.knock": "{who} asks for an invitation to {channel}: {text}",
  "name.empty": "The name is missing.", "name.character": "A name cannot have spaces, commas or these characters. Choose another.", "name.long": "The name is too long. Choose a shorter one.",
  "command.noConversation": "Open a conversation first.", "command.tooLong": "That is too long: it would become more than ten messages. Shorten it.",
  raw: "Replies of the server",
};
