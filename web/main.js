// A plain page: it logs in over the WebSocket, shows the lines of the server and sends typed ones.

const RECONNECT_MS = 2000;

const state = document.getElementById("state");
const lines = document.getElementById("lines");
const form = document.getElementById("form");
const input = document.getElementById("line");

// The token stays in memory only: a copy of the address bar, or the browser's history, does not hold it any more.
const token = location.hash.slice(1);
history.replaceState(null, "", location.pathname);

let socket = null;

function show(line) {
  const item = document.createElement("li");
  item.textContent = line;
  lines.append(item);
  item.scrollIntoView();
}

/** Handles the lines of the login; all others are only shown. */
function receive(line, account) {
  const words = line.split(" ");
  const command = line.startsWith(":") ? words[1] : words[0];
  if (command === "PING") {
    socket.send("PONG " + words.slice(1).join(" "));
    return;
  }
  if (command === "CAP" && line.includes(" ACK ")) {
    socket.send("AUTHENTICATE EXTERNAL");
  } else if (command === "AUTHENTICATE") {
    socket.send("AUTHENTICATE " + btoa(account));
  } else if (command === "903") {
    socket.send("CAP END");
  } else if (command === "001") {
    state.textContent = `Connected as ${account}`;
  }
  show(line);
}

function connect() {
  socket = new WebSocket(`ws://${location.host}/irc`, ["text.ircv3.net"]);
  let account = null;
  let retry = true;
  socket.addEventListener("open", () => {
    state.textContent = "Connecting…";
    socket.send(JSON.stringify({ token, server: null }));
  });
  socket.addEventListener("message", ({ data }) => {
    if (account !== null) {
      receive(data, account);
      return;
    }
    const welcome = JSON.parse(data);
    if (welcome.error !== undefined) {
      state.textContent = welcome.error;
      retry = welcome.retry;
      return;
    }
    account = welcome.account;
    for (const line of ["CAP REQ :sasl server-time message-tags echo-message", `NICK ${account}`, `USER ${account} 0 * :${account}`]) {
      socket.send(line);
    }
  });
  socket.addEventListener("close", () => {
    if (account !== null) {
      state.textContent = "The connection broke; connecting again…";
    }
    if (retry) {
      setTimeout(connect, RECONNECT_MS);
    }
  });
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (socket.readyState === WebSocket.OPEN && input.value !== "") {
    socket.send(input.value);
    input.value = "";
  }
});

connect();
