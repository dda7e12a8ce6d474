// QR codes, read by another program.

import assert from "node:assert/strict";
import { test } from "node:test";

import jsQR from "jsqr";

import { encodeQr } from "../../web/qr.js";

/** @param {string} text */
function readBack(text) {
  const code = encodeQr(text);
  const side = (code.length + 8) * 4;
  const pixels = new Uint8ClampedArray(side * side * 4).fill(255);
  for (let y = 0; y < side; y++) for (let x = 0; x < side; x++) if (code[Math.floor(y / 4) - 4]?.[Math.floor(x / 4) - 4]) pixels.fill(0, (y * side + x) * 4, (y * side + x) * 4 + 3);
  return jsQR(pixels, side, side)?.data;
}

test("texts of each length are read back", () => {
  for (const length of [1, 10, 17, 18, 32, 53, 78, 106, 134, 154, 192, 230, 231, 271, 321, 367, 425, 458, 520, 586, 644, 718, 792, 858]) {
    const text = Array.from({ length }, (_, at) => String.fromCharCode(33 + ((at * 7 + length) % 90))).join("");
    assert.equal(readBack(text), text, `${length} bytes`);
  }
  assert.equal(readBack("parlour://grüße/?pin=😀"), "parlour://grüße/?pin=😀");
});

test("a text that is too long is refused", () => {
  assert.throws(() => encodeQr("x".repeat(859)), RangeError);
});
