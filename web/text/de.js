/** German texts. @type {typeof import("./en.js").default} */
const texts = {
  admin: "Admin", away: "abwesend", bot: "Bot", channels: "Kanäle", composer: "Nachricht schreiben", conversation: "Unterhaltung", conversations: "Unterhaltungen",
  directMessages: "Direktnachrichten", draft: "Entwurf", emoji: "Emoji", founders: "Gründer", halfOperators: "Halb-Operatoren", members: "Mitglieder", mentions: "Erwähnungen",
  menu: "Menü", messages: "Nachrichten", muted: "stummgeschaltet", offline: "offline", online: "online", operators: "Operatoren", pins: "Angeheftete Nachrichten",
  settings: "Einstellungen", voices: "Mit Stimme", you: "(du)", back: "Zurück", backToList: "Zurück zur Liste", browseChannels: "Kanäle durchsehen", close: "Schließen",
  conversationMenu: "Menü der Unterhaltung", filterMembers: "Mitglieder filtern", format: "Format", goTo: "Gehe zu…", newDirect: "Neue Direktnachricht", search: "Suchen",
  send: "Senden", setTopicAction: "Thema setzen", skipToMessages: "Zum Nachrichtenfeld", tryAgain: "Noch einmal versuchen", noChannels: "Noch keine: + zeigt die Kanäle",
  noDirect: "Noch keine: + schreibt jemandem", onlineOf: "{online} von {count} online",
  unreadCount: { one: "{count} ungelesene Nachricht", other: "{count} ungelesene Nachrichten" }, mentionCount: { one: "{count} Erwähnung", other: "{count} Erwähnungen" },
  failedCount: { one: "{count} Nachricht nicht gesendet", other: "{count} Nachrichten nicht gesendet" }, yourAccount: "Dein Konto: {name}, {status}",
  messageTo: "Nachricht an {name}", newMessages: "Neue Nachrichten", messageOf: "{name}, {time}", loadingOlder: "Lade ältere Nachrichten…",
  notLoaded: "Ältere Nachrichten konnten nicht geladen werden.", nobodyFound: "Niemand gefunden.",
};

export default texts;
