// The parser and the writer against the vectors of others (tests/vectors/README.md).

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import { parse as parseYaml } from "yaml";

import { escapeValue, formatMessage, parseMessage, unescapeValue } from "../../../web/wire/message.js";

/** @param {string} name */
const vectors = (name) =>
  parseYaml(readFileSync(new URL(`../../vectors/${name}.yaml`, import.meta.url), "utf8")).tests;

test("lines are split into their parts", () => {
  const all = vectors("msg-split");
  assert.ok(all.length >= 35);
  for (const { input, atoms } of all) {
    const message = parseMessage(input);
    assert.ok(message !== null, input);
    assert.equal(message.command, atoms.verb.toUpperCase());
    assert.equal(message.source, atoms.source ?? "");
    assert.deepEqual(message.params, atoms.params ?? []);
    assert.deepEqual(Object.fromEntries(message.tags), atoms.tags ?? {});
  }
});

test("parts are joined to lines that mean the same", () => {
  for (const { atoms } of vectors("msg-join")) {
    const line = formatMessage(atoms.verb, atoms.params ?? [], atoms.tags ?? {});
    const message = parseMessage(line);
    assert.deepEqual(message?.params, atoms.params ?? []);
    assert.deepEqual(Object.fromEntries(message?.tags ?? []), atoms.tags ?? {});
  }
});

test("sources have their nick", () => {
  for (const { source, atoms } of vectors("userhost-split")) {
    assert.equal(parseMessage(`:${source} X`)?.nick, atoms.nick ?? "", source);
  }
});

test("no text becomes a command of its own", () => {
  assert.equal(formatMessage("PRIVMSG", ["#a", "one\r\nQUIT :two\0"]), "PRIVMSG #a :oneQUIT :two");
  assert.equal(formatMessage("JOIN", ["#a b", "key"]), "JOIN * key");
  assert.equal(formatMessage("X", ["", ":"]), "X * ::");
});

test("tag values survive escaping", () => {
  for (const value of ["", "a b;c\\d\r\n", "\\s", "ends with \\"]) assert.equal(unescapeValue(escapeValue(value)), value);
  assert.equal(unescapeValue("\\b\\"), "b");
});

test("lines without a command are refused", () => {
  for (const line of ["", "   ", "@a=b", ":source", "@a=b :source", ":s :x", ":s @x"]) assert.equal(parseMessage(line), null, line);
});
