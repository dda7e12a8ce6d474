// A store with people, channels and messages of every kind, without a server. For tests and pictures of the views.

import { Fixture, id } from "./fixture.js";

/**
 * Returns the fixture of a logged-in account with some conversations. Its `store` is what views take.
 * @param {{ messages?: number }} [options] Count of the messages in #tea.
 */
export async function demo({ messages = 60 } = {}) {
  const fixture = new Fixture();
  fixture.now = Date.now();
  fixture.givesTokens = true;
  await fixture.login(
    ":alice!alice@parlour JOIN #tea", ":srv 332 alice #tea :Tea, biscuits and *everything* else: https://example.org/tea",
    ":alice!alice@parlour JOIN #builds", ":alice!alice@parlour JOIN #بيت",
    ":srv 221 alice +o",
    ":srv METADATA bob display-name * :Bob Builder", ":srv METADATA carol display-name * :花子",
  );
  const { store } = fixture;
  store.actions.open("#tea");
  const names = ["bob", "carol", "dave"];
  const lines = Array.from({ length: messages }, (_, n) =>
    fixture.message(n + 1, n % 7 === 3 ? `alice: can you look at \`part ${n}\`, please? *Thanks* 🙂` : `message ${n} of the demonstration`, names[n % 3]));
  for (let from = Math.max(lines.length - 200, 0), to = lines.length; ; ) {
    fixture.answer("CHATHISTORY", lines.slice(from, to), "chathistory #tea", "#tea");
    await fixture.settle();
    if (from === 0) break;
    store.actions.loadOlder("#tea");
    [from, to] = [Math.max(from - 200, 0), from];
  }
  const at = messages + 10;
  fixture.receive(
    ":srv 353 alice = #tea :~alice @bob +carol dave erin", ":srv 366 alice #tea :End",
    ":srv 354 alice 2 #tea gina D+", ":srv 354 alice 2 #tea hugo D",
    `@time=${new Date(fixture.now).toISOString()} :frank!f@parlour JOIN #tea`,
    fixture.message(at, "```js\nconst tea = pot.pour();\n```", "bob"),
    fixture.message(at + 1, "I take mine without sugar", "carol", `;+draft/reply=${id(at)}`),
    fixture.message(at + 2, "so do I", "alice", `;+draft/reply=${id(at + 1)}`),
    fixture.message(at + 3, "this goes", "dave"),
    `:dave!d@parlour REDACT #tea ${id(at + 3)} :wrong channel`,
    `@+draft/react=👍;+draft/reply=${id(at)} :carol!c@parlour TAGMSG #tea`,
    `@+draft/react=👍;+draft/reply=${id(at)} :alice!a@parlour TAGMSG #tea`,
    `@+draft/react=🎉;+draft/reply=${id(at)} :dave!d@parlour TAGMSG #tea`,
    ":carol!c@parlour AWAY :at lunch",
    ":bob!b@parlour PRIVMSG alice :hello there, a direct message",
    "@+typing=active :carol!c@parlour TAGMSG #tea",
  );
  for (let n = 0; n < 3; n += 1) {
    if (!fixture.sent.some((line) => line.command === "CHATHISTORY" && line.params[0] === "LATEST")) break;
    fixture.answer("CHATHISTORY", [], "chathistory x", "LATEST");
    await fixture.settle();
  }
  store.actions.send("#tea", "this one is on its way");
  store.actions.send("#builds", "this one failed");
  const { tags } = fixture.take("PRIVMSG", "#builds");
  fixture.receive(`@label=${tags.get("label")} :srv 404 alice #builds :Cannot send to channel (+m): voice required`);
  store.actions.open("#tea");
  await fixture.settle();
  return fixture;
}

export async function demoStore() {
  return (await demo()).store;
}
