/** Spanish texts. @type {typeof import("./en.js").default} */
const texts = {
  admin: "admin", away: "ausente", bot: "bot", channels: "Canales", composer: "Escribir un mensaje", conversation: "Conversación", conversations: "Conversaciones",
  directMessages: "Mensajes directos", draft: "borrador", emoji: "Emojis", founders: "Fundadores", halfOperators: "Semioperadores", members: "Miembros", mentions: "Menciones",
  menu: "Menú", messages: "Mensajes", muted: "silenciado", offline: "desconectado", online: "en línea", operators: "Operadores", pins: "Mensajes fijados", settings: "Ajustes",
  voices: "Con voz", you: "(tú)", back: "Atrás", backToList: "Volver a la lista", browseChannels: "Explorar canales", close: "Cerrar", conversationMenu: "Menú de la conversación",
  filterMembers: "Filtrar miembros", format: "Formato", goTo: "Ir a…", newDirect: "Nuevo mensaje directo", search: "Buscar", send: "Enviar", setTopicAction: "Poner un asunto",
  skipToMessages: "Ir al campo de mensaje", tryAgain: "Reintentar", noChannels: "Ninguno: + muestra los canales", noDirect: "Ninguno: + escribe a alguien",
  onlineOf: "{online} de {count} en línea", unreadCount: { one: "{count} mensaje sin leer", other: "{count} mensajes sin leer" },
  mentionCount: { one: "{count} mención", other: "{count} menciones" }, failedCount: { one: "{count} mensaje no enviado", other: "{count} mensajes no enviados" },
  yourAccount: "Tu cuenta: {name}, {status}", messageTo: "Mensaje para {name}", newMessages: "Mensajes nuevos", messageOf: "{name}, {time}",
  loadingOlder: "Cargando mensajes anteriores…", notLoaded: "No se pudieron cargar los mensajes anteriores.", nobodyFound: "Nadie encontrado.",
};

export default texts;
