// Pages without a browser against a real server. Skipped where there is no binary (PARLOUR, or target/debug/parlour).

import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";

import { binary, Page, Server } from "../server.js";

const skip = binary === null ? "no binary of parlour: cargo build, or set PARLOUR" : false;

/** @type {Server} */
let server;
/** @type {Page[]} */
const pages = [];

/** @param {string} account */
async function page(account) {
  const opened = new Page(server, account);
  pages.push(opened);
  await opened.ready();
  return opened;
}

before(async () => {
  if (skip) return;
  server = new Server(["alice", "bob", "carol"]);
  await server.start();
});

afterEach(() => {
  for (const opened of pages.splice(0)) opened.close();
});

after(async () => {
  await server?.remove();
});

test("two people talk, react, reply and take back", { skip }, async () => {
  const [alice, bob] = [await page("alice"), await page("bob")];
  await alice.store.actions.join("#tea");
  await bob.store.actions.join("#tea");
  bob.store.actions.open("#tea");
  alice.store.actions.open("#tea");
  alice.store.actions.send("#tea", "hello bob\n```\ncode\n```");
  await bob.until("the message", () => bob.texts("#tea").length === 1);
  const [message] = bob.store.timeline("#tea").slice(-1, 99).filter((entry) => entry.kind === "message");
  assert.ok(message?.msgid);
  assert.deepEqual([message.text, message.isMention], ["hello bob\n```\ncode\n```", true]);
  bob.store.actions.react("#tea", message.msgid, "👍");
  bob.store.actions.send("#tea", "hi", message.msgid);
  await alice.until("the reply", () => alice.texts("#tea").length === 2);
  const entries = alice.store.timeline("#tea").slice(0, 99);
  assert.deepEqual(entries.find((entry) => entry.msgid === message.msgid)?.reactions?.[0]?.from, ["bob"]);
  assert.equal(entries.at(-1)?.replyTo, message.msgid);
  assert.deepEqual(alice.store.members("#tea").map((member) => member.prefix + member.name), ["~alice", "bob"]);
  await alice.store.actions.redactOther("#tea", entries.at(-1)?.msgid ?? "", "no");
  await bob.until("the redaction", () => bob.store.timeline("#tea").slice(0, 99).some((entry) => entry.redacted?.by === "alice"));
  bob.store.actions.markRead("#tea");
  assert.equal(bob.store.conversation("#tea")?.unread, 0);
});

test("members are listed while they are offline", { skip }, async () => {
  const [alice, bob, carol] = [await page("alice"), await page("bob"), await page("carol")];
  // A connection that only breaks counts as online for a while.
  const quit = async (/** @type {Page} */ one) => {
    one.link.write("QUIT");
    await one.until("the end", () => one.store.connection().phase !== "online");
    one.close();
  };
  const members = () => alice.store.members("#night").map(({ prefix, name, presence }) => `${prefix}${name} ${presence}`);
  for (const one of [alice, bob, carol]) await one.store.actions.join("#night");
  await alice.store.actions.mode("#night", "+v", "carol");
  await quit(carol);
  alice.store.actions.open("#night");
  await alice.until("carol offline", () => members().join() === "~alice online,bob online,+carol offline");
  await quit(bob);
  await alice.until("bob offline", () => members().join() === "~alice online,+carol offline,bob offline");
  await page("carol");
  await alice.until("carol online", () => members().join() === "~alice online,+carol online,bob offline");
});

test("a server that is killed loses and doubles nothing", { skip }, async () => {
  const [alice, carol] = [await page("alice"), await page("carol")];
  await alice.store.actions.join("#storm");
  await carol.store.actions.join("#storm");
  carol.store.actions.open("#storm");
  for (let n = 0; n < 50; n += 1) alice.store.actions.send("#storm", `message ${n}`);
  await carol.until("some messages", () => carol.texts("#storm").length > 5);
  await server.stop("SIGKILL");
  for (let n = 50; n < 60; n += 1) alice.store.actions.send("#storm", `message ${n}`);
  await server.start();
  const all = Array.from({ length: 60 }, (_, n) => `message ${n}`);
  const isWhole = (/** @type {Page} */ one) => one.texts("#storm").length >= 60;
  await carol.until("all messages", () => isWhole(carol));
  await alice.until("all confirmed", () => alice.model.sending?.queue.size === 0);
  alice.store.actions.open("#storm");
  assert.deepEqual(carol.texts("#storm"), all);
  await alice.until("all messages", () => isWhole(alice));
  assert.deepEqual(alice.texts("#storm"), all);
});

test("search, pins, bookmarks, profile, lists and moderation", { skip }, async () => {
  const [alice, bob] = [await page("alice"), await page("bob")];
  const { actions } = alice.store;
  await actions.join("#lists");
  await bob.store.actions.join("#lists");
  actions.send("#lists", "a rare pelican");
  await alice.until("the echo", () => alice.store.timeline("#lists").slice(-9, 99).some((entry) => entry.msgid !== null && entry.kind === "message"));
  const { messages } = await actions.search({ text: "pelican" });
  assert.deepEqual(messages.map((one) => [one.conversation, one.text]), [["#lists", "a rare pelican"]]);
  const msgid = messages[0]?.msgid ?? "";
  await actions.pin("#lists", msgid, true);
  await actions.bookmark("#lists", msgid, true);
  await bob.until("the pin", () => bob.store.channel("#lists")?.pinned.includes(msgid));
  assert.deepEqual((await bob.store.actions.pinned("#lists")).map((one) => one.text), ["a rare pelican"]);
  assert.deepEqual((await actions.loadBookmarks()).map((one) => one.text), ["a rare pelican"]);
  await actions.bookmark("#lists", msgid, false);
  assert.deepEqual((await actions.thread("#lists", msgid)).map((one) => one.text), ["a rare pelican"]);

  await actions.setDisplayName("Alice Lee");
  const profile = await bob.store.actions.profile("alice");
  assert.deepEqual([profile.displayName, profile.isAdmin, profile.isOnline], ["Alice Lee", true, true]);
  await bob.until("the display name", () => bob.store.trustedName("alice") === "Alice Lee");
  await assert.rejects(bob.store.actions.profile("nobody"), { code: "401" });
  const directory = await actions.loadDirectory();
  assert.ok(directory.channels.some((channel) => channel.name === "#lists" && channel.joined));
  assert.deepEqual(directory.accounts.map((account) => account.name).sort().slice(0, 2), ["alice", "bob"]);

  assert.match(await actions.createInvite({ uses: 2, lifetime: "1h", channel: "#lists" }), /^parlour:/);
  const [invite] = await actions.invites();
  assert.ok(invite?.id);
  await actions.revokeInvite(invite.id);
  assert.ok((await actions.audit()).length > 0);
  assert.ok((await actions.statistics()).length > 0);
  await assert.rejects(bob.store.actions.invites());

  const confirm = await actions.submit("#lists", "/mute-user bob", null);
  assert.equal(confirm.type, "confirm");
  if (confirm.type === "confirm") await confirm.confirm();
  assert.deepEqual((await actions.bans("#lists")).map((ban) => [ban.account, ban.isMute]), [["bob", true]]);
  bob.store.actions.send("#lists", "am I heard?");
  await bob.until("the refusal", () => bob.store.conversation("#lists")?.failed === 1);
  await actions.kick("#lists", "bob", "out");
  await bob.until("the kick", () => bob.store.conversation("#lists")?.joined === false);
  assert.deepEqual(await actions.submit("#lists", "/nonsense", null), { type: "invalid", key: "command.unknown", values: { command: "nonsense" } });
});

test("what is seen live, over broken connections and jumps, is what the history has", { skip }, async () => {
  let seed = 7;
  const random = (/** @type {number} */ below) => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor((seed / 2 ** 31) * below);
  };
  const live = [await page("alice"), await page("bob"), await page("carol")];
  for (const one of live) {
    await one.store.actions.join("#random");
    one.store.actions.open("#random");
  }
  let count = 0;
  for (let n = 0; n < 300; n += 1) {
    const one = /** @type {Page} */ (live[random(3)]);
    const { actions } = one.store;
    const timeline = one.store.timeline("#random");
    const some = timeline.at(random(Math.max(timeline.length, 1)));
    const kind = random(20);
    if (kind < 10 || !some?.msgid) {
      count += 1;
      actions.send("#random", kind % 3 === 0 ? `text ${count}\nof two lines` : `text ${count}`, kind === 1 ? (some?.msgid ?? null) : null);
    } else if (kind < 15) actions.react("#random", some.msgid, ["👍", "🎉", "❤️"][random(3)] ?? "");
    else if (kind === 15 && some.mine && some.kind === "message") await actions.redactOther("#random", some.msgid).catch(() => {});
    else if (kind === 16) one.link.wait("broken by the test");
    else if (kind === 17) actions.jumpTo("#random", some.msgid).catch(() => {});
    else if (kind === 18) actions.open(random(2) === 0 ? null : "#random");
    else if (kind === 19) actions[(/** @type {const} */ (["loadOlder", "loadNewer", "jumpToLatest"]))[random(3)] ?? "loadOlder"]("#random");
    else await new Promise((resolve) => setTimeout(resolve, random(20)));
  }
  const describe = (/** @type {Page} */ one) =>
    one.store.timeline("#random").slice(0, 9999).filter((entry) => entry.kind !== "event" && entry.redacted === null).map((entry) =>
      [entry.msgid, entry.from, entry.text, entry.replyTo, entry.status, (entry.reactions ?? []).map((reaction) => `${reaction.emoji} ${[...reaction.from].sort().join()}`).sort().join()].join(" "));
  for (const one of live) await one.until("all confirmed", () => one.model.ready && (one.model.sending?.queue.size ?? 0) === 0);
  // A last message that everybody waits for.
  live[0]?.store.actions.send("#random", "the end");
  const fresh = new Page(server, "carol");
  pages.push(fresh);
  await fresh.ready();
  fresh.store.actions.open("#random");
  await fresh.until("the latest page", () => fresh.texts("#random").at(-1) === "the end");
  const loadAll = async (/** @type {Page} */ one) => {
    const timeline = one.store.timeline("#random");
    while (!timeline.atStart) {
      const { version } = timeline;
      one.store.actions.loadOlder("#random");
      await one.until("an older page", () => timeline.version > version && timeline.loading === "none");
    }
    return describe(one);
  };
  for (const one of live) {
    one.store.actions.open("#random");
    one.store.actions.jumpToLatest("#random");
  }
  const expected = await loadAll(fresh);
  assert.ok(expected.length > 50);
  for (const one of live) {
    await one.until("the end", () => one.texts("#random").at(-1) === "the end" && one.store.timeline("#random").atEnd);
    assert.deepEqual(await loadAll(one), expected);
  }
});

test("direct messages, read markers and drafts across pages of one account", { skip }, async () => {
  const [bob, carol, again] = [await page("bob"), await page("carol"), await page("carol")];
  bob.store.actions.send("carol", "psst");
  for (const one of [carol, again]) await one.until("the message", () => one.store.conversation("bob")?.mentions === 1);
  carol.store.actions.open("bob");
  await carol.until("loaded", () => carol.store.timeline("bob").atEnd);
  carol.store.actions.markRead("bob");
  await again.until("the marker", () => again.store.conversation("bob")?.unread === 0);
  const later = await page("carol");
  await later.until("the conversation", () => later.texts("bob").length === 1);
  assert.equal(later.store.conversation("bob")?.unread, 0);
  await bob.store.actions.setAway("at lunch");
  await carol.until("away", () => carol.store.presence("bob") === "away");
});

test("a wrong password is refused, and the form comes back", { skip }, async () => {
  const wrong = new Page(server, "bob");
  pages.push(wrong);
  await wrong.ready();
  wrong.store.actions.logout();
  wrong.store.actions.login("bob", "not the password");
  await wrong.until("the refusal", () => wrong.store.connection().phase === "login");
  const state = wrong.store.connection();
  assert.ok(state.phase === "login" && state.error !== null);
});
