// Timelines: order, gaps, pages, jumps, limits.

import assert from "node:assert/strict";
import test from "node:test";

import { Fixture, id, inTea } from "../fixture.js";

test("the latest page is loaded, and live messages follow", async () => {
  const fixture = await inTea([1, 2, 3]);
  fixture.receive(fixture.message(5), fixture.message(4), fixture.message(5));
  assert.deepEqual(fixture.texts("#tea"), ["text 1", "text 2", "text 3", "text 4", "text 5"]);
  const timeline = fixture.store.timeline("#TEA");
  assert.equal(timeline.atStart && timeline.atEnd, true);
  for (let n = 0; n < 5; n += 1) {
    const entry = timeline.at(n);
    assert.equal(timeline.indexOfRow(entry?.row ?? ""), n);
    assert.equal(timeline.indexOfMsgid(id(n + 1)), n);
  }
});

test("older pages come before, and rows keep their identity", async () => {
  const fixture = await inTea([]);
  const { store } = fixture;
  const many = Array.from({ length: 200 }, (_, n) => 201 + n);
  const loaded = await inTea(many);
  const row = loaded.store.timeline("#tea").at(0)?.row ?? "";
  assert.equal(loaded.store.timeline("#tea").atStart, false);
  loaded.store.actions.loadOlder("#tea");
  const query = loaded.sent.find((line) => line.command === "CHATHISTORY" && line.params[0] === "BEFORE");
  assert.deepEqual(query?.params, ["BEFORE", "#tea", `msgid=${id(201)}`, "200"]);
  loaded.answer("CHATHISTORY", [199, 200].map((n) => loaded.message(n)), "chathistory #tea", "BEFORE");
  await loaded.settle();
  const timeline = loaded.store.timeline("#tea");
  assert.equal(timeline.length, 202);
  assert.equal(timeline.indexOfRow(row), 2);
  assert.equal(timeline.atStart, true);
  assert.equal(store.timeline("#tea").length, 0);
});

test("a broken connection leaves no gap and doubles nothing", async () => {
  const fixture = await inTea([1, 2]);
  fixture.disconnect();
  await fixture.login(":alice!u@parlour JOIN #tea");
  // Arrives before the gap is loaded.
  fixture.receive(fixture.message(5));
  assert.deepEqual(fixture.texts("#tea"), ["text 1", "text 2"]);
  const query = fixture.sent.find((line) => line.params[0] === "AFTER");
  assert.deepEqual(query?.params.slice(0, 3), ["AFTER", "#tea", `msgid=${id(2)}`]);
  fixture.answer("CHATHISTORY", [3, 4, 5].map((n) => fixture.message(n)), "chathistory #tea", "AFTER");
  await fixture.settle();
  assert.deepEqual(fixture.texts("#tea"), ["text 1", "text 2", "text 3", "text 4", "text 5"]);
  assert.equal(fixture.store.conversation("#tea")?.unread, 5);
});

test("more missed messages than anybody reads are skipped", async () => {
  const fixture = await inTea([1, 2]);
  fixture.disconnect();
  await fixture.login(":alice!u@parlour JOIN #tea");
  for (let page = 0; page < 5; page += 1) {
    const numbers = Array.from({ length: 200 }, (_, n) => 3 + page * 200 + n);
    fixture.answer("CHATHISTORY", numbers.map((n) => fixture.message(n)), "chathistory #tea", "AFTER");
    await fixture.settle();
  }
  fixture.answer("CHATHISTORY", [2001, 2002].map((n) => fixture.message(n)), "chathistory #tea", "LATEST");
  await fixture.settle();
  assert.deepEqual(fixture.texts("#tea"), ["text 2001", "text 2002"]);
});

test("a jump loads the part around a message, and newer pages lead back", async () => {
  const fixture = await inTea(Array.from({ length: 200 }, (_, n) => 1001 + n));
  const jump = fixture.store.actions.jumpTo("#tea", id(500));
  const around = Array.from({ length: 200 }, (_, n) => 400 + n);
  fixture.answer("CHATHISTORY", around.map((n) => fixture.message(n)), "chathistory #tea", "AROUND");
  assert.equal(await jump, id(500));
  const timeline = fixture.store.timeline("#tea");
  assert.deepEqual([timeline.length, timeline.atEnd, timeline.atStart], [200, false, false]);
  fixture.receive(fixture.message(1300));
  assert.equal(timeline.length, 200, "it comes behind the gap");
  fixture.store.actions.loadNewer("#tea");
  fixture.answer("CHATHISTORY", [600, 601].map((n) => fixture.message(n)), "chathistory #tea", "AFTER");
  await fixture.settle();
  assert.deepEqual(fixture.texts("#tea").slice(-3), ["text 600", "text 601", "text 1300"]);
  const gone = fixture.store.actions.jumpTo("#tea", id(9999));
  fixture.answer("CHATHISTORY", [fixture.message(601)], "chathistory #tea", "AROUND");
  await assert.rejects(gone, { code: "gone" });
  assert.equal(fixture.texts("#tea").length, 203, "what was loaded stays");
});

test("100,000 messages are kept, 120,000 at most, and slices cost the same in a long history", async () => {
  const fixture = await inTea([1]);
  for (let n = 2; n <= 100; n += 1) fixture.receive(fixture.message(n, "x", "bob"));
  const timeline = fixture.store.timeline("#tea");
  /** The shortest of several runs of a thousand slices over the whole history, in ms. */
  const cost = () => Math.min(...Array.from({ length: 9 }, () => {
    const { length } = timeline;
    const started = performance.now();
    for (let n = 0; n < 1000; n += 1) {
      const at = Math.floor((n * (length - 60)) / 1000);
      timeline.slice(at, at + 60);
      timeline.indexOfRow(timeline.at(at)?.msgid ?? "");
    }
    return performance.now() - started;
  }));
  const short = cost();
  for (let n = 101; n <= 125_000; n += 1) fixture.receive(fixture.message(n, "x", "bob"));
  assert.equal(timeline.length, 120_000);
  assert.equal(timeline.atStart, false);
  assert.equal(timeline.at(0)?.msgid, id(5001));
  // It is 1,200 times as long, and so would be a search of each row.
  const ratio = cost() / short;
  assert.ok(ratio < 100, `${ratio} times`);
  fixture.store.actions.open(null);
  assert.equal(timeline.length, 5000);
});

test("events are shown once, live or from the history", async () => {
  const fixture = await inTea([1]);
  const join = `@time=${new Date(fixture.now).toISOString()} :carol!u@p JOIN #tea`;
  fixture.receive(join, join, ":srv MODE #tea +v carol", ":bob!u@p MODE #tea +m", ":bob!u@p TOPIC #tea :Tea time");
  assert.deepEqual(fixture.texts("#tea"), ["text 1", "*join", "*mode", "*topic"]);
  assert.equal(fixture.store.channel("#tea")?.topic, "Tea time");
});

test("a failed query is tried again, and says so in the end", async () => {
  const fixture = new Fixture();
  await fixture.login(":alice!u@parlour JOIN #tea");
  for (let n = 0; n < 5; n += 1) {
    fixture.answer("CHATHISTORY", [":srv FAIL CHATHISTORY MESSAGE_ERROR LATEST #tea :busy"], undefined, "#tea");
    await fixture.settle();
    await fixture.pass(60_000);
  }
  assert.equal(fixture.store.timeline("#tea").error, "busy");
  fixture.receive(fixture.message(1));
  assert.deepEqual(fixture.texts("#tea"), ["text 1"]);
});

test("a reaction that was removed later does not come back with an older page", async () => {
  const fixture = await inTea(Array.from({ length: 200 }, (_, n) => 301 + n));
  const tag = (/** @type {number} */ n, on = true) => `msgid=${id(n)};+draft/${on ? "" : "un"}react=👍;+draft/reply=${id(100)}`;
  fixture.receive(`@${tag(600, false)} :bob!u@p TAGMSG #tea`);
  fixture.store.actions.loadOlder("#tea");
  const page = [fixture.message(100), `@draft/chathistory-context;${tag(200)} :bob!u@p TAGMSG #tea`, `@${tag(200)} :bob!u@p TAGMSG #tea`, `@${tag(201)} :carol!u@p TAGMSG #tea`];
  fixture.answer("CHATHISTORY", page, "chathistory #tea", "BEFORE");
  await fixture.settle();
  assert.deepEqual(fixture.store.timeline("#tea").at(0)?.reactions?.map((reaction) => reaction.from), [["carol"]]);
});

test("a page that was queried before a jump is not taken for its neighbour", async () => {
  const fixture = await inTea(Array.from({ length: 200 }, (_, n) => 1001 + n));
  fixture.store.actions.jumpTo("#tea", id(50)).catch(() => {});
  fixture.answer("CHATHISTORY", [49, 50, 51].map((n) => fixture.message(n)), "chathistory #tea", "AROUND");
  await fixture.settle();
  fixture.store.actions.loadOlder("#tea");
  fixture.store.actions.jumpToLatest("#tea");
  fixture.answer("CHATHISTORY", [47, 48].map((n) => fixture.message(n)), "chathistory #tea", "BEFORE");
  await fixture.settle();
  fixture.answer("CHATHISTORY", [1199, 1200].map((n) => fixture.message(n)), "chathistory #tea", "LATEST");
  await fixture.settle();
  assert.deepEqual(fixture.texts("#tea"), ["text 1199", "text 1200"]);
});

test("a connection that breaks before the first page leaves no gap behind what arrived", async () => {
  const fixture = new Fixture();
  await fixture.login(":alice!u@parlour JOIN #tea");
  fixture.receive(fixture.message(1));
  fixture.disconnect();
  await fixture.login(":alice!u@parlour JOIN #tea");
  fixture.answer("CHATHISTORY", Array.from({ length: 200 }, (_, n) => fixture.message(300 + n)), "chathistory #tea", "#tea");
  await fixture.settle();
  assert.deepEqual(fixture.texts("#tea").slice(0, 2), ["text 300", "text 301"]);
  assert.equal(fixture.store.timeline("#tea").atStart, false);
});
