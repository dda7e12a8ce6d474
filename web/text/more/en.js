/** English texts of what is loaded later: dialogs, menus, the login. The other languages have the same keys. */
export default {
  // Names of things
  accountName: "Account name", accountSince: "Account since", appearance: "Appearance",
  commandLine: "command line",
  effect: "Effect", fullName: "Full name",
  onlineSince: "Online since",
  peopleAndInvites: "People and invites", privacy: "Privacy",
  pronouns: "Pronouns", security: "Security",
  sharedChannels: "Shared channels", silentFor: "Silent for", suggestions: "Suggestions",
  yourProfile: "Your profile",
  // Actions
  addBookmark: "Bookmark",
  channelSettings: "Channel settings", closeConversation: "Close conversation", codeBlock: "Code block",
  comeBack: "Come back", copyLink: "Copy link", copyText: "Copy text", create: "Create", createAccount: "Create account",
  editProfile: "Edit profile", findEmoji: "Find an emoji", findPerson: "Find a person",
  haveAccount: "I have an account", haveInvite: "I have an invite",
  lift: "Lift", logIn: "Log in", logOut: "Log out", makeHalfOp: "Make half-operator", makeOp: "Make operator",
  muteHere: "Mute in the channel",
  newPasswordLink: "Link for a new password", pinMessage: "Pin",
  removeKey: "Remove key", removeMessage: "Remove message", renameChannel: "Rename channel", revoke: "Revoke",
  save: "Save",
  takeBack: "Take back", takeHalfOp: "Take half-operator", takeOp: "Take operator", takeVoice: "Take voice", giveVoice: "Give voice",
  unignore: "Stop ignoring", unmute: "Unmute", unmuteHere: "Unmute in the channel", unwatch: "Stop watching",
  writeTo: "Message", yes: "Yes", yourAccountMenu: "Your account",
  // Connection and login
  loginIntro: "Log in with the account that your admin or an invite gave you.", registerIntro: "The invite creates your account on this server.", inviteToken: "Invite", inviteTokenHint: "The invite link, or its token.",
  stayLoggedIn: "This tab stays logged in when you reload it. On a computer that others use, log out when you are done.", loggingIn: "Logging in…", loggedOut: "You are logged out", tokenRemedy: "Open the page again from the terminal: parlour web",
  endedRemedy: "Reload the page. If this lasts, ask the admin of the server.", waitingRemedy: "It tries again by itself. If this lasts: does the server run, and is this computer on its network?",
  // Conversations
  membersCount: { one: "{count} member", other: "{count} members" }, channelsCount: { one: "{count} channel", other: "{count} channels" }, accountsCount: { one: "{count} account", other: "{count} accounts" },
  leaveTitle: "Leave {name}?", leaveText: "You leave it on all your devices. You can join again as long as the channel is open to you.",
  switcherHint: "Conversation, #channel or @person", channelFilter: "Name or topic; a new name creates a channel", makesChannel: "Creates this channel",
  // Messages
  removeTitle: "Remove the message of {name}?", removeText: "It is removed for everybody, and erased on the server.", reasonOptional: "Reason (optional)", bookmarkAdded: "Bookmark added", bookmarkRemoved: "Bookmark removed",
  // Moderation
  inChannel: "In {name}", onServer: "On the server", kickTitle: "Kick {name} from {channel}?", kickText: "{name} may join again.", banTitle: "Ban {name} from {channel}?", banText: "{name} can no longer join or write there until the ban is lifted.",
  mutedIn: "{name} is muted in {channel}", yourStatus: "Your status here: {status}", flagInviteOnly: "Joining needs an invitation", flagModerated: "Only members with voice, and operators, may write",
  flagSecret: "Hidden from people outside", flagTopicLocked: "Only half-operators and higher set the topic", flagMembersOnly: "Only members may write", rulesByOperators: "Operators change these rules.",
  hasLimit: { one: "At most {count} member.", other: "At most {count} members." }, keyHint: "People need it to join.", keyIsSet: "A key is set", noKey: "No key", noLimit: "No limit",
  noTopic: "No topic", newName: "New name", neverBanned: "never banned", needsNoInvitation: "needs no invitation", isMuted: "muted", isBanned: "banned", noBans: "Nobody is banned or muted.",
  disconnectTitle: "Disconnect {name}?", disconnectText: "They may log in again.", newPasswordFor: "New password for {name}",
  // People and invites
  inviteIntro: "An invite link creates accounts on this server.", inviteUses: "Accounts", inviteLifetime: "Valid for", inviteChannel: "Channel", inviteAdmin: "The new accounts are admins", oneDay: "1 day", oneWeek: "1 week", oneMonth: "30 days", noneOfThem: "none",
  inviteLink: "Invite link", linkIsSecret: "The link is a secret, and it is shown this once. Give it only to the person it is for.", qrCode: "QR code of the invite link", openInvites: "Open invites", noInvites: "There are no open invites.",
  revokeTitle: "Revoke the invite?", revokeText: "Its link no longer works.", noAudit: "No admin or moderator has done anything yet.",
  // Settings
  displayNameHint: "Shown beside your messages. Others still mention you as {name}.", fullNameHint: "A line about you in your profile.", themeSystem: "As the system", themeLight: "Light", themeDark: "Dark", languageAuto: "As the browser",
  timeFormat: "Time", timeAuto: "As the language", reduceMotion: "Reduce motion", desktopNotifications: "Notify on the desktop",
  notificationsBlocked: "The browser blocks notifications. Allow them for this page in its settings.", notifyAll: "All messages", notifyMentions: "Mentions only", notifyNothing: "Nothing", inChannels: "In channels", inDirect: "In direct messages",
  doNotDisturb: "Do not disturb", quietOff: "Off", quietUntil: "Until {time}", quietForever: "Until I turn it off", oneHour: "For 1 hour", eightHours: "For 8 hours", highlightsHint: "Separated by commas; your name counts always.",
  ignoredPeople: "Ignored people", thisDevice: "(this device)", lastUsed: "Last used {time}", neverUsed: "Never used",
  revokeDeviceTitle: "Revoke the device?", revokeDeviceText: "It can no longer log in to your account.", oldPassword: "Present password", newPassword: "New password", repeatPassword: "New password again", passwordsDiffer: "The new passwords differ. Nothing was changed.", saved: "Saved",
  // Help
  helpIntro: "Everything here works with the keyboard, too.", commandsHint: "Type them as a message. The descriptions are those of the terminal client.", keySwitcher: "Go anywhere", keyNext: "Next conversation; with Shift the next unread one", keyUnread: "Next unread, mentions first",
  keyPanes: "Next pane", keyNewLine: "New line", keyComplete: "Complete a name, #channel, :emoji: or /command", keyFormat: "Bold, italic, code", keySelect: "Select a message, then:", keyScroll: "Back and forward in time", keyLatest: "To the latest; close the panel",
  keyReply: "Reply", keyReact: "React", keyThread: "Open its thread", keyCopy: "Copy its text", keyPin: "Pin, bookmark", keyTakeBack: "Take back, undo",
  // Emoji
  smileys: "Smileys", nature: "Nature", food: "Food and drink", activities: "Activities", travel: "Travel and places", objects: "Objects",
  // Texts that the model names
  "command.noChannel": "Name a channel, or open one first.", "command.onOff": "That takes on or off.", "command.whom": "Whom? Add a name.", "command.noMessage": "There is no message here for that.", "command.whichChannel": "Which channel? Add its name, such as #tea.",
  "command.whichName": "Which name? Add it.", "command.whichText": "Add a text.", "command.whichEmoji": "Add an emoji.", "command.nothingToUndo": "There is nothing to undo.", "command.whichModes": "Which modes? Such as +m, or +o bob.", "command.whichKey": "Add the key, or off.",
  "command.number": "That takes a number, or off.", "command.whichTheme": "That takes light, dark or auto.", "command.whichLevel": "That takes all, mentions, nothing or default.", "command.whichDuration": "That takes a duration such as 30m or 2h, or off.",
  "command.unknown": "There is no command /{command}. The help lists them; a message may start with two slashes.",
  "confirm.kick": "Kick {name} from {channel}?", "confirm.ban": "Ban {name} from {channel}?", "confirm.muteMember": "Mute {name} in {channel}?", "confirm.kill": "Disconnect {name}?", stats: "Statistics of the server",
  displayNamePoses: "Saved. Others see {name}, because the display name could be taken for somebody else's.",
  textTooLong: { one: "At most {count} character.", other: "At most {count} characters." },
  added: "added {time}",
  unban: "Unban",
};
