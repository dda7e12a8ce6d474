/** English texts. The other languages have the same keys; `{count}` chooses between `one` and `other`. */
export default {
  // Names of things
  admin: "admin", away: "away", bot: "bot", channels: "Channels", composer: "Write a message", conversation: "Conversation", conversations: "Conversations",
  directMessages: "Direct messages", draft: "draft", emoji: "Emoji", founders: "Founders", halfOperators: "Half-operators", members: "Members", mentions: "Mentions", menu: "Menu",
  messages: "Messages", muted: "muted", offline: "offline", online: "online", operators: "Operators", pins: "Pinned messages", settings: "Settings", voices: "Voices", you: "(you)",
  // Actions
  back: "Back", backToList: "Back to the list", browseChannels: "Browse channels", close: "Close", conversationMenu: "Conversation menu", filterMembers: "Filter members",
  format: "Format", goTo: "Go to…", newDirect: "New direct message", search: "Search", send: "Send", setTopicAction: "Set a topic", skipToMessages: "Skip to the message field",
  tryAgain: "Try again",
  // First steps
  noChannels: "None yet: browse the channels with +", noDirect: "None yet: write to somebody with +",
  // Conversations
  onlineOf: "{online} of {count} online", unreadCount: { one: "{count} unread message", other: "{count} unread messages" },
  mentionCount: { one: "{count} mention", other: "{count} mentions" }, failedCount: { one: "{count} message not sent", other: "{count} messages not sent" },
  yourAccount: "Your account: {name}, {status}", messageTo: "Message {name}", newMessages: "New messages",
  // Messages
  messageOf: "{name}, {time}", loadingOlder: "Loading older messages…", notLoaded: "Older messages could not be loaded.",
  // Search and lists
  nobodyFound: "Nobody found.",
};
