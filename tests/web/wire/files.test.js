// Files in messages: what the tag says and what the text does.

import assert from "node:assert/strict";
import { test } from "node:test";

import { moves } from "../../../web/views/files/animation.js";
import { filePath, joinFiles, nameFiles, showingOf, splitFiles } from "../../../web/wire/files.js";

const [one, two] = ["AAAAAAAAAAAAAAAAAAAAAA", "BBBBBBBBBBBBBBBBBBBBB_"];
const [photo, notes] = [`https://chat.example:6697/f/${one}/a%20photo.png`, `https://[::1]/f/${two}`];

test("an address leaves the text for the file that the tag lists", () => {
  const tag = `${one};image/png;1200;30x20,${two};text/plain;7`;
  const picture = { id: one, name: "a photo.png", type: "image/png", size: 1200, width: 30, height: 20 };
  const text = { id: two, name: "file", type: "text/plain", size: 7, width: 0, height: 0 };
  assert.deepEqual(splitFiles(photo, tag), { text: "", files: [picture] });
  assert.deepEqual(splitFiles(`look at this ${photo}`, tag), { text: "look at this", files: [picture] });
  assert.deepEqual(splitFiles(`both:\n${photo}\n${notes}`, tag), { text: "both:", files: [picture, text] });
  assert.deepEqual(splitFiles(`${photo} and ${photo}`, tag), { text: "and", files: [picture] });
  assert.deepEqual(splitFiles(`(${photo}). See ${photo}_.`, tag), { text: "(). See .", files: [picture] });
  assert.equal(nameFiles(`look ${photo}`, tag), "look 📎 a photo.png");
  assert.equal(filePath(picture), `/f/${one}/a%20photo.png`);
});

test("what the tag does not list is a text, and a strange tag lists nothing", () => {
  for (const tag of ["", `${two};image/png;1`, "x;image/png;1", ";;;", ",,,", `${one.slice(1)};image/png;1`]) {
    assert.deepEqual(splitFiles(`see ${photo}`, tag), { text: `see ${photo}`, files: [] }, tag);
  }
  for (const address of [`https://chat.example/g/${one}/x`, `https://chat.example/f/${one}/x/y`, `https://chat.example/f/${one}/xyz/y`, `ftp://chat.example/f/${one}/x`, `https://chat.example/f/${one}A/x`]) {
    assert.equal(splitFiles(address, `${one};image/png;1`).files.length, 0, address);
  }
});

test("sizes that cannot be are not believed, and names are harmless", () => {
  const fileOf = (/** @type {string} */ name, /** @type {string} */ rest) => splitFiles(`https://a.example/f/${one}/${name}`, `${one};image/png;${rest}`).files[0];
  for (const sides of ["0x5", "5x0", "-1x5", "1e9x1", "999999x2", "5", "5x", "5x5x5"]) {
    assert.deepEqual([fileOf("a", `1;${sides}`).width, fileOf("a", `1;${sides}`).height], [0, 0], sides);
  }
  assert.equal(fileOf("a", "many").size, 0);
  assert.equal(fileOf("%E2%80%AEgnp.exe", "1").name, "gnp.exe");
  assert.equal(fileOf("..%2F..%2Fetc%2Fpasswd", "1").name, "....etcpasswd");
  assert.equal(fileOf("%FF%zz", "1").name, "%FF%zz");
  assert.equal(fileOf("%00", "1").name, "file");
});

test("only pictures, sound and video of the list are shown in place", () => {
  assert.deepEqual(["image/png", "image/avif", "audio/ogg", "video/webm", "image/svg+xml", "text/html", "application/pdf", "IMAGE/PNG", ""].map(showingOf), ["picture", "picture", "sound", "video", "other", "other", "other", "other", "other"]);
});

test("a message has its text and then its files", () => {
  assert.equal(joinFiles("", [photo]), photo);
  assert.equal(joinFiles("look ", [photo]), `look ${photo}`);
  assert.equal(joinFiles("two\nlines", [photo]), `two\nlines\n${photo}`);
  assert.equal(joinFiles("both", [photo, notes]), `both\n${photo}\n${notes}`);
  assert.equal(joinFiles(" \n", [photo]), photo);
});

test("pictures that move are known by their first bytes", () => {
  const start = (/** @type {string} */ text) => Uint8Array.from(text, (char) => char.charCodeAt(0)).buffer;
  assert.equal(moves("image/gif", start("GIF89a")), true);
  assert.equal(moves("image/png", start("\x89PNG\r\n\x1a\n\0\0\0\rIHDR")), false);
  assert.equal(moves("image/png", start("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x08acTL")), true);
  assert.equal(moves("image/webp", start("RIFF\0\0\0\0WEBPVP8X\n\0\0\0\x02")), true);
  assert.equal(moves("image/webp", start("RIFF\0\0\0\0WEBPVP8X\n\0\0\0\x10")), false);
  assert.equal(moves("image/webp", start("RIFF\0\0\0\0WEBPVP8 \n\0\0\0\x02")), false);
  assert.equal(moves("image/avif", start("\0\0\0\x1cftypavis")), true);
  assert.equal(moves("image/jpeg", start("\xff\xd8")), false);
});
