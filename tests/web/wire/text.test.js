// Texts against the vectors that the Rust client is tested with too.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import { clean, withoutCodes } from "../../../web/wire/clean.js";
import { parseMarkup, plainText } from "../../../web/wire/markup.js";
import { byteLength, foldName } from "../../../web/wire/names.js";
import { splitToFit } from "../../../web/wire/split.js";
import { findUrls, linkTarget } from "../../../web/wire/urls.js";
import { areInOneWord, findWord } from "../../../web/wire/words.js";

const vectors = JSON.parse(readFileSync(new URL("../../data/text.json", import.meta.url), "utf8"));

/**
 * Writes blocks as text, with letters for the formats: `b`old, `i`talic, `s`trike, `c`ode, `B`lock, `L`ink, `M`ention.
 * @param {string} text
 */
function shown(text) {
  const blocks = parseMarkup(text, { me: "ann" });
  /** @param {import("../../../web/model/types.js").Span} span */
  const letters = ({ bold, italic, strike, code, href, mention }) =>
    [bold && "b", italic && "i", strike && "s", code && "c", href && "L", mention && "M"].filter(Boolean).join("");
  return blocks.map((block) => {
    if (block.type === "code") return `|<B:${block.text}>|`;
    const lines = block.lines.map((line) =>
      line.map((span) => (letters(span) === "" ? span.text : `<${letters(span)}:${span.text}>`)).join(""),
    );
    return lines.join("\n");
  }).join("");
}

test("marks, blocks, links and mentions are those of the terminal", () => {
  for (const [text, expected] of vectors.markup) assert.equal(shown(text), expected, text);
});

test("urls are found beside and in any script, and honest", () => {
  for (const [text, urls] of vectors.urls) {
    assert.deepEqual(findUrls(text).map((range) => text.slice(...range)), urls, text);
  }
  for (const [url, target] of vectors.targets) assert.equal(linkTarget(url), target);
});

test("words are found beside any script and not within longer ones", () => {
  for (const [word, text, expected] of vectors.mentions) {
    assert.equal(findWord(text, word).length > 0, expected, `${word} in ${text}`);
  }
  assert.deepEqual(findWord("Ann, annex, annさん", "ANN"), [[0, 3], [12, 15]].map(([a, b]) => [a, b]));
  for (const [one, other, expected] of vectors.neighbours) assert.equal(areInOneWord(one, other), expected, one + other);
});

test("long texts are split between clusters and after spaces", () => {
  for (const [text, max, pieces] of vectors.splits) assert.deepEqual(splitToFit(text, max), pieces, text);
  const text = "👩‍👧 👍🏽 🇩🇪 e\u0301 क्षि 각 words and more words ".repeat(40);
  for (let max = 25; max < 60; max += 1) {
    const pieces = splitToFit(text, max);
    assert.equal(pieces.join(""), text);
    assert.ok(pieces.every((piece) => byteLength(piece) <= max && piece !== ""));
  }
});

test("texts are cleaned and codes removed", () => {
  for (const [text, expected] of vectors.codes) assert.equal(withoutCodes(text), expected, JSON.stringify(text));
  for (const [text, expected] of vectors.clean) assert.equal(clean(text), expected, JSON.stringify(text));
  assert.equal(clean("0123456789", 4), "0123…");
});

test("names differ neither by case nor by what is not seen", () => {
  for (const [a, b, same] of vectors.folds) assert.equal(foldName(a) === foldName(b), same, `${a} ${b}`);
});

test("codes of IRC format pieces, and end with their line", () => {
  const [block] = parseMarkup("a \x02b\x0304c\x0f d\n\x1de\nf");
  assert.deepEqual(block, {
    type: "text",
    lines: [
      [{ text: "a " }, { text: "b", bold: true }, { text: "c", bold: true, color: "#ff0000" }, { text: " d" }],
      [{ text: "e", italic: true }],
      [{ text: "f" }],
    ],
  });
  assert.deepEqual(parseMarkup("\x0399,1x"), [{ type: "text", lines: [[{ text: "x", background: "#000000" }]] }]);
});

test("channels that are known are linked", () => {
  const isChannel = (/** @type {string} */ name) => name === "#tea";
  const [block] = parseMarkup("see #tea, #123 and a#tea `#tea`", { isChannel });
  const spans = block?.type === "text" ? block.lines.flat() : [];
  assert.deepEqual(spans.filter((span) => span.channel !== undefined), [{ text: "#tea", channel: "#tea" }]);
  assert.equal(plainText("*so* `what`\n```\nx\n```"), "so what x");
});

test("names are marked with their @: the own one, and those of known accounts", () => {
  const isPerson = (/** @type {string} */ name) => ["bob", "Ann", "x-1"].includes(name);
  const marked = (/** @type {string} */ text, me = "ann") => {
    const blocks = parseMarkup(text, { me, isPerson });
    return blocks.flatMap((block) => block.type === "text" ? block.lines.flat() : []).filter((span) => span.mention || span.person).map((span) => span.person ? `${span.text}=${span.person}` : span.text);
  };
  assert.deepEqual(marked("@ann, ann and x@ann"), ["@ann", "ann", "ann"]);
  assert.deepEqual(marked("@bob @nobody mail@bob.example bob `@bob` https://a.b/@bob"), ["@bob=bob"]);
  assert.deepEqual(marked("bob: look\nbob, you too\nnot bob: here\nbob:no"), ["bob=bob", "bob=bob"]);
  assert.deepEqual(marked("*@bob* @x-1.", ""), ["@bob=bob", "@x-1=x-1"]);
  assert.deepEqual(marked("ann writes while away", ""), [], "an own message mentions nobody of that name");
});

test("hostile marks take linear time", () => {
  const started = Date.now();
  for (const pattern of ["*a ", "`a ", "*_~`", "``a`b ", "```\n", "```x y\n", "_a_ ", "*a*", "~~a ", "*", "`", "* "]) {
    parseMarkup(pattern.repeat(Math.floor((16 * 1024) / pattern.length)));
  }
  assert.ok(Date.now() - started < 5000);
});
