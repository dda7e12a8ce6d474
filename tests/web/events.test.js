// Sentences about events: the cases of src/client/answers/modes.rs.

import assert from "node:assert/strict";
import { before, test } from "node:test";

import { describeModes, describeRun } from "../../web/views/conversation/events.js";
import { contrast, isBigEmoji } from "../../web/views/conversation/markup.js";
import { useLanguage } from "../../web/text/index.js";
import { hueOf, initials } from "../../web/views/parts/people.js";

before(async () => void await useLanguage("en", "auto"));

test("changes of modes are sentences", () => {
  for (const [change, expected] of [
    ["+o bob", "gave bob the status of operator"],
    ["-o bob", "took the status of operator from bob"],
    ["+v-v bob carol", "gave bob voice; took voice from carol"],
    ["+b carol!*@*", "banned carol"],
    ["-b *!*@evil", "unbanned *!*@evil"],
    ["+b m:carol!*@*", "muted carol"],
    ["-b m:a:carol", "unmuted carol"],
    ["+kl secret 20", "set a channel key; limited the channel to 20 members"],
    ["-kl *", "removed the channel key; removed the limit of members"],
    ["+im-s", "made the channel invite-only; made the channel moderated: writing needs voice; made the channel visible to everybody"],
    ["+Z", "set mode +Z"],
    ["+Zo x bob", "set mode +Zo x bob"],
    ["+i x", "set mode +i x"],
    ["+o", "set mode +o"],
    ["", "set mode "],
  ]) assert.equal(describeModes(change), expected, change);
});

test("joins and parts in a row say who is here in the end", () => {
  const join = (/** @type {string} */ who) => /** @type {const} */ ({ type: "join", who });
  const part = (/** @type {string} */ who) => /** @type {const} */ ({ type: "part", who, reason: "" });
  assert.equal(describeRun([join("a"), join("b"), part("a")]), "b joined · a left");
  assert.match(describeRun(["a", "b", "c", "d", "e"].map(join)), /^a, b, c,? and 2 others joined$/);
});

test("colours that cannot be read are known", () => {
  assert.equal(contrast("#000000", "#ffffff"), 21);
  assert.ok(contrast("rgb(255, 255, 0)", "#ffffff") < 1.2);
});

test("a text of emoji alone is large", () => {
  assert.deepEqual(["🎉", "🎉 🎉", "👨‍👩‍👧", "ok 🎉", "1", "", "🎉🎉🎉🎉🎉🎉"].map(isBigEmoji), [true, true, true, false, false, false, false]);
});

test("avatars have initials of any script, and a colour that stays", () => {
  assert.deepEqual(["bob", "Carol Danvers", "دانا", "花子", "__x__", "…"].map(initials), ["B", "CD", "د", "花", "X", "?"]);
  assert.equal(hueOf("Bob"), hueOf("bob"));
});
