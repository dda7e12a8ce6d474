// The demonstration shows what it says.

import assert from "node:assert/strict";
import test from "node:test";

import { demo } from "../demo.js";

test("the demonstration has every kind of message", async () => {
  const { store } = await demo({ messages: 450 });
  const timeline = store.timeline("#tea");
  assert.ok(timeline.length > 450 && timeline.atStart && timeline.atEnd);
  const entries = timeline.slice(0, timeline.length);
  assert.ok(entries.some((entry) => entry.redacted !== null) && entries.some((entry) => entry.status === "pending"));
  assert.deepEqual(entries.find((entry) => entry.reactions)?.reactions?.[0]?.from, ["carol", "alice"]);
  assert.deepEqual(store.members("#tea").map((member) => member.prefix + member.name).slice(0, 3), ["~alice", "@bob", "+carol"]);
  assert.deepEqual(store.conversations().map((item) => item.name), ["#builds", "#tea", "#بيت", "bob"]);
  assert.equal(store.conversation("bob")?.mentions, 1);
  assert.deepEqual(store.typing("#tea"), ["carol"]);
  assert.equal(store.trustedName("bob"), "Bob Builder");
});
