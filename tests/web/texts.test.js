// The texts of all languages: the same keys, the same values in braces, and the words of the model.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import startDe from "../../web/text/de.js";
import { emojiGroups, findEmoji, searchEmoji } from "../../web/text/emoji.js";
import startEn from "../../web/text/en.js";
import startEs from "../../web/text/es.js";
import startFr from "../../web/text/fr.js";
import moreDe from "../../web/text/more/de.js";
import moreEn from "../../web/text/more/en.js";
import moreEs from "../../web/text/more/es.js";
import moreFr from "../../web/text/more/fr.js";

const [en, de, es, fr] = [{ ...startEn, ...moreEn }, { ...startDe, ...moreDe }, { ...startEs, ...moreEs }, { ...startFr, ...moreFr }];

const web = fileURLToPath(new URL("../../web/", import.meta.url));

/** @param {string | { one: string, other: string }} text */
const values = (text) => [...new Set((typeof text === "string" ? text : text.other).match(/\{\w+\}/g) ?? [])].sort();

/** Returns the sources of the page, without the texts. @returns {string} */
function sources() {
  const files = readdirSync(web, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".js") && !/^text\/(?!index)/.test(file));
  return files.map((file) => readFileSync(web + file, "utf8")).join("\n");
}

/** Returns a module of the page with all that it imports statically. @param {string} file @param {Set<string>} [known] */
function startOf(file, known = new Set()) {
  known.add(file);
  for (const [, path] of readFileSync(web + file, "utf8").matchAll(/^(?:im|ex)port [^"]*"(\.[^"]+)";$/gm)) {
    const imported = join(dirname(file), path);
    if (!known.has(imported)) startOf(imported, known);
  }
  return known;
}

test("no text is in both files of a language, and each is in the same one in all", () => {
  assert.deepEqual(Object.keys(moreEn).filter((key) => key in startEn), []);
  for (const more of [moreDe, moreEs, moreFr]) assert.deepEqual(Object.keys(more), Object.keys(moreEn));
});

test("what is loaded at the start names no text that is loaded later", () => {
  const start = startOf("main.js");
  assert.ok(start.size > 20 && !start.has("views/soon.js"));
  const named = [...start].flatMap((file) => [...readFileSync(web + file, "utf8").matchAll(/\bt\("([\w.]+)"/g)].map(([, key]) => key));
  assert.deepEqual(named.filter((key) => !(key in startEn)), []);
});

for (const [language, texts] of Object.entries({ de, es, fr })) {
  test(`${language} has each text with its values`, () => {
    assert.deepEqual(Object.keys(texts).sort(), Object.keys(en).sort());
    for (const [key, text] of Object.entries(en)) {
      const other = /** @type {Record<string, string | { one: string, other: string }>} */ (texts)[key];
      assert.equal(typeof other, typeof text, key);
      assert.deepEqual(values(other), values(text), key);
    }
  });
}

test("each text is used, and each key that the model names has a text", () => {
  const source = sources();
  const groups = new Set(emojiGroups.map((group) => /** @type {string} */ (group.name)));
  assert.deepEqual(Object.keys(en).filter((key) => !new RegExp(`\\b${key.replace(".", "\\.")}\\b`).test(source) && !groups.has(key)), []);
  const named = source.match(/"(?:refusal|notice|name|command|confirm)\.\w+"/g) ?? [];
  assert.ok(named.length > 20);
  assert.deepEqual(named.map((key) => key.slice(1, -1)).filter((key) => !(key in en)), []);
});

test("emoji have one name each, and are found by it", () => {
  const all = emojiGroups.flatMap((group) => group.emoji);
  assert.ok(all.length > 400);
  assert.deepEqual(all.filter((one) => !/^\p{RGI_Emoji}$/v.test(one.emoji)).map((one) => one.name), []);
  assert.equal(new Set(all.map((one) => one.name)).size, all.length);
  assert.equal(new Set(all.map((one) => one.emoji)).size, all.length);
  assert.equal(findEmoji("tada"), "🎉");
  assert.equal(findEmoji("thumbsup"), "👍");
  assert.equal(findEmoji("nothing"), undefined);
  assert.equal(searchEmoji("heart", 5)[0].emoji, "❤️");
});
