// Sending: nothing is lost or doubled, whatever happens to the connection and the page.

import assert from "node:assert/strict";
import test from "node:test";

import { CAPS, Fixture, id, inTea, memoryStorage } from "../fixture.js";

/**
 * Echoes a sent line.
 * @param {Fixture} fixture
 * @param {import("../../../web/model/types.js").Message} line
 * @param {number} n
 */
function echo(fixture, line, n) {
  const label = line.tags.get("label");
  fixture.receive(fixture.message(n, line.params[1], "alice", label === undefined ? "" : `;label=${label}`));
}

test("a message is pending until its echo, and keeps its row", async () => {
  const fixture = await inTea([1]);
  fixture.store.actions.send("#tea", "hello");
  const row = fixture.store.timeline("#tea").at(1)?.row ?? "";
  assert.deepEqual(fixture.texts("#tea"), ["text 1", "hello(pending)"]);
  fixture.receive(fixture.message(2));
  assert.deepEqual(fixture.texts("#tea"), ["text 1", "text 2", "hello(pending)"]);
  echo(fixture, fixture.take("PRIVMSG"), 3);
  assert.deepEqual(fixture.texts("#tea"), ["text 1", "text 2", "hello"]);
  const timeline = fixture.store.timeline("#tea");
  assert.deepEqual([timeline.indexOfRow(row), timeline.indexOfMsgid(id(3)), timeline.at(2)?.row], [2, 2, row]);
  assert.deepEqual(fixture.storage.keys("outgoing:"), []);
});

test("a broken connection sends again, under the same id", async () => {
  const fixture = await inTea([1]);
  fixture.store.actions.send("#tea", "hello");
  const first = fixture.take("PRIVMSG").tags.get("parlour/send-id");
  fixture.disconnect();
  fixture.store.actions.send("#tea", "while offline");
  await fixture.login(":alice!u@parlour JOIN #tea");
  const again = fixture.take("PRIVMSG");
  assert.equal(again.tags.get("parlour/send-id"), first);
  echo(fixture, again, 2);
  assert.deepEqual(fixture.texts("#tea"), ["text 1", "hello", "while offline(pending)"], "shown although behind a gap");
  fixture.answer("CHATHISTORY", [fixture.message(2, "hello", "alice"), fixture.message(3)], "chathistory #tea", "AFTER");
  await fixture.settle();
  assert.deepEqual(fixture.texts("#tea"), ["text 1", "hello", "text 3", "while offline(pending)"]);
  echo(fixture, fixture.take("PRIVMSG"), 4);
  assert.deepEqual(fixture.texts("#tea"), ["text 1", "hello", "text 3", "while offline"]);
});

test("the history may have a message before its echo", async () => {
  const fixture = await inTea([1]);
  fixture.store.actions.send("#tea", "hello");
  const line = fixture.take("PRIVMSG");
  fixture.receive(fixture.message(2, "hello", "alice"));
  echo(fixture, line, 2);
  assert.deepEqual(fixture.texts("#tea"), ["text 1", "hello"]);
});

test("a page that is closed sends what was not confirmed with its next run", async () => {
  const fixture = await inTea([1]);
  for (let n = 0; n < 11; n += 1) fixture.store.actions.send("#tea", `text ${n}`);
  fixture.store.actions.send("NickServ", "IDENTIFY alice secret");
  assert.ok(!JSON.stringify(fixture.storage.keys("").map(fixture.storage.get)).includes("secret"));
  assert.equal(fixture.texts("NickServ")[0], "IDENTIFY ••••(pending)");
  const next = new Fixture({ storage: fixture.storage, runId: "next" });
  await next.login(":alice!u@parlour JOIN #tea");
  const sent = next.sent.filter((line) => line.command === "PRIVMSG");
  assert.deepEqual(sent.map((line) => line.params[1]), Array.from({ length: 11 }, (_, n) => `text ${n}`));
  assert.equal(sent[0]?.tags.get("parlour/send-id"), "run-1");
});

test("a refusal fails the message, which can be sent again or dropped", async () => {
  const fixture = await inTea([1]);
  fixture.store.actions.send("#tea", "hello");
  const label = fixture.take("PRIVMSG").tags.get("label");
  fixture.receive(`@label=${label} :srv 404 alice #tea :Cannot send to channel (+m): voice required`);
  const entry = fixture.store.timeline("#tea").at(1);
  assert.deepEqual([entry?.status, entry?.reason], ["failed", "Cannot send to channel (+m): voice required"]);
  fixture.receive(fixture.message(2));
  assert.deepEqual(fixture.texts("#tea"), ["text 1", "text 2", "hello(failed)"]);
  assert.equal(fixture.store.conversation("#tea")?.failed, 1);
  fixture.store.actions.resend("#tea", entry?.row ?? "");
  assert.deepEqual(fixture.texts("#tea"), ["text 1", "text 2", "hello(pending)"]);
  assert.deepEqual(fixture.store.notices(), []);
});

test("several lines are one message, and long lines are continued", async () => {
  const fixture = await inTea([1]);
  const long = "word ".repeat(3000).trimEnd();
  fixture.store.actions.send("#tea", `one\n\n${long}`, id(1));
  const start = fixture.take("BATCH");
  assert.deepEqual(start.params.slice(1), ["draft/multiline", "#tea"]);
  assert.equal(start.tags.get("+draft/reply"), id(1));
  const parts = fixture.sent.filter((line) => line.tags.get("batch") === start.params[0]?.slice(1));
  const text = parts.map((line, n) => (n > 0 && !line.tags.has("draft/multiline-concat") ? "\n" : "") + line.params[1]).join("");
  assert.equal(text, `one\n\n${long}`);
  assert.ok(parts.every((line) => (line.params[1] ?? "").length <= 8192 - 256));
  // The echo is a batch, too.
  fixture.receive(`@label=${start.tags.get("label")};msgid=${id(2)};time=2026-11-29T12:00:00.000Z :alice!u@parlour BATCH +e draft/multiline #tea`);
  for (const line of ["one", "", "three"]) fixture.receive(`@batch=e :alice!u@parlour PRIVMSG #tea :${line}`);
  fixture.receive(":alice!u@parlour BATCH -e");
  assert.deepEqual(fixture.texts("#tea"), ["text 1", `one\n\n${long}`]);
  assert.equal(fixture.store.timeline("#tea").at(1)?.status, "sent");
});

test("without send ids nothing is sent twice", async () => {
  const caps = new Set(CAPS);
  caps.delete("parlour/send-id");
  const fixture = new Fixture({ caps, storage: memoryStorage() });
  await fixture.login(":alice!u@parlour JOIN #tea");
  fixture.store.actions.send("#tea", "hello");
  fixture.disconnect();
  await fixture.login(":alice!u@parlour JOIN #tea");
  assert.equal(fixture.sent.filter((line) => line.command === "PRIVMSG").length, 0);
  assert.deepEqual(fixture.texts("#tea"), ["hello(failed)"]);
});

test("what is taken back can be undone for ten seconds", async () => {
  const fixture = await inTea([1]);
  const own = fixture.message(2, "oops", "alice");
  fixture.receive(own, fixture.message(3, "stays", "alice"));
  fixture.store.actions.redact("#tea", id(2));
  fixture.store.actions.redact("#tea", id(3));
  assert.equal(fixture.store.heldRedactions().length, 2);
  assert.equal(fixture.store.timeline("#tea").at(1)?.heldUntil, fixture.now + 10_000);
  fixture.store.actions.undoRedact("#tea", id(3));
  await fixture.pass(10_000);
  assert.deepEqual(fixture.sent.filter((line) => line.command === "REDACT").map((line) => line.params), [["#tea", id(2)]]);
  fixture.receive(`:alice!u@parlour REDACT #tea ${id(2)} :`);
  assert.deepEqual(fixture.texts("#tea"), ["text 1", "(gone)", "stays"]);
});

test("a redaction without a connection is sent with the next one, also of the next page", async () => {
  const fixture = await inTea([1]);
  fixture.receive(fixture.message(2, "oops", "alice"));
  fixture.disconnect();
  fixture.store.actions.redact("#tea", id(2));
  await fixture.pass(20_000);
  const next = new Fixture({ storage: fixture.storage });
  await next.login(":alice!u@parlour JOIN #tea");
  assert.deepEqual(next.take("REDACT").params, ["#tea", id(2)]);
});

test("a message that is sent again and older than the first page comes with its own page", async () => {
  const fixture = new Fixture();
  await fixture.login(":alice!u@parlour JOIN #tea");
  fixture.store.actions.send("#tea", "early");
  fixture.disconnect();
  await fixture.login(":alice!u@parlour JOIN #tea");
  echo(fixture, fixture.take("PRIVMSG"), 1);
  assert.deepEqual(fixture.texts("#tea"), ["early"]);
  fixture.answer("CHATHISTORY", Array.from({ length: 200 }, (_, n) => fixture.message(300 + n)), "chathistory #tea", "#tea");
  await fixture.settle();
  assert.equal(fixture.texts("#tea")[0], "text 300");
  fixture.store.actions.loadOlder("#tea");
  fixture.answer("CHATHISTORY", [fixture.message(1, "early", "alice"), fixture.message(2)], "chathistory #tea", "BEFORE");
  await fixture.settle();
  assert.deepEqual(fixture.texts("#tea").slice(0, 3), ["early", "text 2", "text 300"]);
});

test("a long paste becomes as few messages as the limits allow, after a question if they are many", async () => {
  const fixture = await inTea([1]);
  const lines = (/** @type {number} */ count) => Array.from({ length: count }, (_, n) => (n % 25 === 24 ? "" : `line ${n} of the log`));
  const paste = lines(150).join("\n");
  assert.deepEqual(await fixture.store.actions.submit("#tea", `\n${paste}\n\n`, null), { type: "sent" });
  const pending = () => fixture.texts("#tea").slice(1).map((text) => text.replace("(pending)", ""));
  // The empty line between the two belongs to neither.
  assert.deepEqual(pending(), [lines(150).slice(0, 99).join("\n"), lines(150).slice(100, 149).join("\n")]);
  for (const text of pending()) assert.ok(text.split("\n").length <= 100);

  const long = await inTea([1]);
  const letters = "word ".repeat(3600).trimEnd();
  assert.deepEqual(await long.store.actions.submit("#tea", letters, null), { type: "sent" });
  const sent = long.texts("#tea").slice(1).map((text) => text.replace("(pending)", ""));
  assert.equal(sent.length, 2);
  assert.equal(sent.join(""), letters);

  const many = await inTea([1]);
  const result = await many.store.actions.submit("#tea", lines(600).join("\n"), null);
  assert.equal(result.type === "confirm" && result.values.count, "6");
  assert.equal(many.texts("#tea").length, 1, "nothing is sent before the answer");
  if (result.type === "confirm") assert.deepEqual(await result.confirm(), { type: "sent" });
  assert.equal(many.texts("#tea").length, 7);
  assert.deepEqual(await many.store.actions.submit("#tea", lines(1200).join("\n"), null), { type: "invalid", key: "command.tooLong" });
});
