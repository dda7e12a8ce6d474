/** French texts. @type {typeof import("./en.js").default} */
const texts = {
  admin: "admin", away: "absent", bot: "bot", channels: "Salons", composer: "Écrire un message", conversation: "Conversation", conversations: "Conversations",
  directMessages: "Messages directs", draft: "brouillon", emoji: "Émojis", founders: "Fondateurs", halfOperators: "Demi-opérateurs", members: "Membres", mentions: "Mentions",
  menu: "Menu", messages: "Messages", muted: "en sourdine", offline: "hors ligne", online: "en ligne", operators: "Opérateurs", pins: "Messages épinglés", settings: "Paramètres",
  voices: "Avec voix", you: "(vous)", back: "Retour", backToList: "Retour à la liste", browseChannels: "Parcourir les salons", cancelReply: "Annuler la réponse", close: "Fermer",
  conversationMenu: "Menu de la conversation", filterMembers: "Filtrer les membres", format: "Mise en forme", goTo: "Aller à…", join: "Rejoindre",
  newDirect: "Nouveau message direct", search: "Rechercher", send: "Envoyer", setTopicAction: "Définir un sujet", skipToMessages: "Aller au champ de message",
  toLatest: "Au plus récent", toUnread: "Au premier non lu", tryAgain: "Réessayer", noChannels: "Aucun : + montre les salons", noDirect: "Aucun : + écrit à quelqu’un",
  onlineOf: "{online} sur {count} en ligne", unreadCount: { one: "{count} message non lu", other: "{count} messages non lus" }, mentionCount: { one: "{count} mention", other: "{count} mentions" },
  failedCount: { one: "{count} message non envoyé", other: "{count} messages non envoyés" }, yourAccount: "Votre compte : {name}, {status}",
  typing: { one: "{names} écrit…", other: "{names} écrivent…" }, severalTyping: "Plusieurs personnes écrivent…", notMember: "Vous n’êtes pas dans ce salon.",
  needsVoice: "Pour écrire ici, il faut la voix, qu’un opérateur donne.", messageTo: "Message à {name}", replyingTo: "Réponse à {name}", newMessages: "Nouveaux messages",
  messageOf: "{name}, {time}", loadingOlder: "Chargement des messages plus anciens…", notLoaded: "Les messages plus anciens n’ont pas pu être chargés.",
  nobodyFound: "Personne trouvé.",
};

export default texts;
