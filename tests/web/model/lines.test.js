// What lines change: channels, people, unread counts, notices.

import assert from "node:assert/strict";
import test from "node:test";

import { profile } from "../../../web/model/actions/queries.js";
import { Fixture, id, inTea, memoryStorage } from "../fixture.js";

test("members come, go and change their status", async () => {
  const fixture = await inTea([1]);
  const names = () => fixture.store.members("#tea").map((member) => member.prefix + member.name);
  fixture.receive(":srv 353 alice = #tea :~@alice %bob carol!c@h", ":srv 353 alice = #tea :+dave", ":srv 366 alice #tea :End");
  assert.deepEqual(names(), ["~alice", "%bob", "+dave", "carol"]);
  fixture.receive(
    ":erin!e@p JOIN #tea", ":carol!c@p PART #tea :bye", ":dave!d@p QUIT :gone",
    ":alice!a@p MODE #tea +mo-h erin bob", ":alice!a@p KICK #tea bob :out",
  );
  assert.deepEqual(names(), ["~alice", "@erin", "+dave"]);
  assert.deepEqual(fixture.texts("#tea").slice(1), ["*join", "*part", "*quit", "*mode", "*kick"]);
  assert.equal(fixture.store.channel("#tea")?.modes, "m");
  assert.equal(fixture.store.presence("dave"), "offline");
});

test("members that are offline stand behind the others, and come back in their place", async () => {
  const fixture = await inTea([1]);
  const members = () => fixture.store.members("#tea").map(({ prefix, name, presence }) => `${prefix}${name} ${presence}`);
  fixture.receive(":srv 353 alice = #tea :~alice bob", ":srv 366 alice #tea :End");
  fixture.answer("NAMES", []);
  await fixture.settle();
  fixture.answer("WHO", [
    ":srv 354 alice 2 #tea alice H~", ":srv 354 alice 2 #tea bob GB", ":srv 354 alice 2 #tea carol D@", ":srv 354 alice 2 #tea dave D*",
    ":srv 354 alice 1 erin D", ":srv 315 alice #tea :End",
  ]);
  assert.deepEqual(members(), ["~alice online", "bob away", "@carol offline", "dave offline"]);
  fixture.receive(":dave!d@p JOIN #tea", ":bob!b@p QUIT :", ":alice!a@p MODE #tea -o+v carol dave");
  assert.deepEqual(members(), ["~alice online", "+dave online", "bob offline", "carol offline"]);
  fixture.receive(":srv 353 alice = #tea :~alice +dave", ":srv 366 alice #tea :End", ":alice!a@p KICK #tea carol");
  assert.deepEqual(members(), ["~alice online", "+dave online", "bob offline"]);
  // A new connection asks again.
  fixture.disconnect();
  await fixture.login(":alice!u@p JOIN #tea");
  assert.deepEqual(members(), []);
});

test("rights follow member status, modes and role", async () => {
  const fixture = await inTea([1]);
  const may = () => fixture.store.channel("#tea")?.may;
  fixture.receive(":srv 353 alice = #tea :alice ~bob", ":srv 366 alice #tea :End", ":srv 324 alice #tea +mtilk 5 x");
  assert.deepEqual(may(), { speak: false, topic: false, moderate: false, operate: false, rename: false, invite: false });
  const { limit, hasKey } = fixture.store.channel("#tea") ?? {};
  assert.deepEqual([limit, hasKey], [5, true]);
  fixture.receive(":bob!b@p MODE #tea +h alice");
  assert.deepEqual(may(), { speak: true, topic: true, moderate: true, operate: false, rename: false, invite: true });
  fixture.receive(":srv 221 alice +o");
  assert.equal(may()?.rename && fixture.store.session().isAdmin, true);
});

test("unread messages and mentions are counted up to the read marker", async () => {
  const fixture = await inTea([1, 2]);
  fixture.model.setFocused(false);
  const item = () => fixture.store.conversation("#tea");
  assert.equal(item()?.unread, 2);
  fixture.store.actions.markRead("#tea");
  await fixture.pass(2000);
  assert.match(fixture.take("MARKREAD").params[1] ?? "", /^timestamp=2026-/);
  fixture.receive(fixture.message(3, "hi Alice!"), fixture.message(4, "alicette?"), fixture.message(5, "mine", "alice"));
  assert.deepEqual([item()?.unread, item()?.mentions], [2, 1]);
  assert.deepEqual(fixture.alerts.map((alert) => alert.entry.text), ["hi Alice!"]);
  assert.deepEqual(fixture.store.mentions().map((one) => one.text), ["hi Alice!"]);
  fixture.receive(`MARKREAD #tea timestamp=${new Date(fixture.now).toISOString()}`);
  assert.equal(item()?.unread, 0);
  fixture.receive(`:bob!u@p REDACT #tea ${id(3)} :`);
  assert.deepEqual(fixture.store.mentions(), []);
});

test("the line above new messages stays where the reader left off", async () => {
  const fixture = await inTea([1, 2]);
  const newText = () => {
    const timeline = fixture.store.timeline("#tea");
    return timeline.newRow === null ? null : timeline.at(timeline.indexOfRow(timeline.newRow))?.text;
  };
  assert.equal(newText(), "text 1");
  fixture.store.actions.markRead("#tea");
  assert.equal(newText(), "text 1");
  fixture.store.actions.open(null);
  fixture.receive(fixture.message(3), fixture.message(4));
  fixture.store.actions.open("#tea");
  assert.equal(newText(), "text 3");
  fixture.store.actions.markRead("#tea");
  fixture.store.actions.setFocused(false);
  fixture.receive(fixture.message(5));
  assert.equal(newText(), "text 5");
  fixture.store.actions.send("#tea", "seen");
  assert.equal(newText(), null);
});

test("direct messages open a conversation, those of ignored accounts do not", async () => {
  const fixture = await inTea([1]);
  fixture.receive(":srv METADATA mallory soju.im/blocked * :1");
  fixture.receive(":mallory!m@p PRIVMSG alice :psst", ":carol!c@p PRIVMSG alice :hello", ":mallory!m@p PRIVMSG #tea :alice!");
  assert.deepEqual(fixture.store.conversations().map((item) => item.name), ["#tea", "carol"]);
  assert.equal(fixture.store.timeline("#tea").at(1)?.isIgnored, true);
  assert.equal(fixture.store.conversation("#tea")?.mentions, 0);
  assert.equal(fixture.alerts.length, 1);
  fixture.store.actions.ignore("mallory", false);
  assert.equal(fixture.store.timeline("#tea").at(1)?.isIgnored, false);
  assert.equal(fixture.store.conversation("#tea")?.mentions, 1);
});

test("reactions are toggled, whichever form of the emoji others use", async () => {
  const fixture = await inTea([1]);
  const react = (/** @type {string} */ who, /** @type {string} */ emoji, on = true) =>
    fixture.receive(`@+draft/${on ? "" : "un"}react=${emoji};+draft/reply=${id(1)} :${who}!u@p TAGMSG #tea`);
  const reactions = () => fixture.store.timeline("#tea").at(0)?.reactions;
  react("bob", "❤\ufe0f");
  react("alice", "❤");
  react("alice", "❤");
  assert.deepEqual(reactions(), [{ emoji: "❤\ufe0f", from: ["bob", "alice"], mine: true, own: "❤" }]);
  fixture.store.actions.react("#tea", id(1), "❤\ufe0f");
  assert.equal(fixture.take("TAGMSG").tags.get("+draft/unreact"), "❤");
  react("alice", "❤", false);
  react("bob", "❤", false);
  assert.equal(reactions(), null);
  // Before its message is loaded.
  fixture.receive(`@+draft/react=🎉;+draft/reply=${id(7)} :bob!u@p TAGMSG #tea`, fixture.message(7));
  assert.equal(fixture.store.timeline("#tea").at(1)?.reactions?.[0]?.emoji, "🎉");
});

test("a channel that is renamed keeps its messages", async () => {
  const fixture = await inTea([1]);
  fixture.receive(":bob!b@p RENAME #tea #coffee :");
  assert.deepEqual(fixture.texts("#coffee"), ["text 1", "*rename"]);
  assert.equal(fixture.store.current()?.name, "#coffee");
  assert.equal(fixture.store.conversation("#tea"), null);
});

test("a display name that may be taken for somebody else does not stand alone", async () => {
  const fixture = await inTea([1]);
  const trusted = (/** @type {string} */ value) => {
    fixture.receive(`:srv METADATA mallory display-name * :${value}`);
    return fixture.store.trustedName("mallory");
  };
  for (const value of ["bob", "Bob", "bоb", "NickServ", "Ann (ann)", "<ann>", "ann|", "b\u200bob", "ｂｏｂ", "Ann Lее", "аппа", "ΒΟΒ", "ɑnn Lee", "✓ Mallory", "βοβ Смит"]) assert.equal(trusted(value), null, value);
  for (const value of ["Mallory", "Mal Ory", "花子", "Ирина", "Анна Петрова", "Ελένη Νίκου", "Łukasz Øster", "Zoë 花子", "Zoë B."]) assert.equal(trusted(value), value);
  fixture.receive(":srv METADATA ann display-name * :Zoë B.");
  assert.deepEqual([fixture.store.trustedName("mallory"), fixture.store.trustedName("ann")], [null, null]);
  fixture.receive(":srv 766 alice mallory display-name :not set");
  assert.equal(fixture.store.trustedName("ann"), "Zoë B.");
});

test("a name that poses is nowhere: not in lists, items or profiles", async () => {
  const fixture = await inTea([1]);
  fixture.receive(":srv 353 alice = #tea :~alice ben cleo", ":srv 366 alice #tea :End", ":ben!u@p PRIVMSG alice :hello");
  const seen = async () => {
    const asked = profile(fixture.model, "ben");
    fixture.answer("WHOIS", [":srv 311 alice ben ben parlour * :ben", ":srv 318 alice ben :End"]);
    fixture.answer("WHOWAS", [":srv 406 alice ben :There was no such nickname", ":srv 369 alice ben :End"]);
    const member = fixture.store.members("#tea").find(({ name }) => name === "ben");
    return [fixture.store.trustedName("ben"), member?.displayName, fixture.store.conversation("ben")?.displayName, (await asked).displayName];
  };
  for (const pose of ["cleo", "Ada", "Home", "ada (admin)", "✓ ada", "аdа"]) {
    fixture.receive(`:srv METADATA ben display-name * :${pose}`);
    assert.deepEqual(await seen(), [null, null, null, null], pose);
  }
  fixture.receive(":srv METADATA ben display-name * :Ben of the Hill");
  assert.deepEqual(await seen(), ["Ben of the Hill", "Ben of the Hill", "Ben of the Hill", "Ben of the Hill"]);
  // Another of the same look takes the name from both.
  fixture.receive(":srv METADATA cleo display-name * :BEN 0F THE HlLL");
  assert.deepEqual(await seen(), [null, null, null, null]);
});

test("typing ends by itself, with the message and with a leave", async () => {
  const fixture = await inTea([1]);
  const typing = () => fixture.store.typing("#tea");
  fixture.receive("@+typing=active :bob!b@p TAGMSG #tea", "@+typing=active :carol!c@p TAGMSG #tea", "@+typing=paused :dave!d@p TAGMSG #tea");
  assert.deepEqual(typing(), ["bob", "carol", "dave"]);
  fixture.receive(fixture.message(2), ":srv 353 alice = #tea :carol", ":srv 366 alice #tea :End", ":carol!c@p QUIT :");
  assert.deepEqual(typing(), ["dave"]);
  await fixture.pass(30_000);
  assert.deepEqual(typing(), []);
  fixture.store.actions.typing("#tea", "active");
  fixture.store.actions.typing("#tea", "active");
  fixture.store.actions.typing("#tea", "done");
  const sent = fixture.sent.filter((line) => line.command === "TAGMSG").map((line) => line.tags.get("+typing"));
  assert.deepEqual(sent, ["active", "done"]);
});

test("a channel that another session left is no longer joined after a reconnection", async () => {
  const fixture = await inTea([1]);
  fixture.disconnect();
  await fixture.login();
  assert.deepEqual([fixture.store.conversation("#tea")?.joined, fixture.store.channel("#tea")], [false, null]);
  await assert.rejects(fixture.store.actions.jumpTo("#tea", id(77)), { code: "442" });
});

test("errors, invitations and the message of the day are shown once, replies to requests are not", async () => {
  const fixture = new Fixture();
  await fixture.login(":srv 375 alice :- Message", ":srv 372 alice :- Welcome", ":srv 376 alice :End", ":alice!u@p JOIN #tea");
  fixture.receive(":srv 482 alice #tea :Not an operator", ":bob!b@p INVITE alice #builds", "@label=q :srv 461 alice MONITOR :no");
  const join = fixture.store.actions.join("#secret");
  fixture.answer("JOIN", [":srv 473 alice #secret :Cannot join channel (+i)"]);
  await assert.rejects(join, { code: "473", text: "Cannot join channel (+i)" });
  const shown = fixture.store.notices().map((notice) => notice.message?.key ?? notice.text);
  assert.deepEqual(shown, ["Welcome", "#tea: Not an operator", "notice.invited"]);
  fixture.disconnect();
  await assert.rejects(fixture.store.actions.join("#x"), { code: "offline" });
  await fixture.login(":srv 375 alice :- Message", ":srv 372 alice :- Welcome", ":srv 376 alice :End");
  assert.equal(fixture.store.notices().length, 3);
});

test("subscribers are told once a task what changed", async () => {
  const fixture = await inTea([1]);
  /** @type {Set<string>[]} */
  const told = [];
  const end = fixture.store.subscribe((topics) => told.push(topics));
  fixture.receive(fixture.message(2), fixture.message(3));
  await fixture.settle();
  assert.equal(told.length, 1);
  assert.ok(told[0]?.has("timeline:#tea") && told[0]?.has("conversations"));
  end();
  fixture.receive(fixture.message(4));
  await fixture.settle();
  assert.equal(told.length, 1);
});

test("what was stored by another version or by hand harms nothing", async () => {
  const { storage } = await inTea([]);
  for (const key of ["settings", "watched", "held:x", "outgoing:x", "draft:#tea", "current"]) storage.set(key, "{broken");
  const fixture = new Fixture({ storage });
  await fixture.login(":alice!u@p JOIN #tea");
  assert.equal(fixture.store.settings().theme, "system");
  for (const key of ["settings", "watched", "held:x", "outgoing:x", "draft:#tea"]) storage.set(key, '{"account":"alice","theme":5,"levels":null,"names":7,"highlights":[1]}');
  const other = new Fixture({ storage });
  await other.login(":alice!u@p JOIN #tea");
  assert.deepEqual([other.store.settings().theme, other.store.settings().highlights], ["system", []]);
});

test("hostile lines change nothing and throw nothing", async () => {
  const fixture = await inTea([1]);
  for (const command of ["PRIVMSG", "JOIN", "PART", "KICK", "QUIT", "MODE", "TOPIC", "RENAME", "INVITE", "AWAY", "MARKREAD", "METADATA", "BATCH", "REDACT", "TAGMSG", "FAIL", "NOTE", "CAP", "ACK", "ERROR", "005", "221", "301", "324", "332", "333", "354", "353", "366", "710", "730", "761", "766", "774", "999"]) {
    for (const params of ["", " x", " #tea", " #nowhere x y", " alice #tea", " #tea +qaohvbklimn", " #tea +o", " - -", " + +"]) {
      for (const source of ["", ":srv ", ":bob!b@p "]) fixture.receive(`${source}${command}${params}`);
    }
  }
  fixture.receive("@batch=none;time=never;msgid= :bob!b@p PRIVMSG #tea :odd", "BATCH -none", "\x00", "@ ");
  assert.ok(fixture.texts("#tea").includes("odd"));
});

test("the page begins with the conversation of its address, then with that of the last visit", async () => {
  const joins = [":alice!u@parlour JOIN #history", ":alice!u@parlour JOIN #tea"];
  const first = new Fixture();
  await first.login(...joins);
  assert.equal(first.store.current()?.name, "#history");
  first.store.actions.open("#tea");
  const again = new Fixture({ storage: first.storage });
  assert.equal(again.store.session().isReady, false);
  await again.login(...joins);
  assert.equal(again.store.session().isReady, true);
  assert.equal(again.store.current()?.name, "#tea");
  for (const name of ["#history", "bob"]) {
    const addressed = new Fixture({ storage: first.storage });
    addressed.wanted = name;
    await addressed.login(...joins);
    assert.equal(addressed.store.current()?.name, name);
  }
  // A link must not make one join.
  const stranger = new Fixture();
  stranger.wanted = "#elsewhere";
  await stranger.login(...joins);
  assert.equal(stranger.store.current()?.joined, false);
  assert.ok(!stranger.sent.some((line) => line.command === "JOIN"));
});

test("each tab keeps its own draft over a reload, and a new one takes over the last", async () => {
  const storage = memoryStorage();
  const open = async (/** @type {string} */ tab, age = 0) => {
    const fixture = new Fixture({ storage, tab, now: Date.UTC(2026, 10, 29, 12) + age });
    await fixture.login(":alice!u@parlour JOIN #tea");
    return fixture;
  };
  const [one, other] = [await open("one"), await open("two")];
  one.store.actions.setDraft("#tea", "in tab one", null);
  other.store.actions.setDraft("#tea", "in tab two", null);
  assert.equal((await open("one")).store.draft("#tea").text, "in tab one");
  assert.equal((await open("three")).store.draft("#tea").text, "in tab two");
  // Those of tabs that were closed do not stay for ever.
  await open("four", 8 * 24 * 3_600_000);
  assert.deepEqual(storage.keys("draft:"), ["draft:#tea"]);
  assert.equal((await open("two")).store.draft("#tea").text, "in tab two");
  const last = await open("two");
  last.store.actions.setDraft("#tea", "", null);
  assert.deepEqual(storage.keys("draft:"), []);
});
