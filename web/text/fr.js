/** French texts. @type {typeof import("./en.js").default} */
const texts = {
  admin: "admin", away: "absent", bot: "bot", channels: "Salons", composer: "Écrire un message", conversation: "Conversation", conversations: "Conversations",
  directMessages: "Messages directs", draft: "brouillon", emoji: "Émojis", founders: "Fondateurs", halfOperators: "Demi-opérateurs", members: "Membres", mentions: "Mentions",
  menu: "Menu", messages: "Messages", muted: "en sourdine", offline: "hors ligne", online: "en ligne", operators: "Opérateurs", pins: "Messages épinglés", settings: "Paramètres",
  voices: "Avec voix", you: "(vous)", back: "Retour", backToList: "Retour à la liste", browseChannels: "Parcourir les salons", close: "Fermer",
  conversationMenu: "Menu de la conversation", filterMembers: "Filtrer les membres", format: "Mise en forme", goTo: "Aller à…", newDirect: "Nouveau message direct",
  search: "Rechercher", send: "Envoyer", setTopicAction: "Définir un sujet", skipToMessages: "Aller au champ de message", tryAgain: "Réessayer",
  noChannels: "Aucun : + montre les salons", noDirect: "Aucun : + écrit à quelqu’un", onlineOf: "{online} sur {count} en ligne",
  unreadCount: { one: "{count} message non lu", other: "{count} messages non lus" }, mentionCount: { one: "{count} mention", other: "{count} mentions" },
  failedCount: { one: "{count} message non envoyé", other: "{count} messages non envoyés" }, yourAccount: "Votre compte : {name}, {status}", messageTo: "Message à {name}",
  newMessages: "Nouveaux messages", messageOf: "{name}, {time}", loadingOlder: "Chargement des messages plus anciens…",
  notLoaded: "Les messages plus anciens n’ont pas pu être chargés.", nobodyFound: "Personne trouvé.",
};

export default texts;
