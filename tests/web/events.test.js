// Sentences about events: the cases of src/client/answers/modes.rs.

import assert from "node:assert/strict";
import { before, test } from "node:test";

import { describeModes, describeRun } from "../../web/views/conversation/events.js";
import { contrast, isBigEmoji } from "../../web/views/conversation/markup.js";
import { describeAction, describeInvite } from "../../web/views/dialogs/sentences.js";
import { formatTime, useLanguage, useMoreTexts } from "../../web/text/index.js";
import { formatMoment } from "../../web/text/times.js";
import { hueOf, initials } from "../../web/views/parts/people.js";

before(async () => {
  await useLanguage("en", "auto");
  await useMoreTexts();
});

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

test("actions of admins and moderators are sentences", () => {
  const fingerprint = "029216086a2a".repeat(6).slice(0, 64);
  for (const [text, expected] of [
    ["channel mode #lobby: +b cleo!*@*", "in #lobby: banned cleo"],
    ["channel mode #lobby: +o-v bob carol", "in #lobby: gave bob the status of operator; took voice from carol"],
    ["channel metadata #lobby: parlour/pinned-messages", "changed the pinned messages of #lobby"],
    ["channel metadata #lobby: other/key", "changed other/key of #lobby"],
    ["channel kick bo: #a: too: loud", "kicked bo from #a (too: loud)"],
    ["channel kick bo: #a: ", "kicked bo from #a"],
    ["channel rename #old: #new", "renamed #old to #new"],
    ["channel topic #a: as an admin, not a member", "set the topic of #a as an admin"],
    ["message redact #a: 0000000000000001", "removed a message in #a"],
    ["server kill bo: spam, spam", "disconnected bo (spam, spam)"],
    ["server kill bo", "disconnected bo"],
    ["server rehash", "read the configuration again"],
    ["server reload: changed: motd", "read the configuration again (changed: motd)"],
    ["server oper root", "became an admin for one session, as root"],
    ["server accept-loss: went on without what was lost", "went on without the messages that were lost"],
    ["invite revoke 6", "revoked invite 6"],
    ["invite redeem dora: invite 5", "made the account dora with invite 5"],
    ["invite redeem dora: invite 5, password and devices reset, invites revoked: 2", "set a new password for dora with invite 5; its devices were revoked; 2 invites were revoked"],
    ["user add dora: member", "made the account dora"],
    ["user add dora: admin, again", "made the admin account dora"],
    ["user role dora: admin", "made dora an admin"],
    ["user role dora: member, invites revoked: 1", "took the admin role from dora; one invite was revoked"],
    ["user set dora: replay 50", "set replay 50 for dora"],
    ["user passwd dora: invites revoked: 1", "set a new password for dora; one invite was revoked"],
    ["user disable dora", "disabled the account dora"],
    ["user enable dora", "enabled the account dora again"],
    ["user remove dora", "removed the account dora"],
    ["account passwd", "changed the own password"],
    [`device add ${fingerprint}`, "added the device 029216086a2a0292…"],
    [`device remove ${fingerprint}`, "revoked the device 029216086a2a0292…"],
    // What a newer server may say keeps its words.
    ["channel burn #a: all", "channel burn #a: all"], ["nonsense", "nonsense"], ["", ""], ["channel kick bo", "channel kick bo"], ["invite create 6: odd", "invite create 6: odd"],
  ]) assert.equal(describeAction(text), expected, text);
  const created = describeAction("invite create 6: member, 2 uses, until 2020-11-30T20:24:07.281Z");
  assert.match(created, /^made invite 6 for 2 accounts, valid until /);
  assert.ok(!/2020-11|T20|Z/.test(created), created);
  assert.match(describeAction("invite create 7: admin, 1 uses, until 2020-11-30T20:24:07.281Z"), /^made invite 7 for one admin account, valid until /);
  assert.match(describeAction("invite create 8: resets bob, until 2020-11-30T20:24:07.281Z"), /^made invite 8 for a new password of bob, valid until /);
});

test("invites are described with the times of the user's clock", () => {
  const time = formatMoment(Date.UTC(2020, 10, 30, 20, 7));
  for (const [text, expected] of [
    ["Invite 5: one member account, landing in #lobby; used 0 of 1, until 2020-11-30 20:07 UTC, made by ada", `One account, joins #lobby · used 0 of 1 · valid until ${time} · made by ada`],
    ["Invite 6: 3 admin accounts, landing in #a; used 1 of 3, until 2020-11-30 20:07 UTC, made on the command line", `3 admin accounts, joins #a · used 1 of 3 · valid until ${time} · made on the command line`],
    ["Invite 7: resets the password and devices of bob; used 0 of 1, until 2020-11-30 20:07 UTC, made by ada", `New password for bob; revokes their devices · valid until ${time} · made by ada`],
    ["Invite 8: something new", "Invite 8: something new"],
  ]) assert.equal(describeInvite(text), expected, text);
});

test("times near now are said in words, and hours with AM or PM have no zero in front", async () => {
  const noon = new Date().setHours(12, 5, 0, 0);
  assert.equal(formatMoment(noon), `today, ${formatTime(noon)}`);
  assert.match(formatMoment(noon + 86_400_000), /^tomorrow, /);
  assert.match(formatMoment(noon - 86_400_000), /^yesterday, /);
  const evening = new Date().setHours(20, 25, 0, 0);
  for (const [language, clock, expected] of /** @type {const} */ ([["de", "12", /^8:25/], ["de", "auto", /^20:25$/], ["en", "12", /^8:25\sPM$/i], ["fr", "24", /^20:25$/]])) {
    await useLanguage(language, clock);
    assert.match(formatTime(evening), expected, `${language} ${clock}`);
  }
  await useLanguage("de", "24");
  assert.equal(formatTime(new Date().setHours(8, 5, 0, 0)), "08:05");
  await useLanguage("en", "auto");
});
