/**
 * QR codes (ISO/IEC 18004) of texts as bytes, with error correction level L: it has the fewest modules, and suffices for
 * a screen.
 */

/** Largest version that is made: 97 modules, 858 bytes. */
const MAX_VERSION = 20;
/** Codewords for error correction in each block, and blocks, by version. */
const CHECK_WORDS = [0, 7, 10, 15, 20, 26, 18, 20, 24, 30, 18, 20, 24, 26, 30, 22, 24, 28, 30, 28, 28];
const BLOCKS = [0, 1, 1, 1, 1, 1, 2, 2, 2, 2, 4, 4, 4, 4, 4, 6, 6, 6, 6, 7, 8];
/** Bits of error correction level L in the format information. */
const LEVEL = 1;

/** Whether a mask inverts the module at a place. @type {((x: number, y: number) => boolean)[]} */
const MASKS = [
  (x, y) => (x + y) % 2 === 0,
  (_, y) => y % 2 === 0,
  (x) => x % 3 === 0,
  (x, y) => (x + y) % 3 === 0,
  (x, y) => (Math.floor(x / 3) + Math.floor(y / 2)) % 2 === 0,
  (x, y) => ((x * y) % 2) + ((x * y) % 3) === 0,
  (x, y) => (((x * y) % 2) + ((x * y) % 3)) % 2 === 0,
  (x, y) => (((x + y) % 2) + ((x * y) % 3)) % 2 === 0,
];

/**
 * Returns the modules of a text's code by rows, `true` for dark ones, without the quiet zone around it.
 * @param {string} text
 * @throws {RangeError} If the text has more bytes than the largest version holds.
 */
export function encodeQr(text) {
  const bytes = new TextEncoder().encode(text);
  let version = 1;
  while (version <= MAX_VERSION && bytes.length > dataWords(version) - (version < 10 ? 2 : 3)) version++;
  if (version > MAX_VERSION) throw new RangeError("the text is too long for a QR code");
  const words = addCheckWords(toWords(bytes, version), version);
  const drawn = MASKS.map((_, mask) => drawCode(words, version, mask));
  return drawn.reduce((best, code) => (penalty(code) < penalty(best) ? code : best));
}

/** Modules of a version that hold data and error correction. @param {number} version */
function dataModules(version) {
  const aligned = Math.floor(version / 7) + 2;
  const alignment = version === 1 ? 0 : (25 * aligned - 10) * aligned - 55;
  return (16 * version + 128) * version + 64 - alignment - (version >= 7 ? 36 : 0);
}

/** @param {number} version */
function dataWords(version) {
  return Math.floor(dataModules(version) / 8) - CHECK_WORDS[version] * BLOCKS[version];
}

/** Returns the data codewords: mode, length, bytes, padding. @param {Uint8Array} bytes @param {number} version */
function toWords(bytes, version) {
  const capacity = dataWords(version);
  let bits = `0100${bytes.length.toString(2).padStart(version < 10 ? 8 : 16, "0")}`;
  for (const byte of bytes) bits += byte.toString(2).padStart(8, "0");
  bits += "0".repeat(Math.min(4, capacity * 8 - bits.length));
  bits = bits.padEnd(Math.ceil(bits.length / 8) * 8, "0");
  const words = Array.from({ length: bits.length / 8 }, (_, at) => parseInt(bits.slice(at * 8, at * 8 + 8), 2));
  for (let pad = 0xec; words.length < capacity; pad ^= 0xec ^ 0x11) words.push(pad);
  return words;
}

/** Splits the codewords into blocks, and interleaves these with their error correction. @param {number[]} words @param {number} version */
function addCheckWords(words, version) {
  const count = BLOCKS[version];
  const short = Math.floor(words.length / count);
  const longer = words.length % count;
  const divisor = generator(CHECK_WORDS[version]);
  /** @type {{ data: number[], check: number[] }[]} */
  const blocks = [];
  for (let number = 0, at = 0; number < count; number++) {
    const data = words.slice(at, (at += short + (number >= count - longer ? 1 : 0)));
    blocks.push({ data, check: remainder(data, divisor) });
  }
  const column = (/** @type {"data" | "check"} */ part, /** @type {number} */ at) => blocks.flatMap((block) => block[part].slice(at, at + 1));
  const columns = (/** @type {"data" | "check"} */ part, /** @type {number} */ length) => Array.from({ length }, (_, at) => column(part, at)).flat();
  return [...columns("data", short + 1), ...columns("check", divisor.length)];
}

/** Product in the field of 256 elements modulo x^8 + x^4 + x^3 + x^2 + 1. @param {number} a @param {number} b */
function multiply(a, b) {
  let product = 0;
  for (let bit = 7; bit >= 0; bit--) product = (product << 1) ^ ((product >> 7) * 0x11d) ^ (((b >> bit) & 1) * a);
  return product;
}

/** Coefficients of the generator polynomial of a degree, without the leading one. @param {number} degree */
function generator(degree) {
  const result = [...Array(degree - 1).fill(0), 1];
  for (let round = 0, root = 1; round < degree; round++, root = multiply(root, 2)) {
    result.forEach((value, at) => { result[at] = multiply(value, root) ^ (result[at + 1] ?? 0); });
  }
  return result;
}

/** @param {number[]} data @param {number[]} divisor */
function remainder(data, divisor) {
  const result = divisor.map(() => 0);
  for (const word of data) {
    const factor = word ^ Number(result.shift());
    result.push(0);
    divisor.forEach((value, at) => { result[at] ^= multiply(value, factor); });
  }
  return result;
}

/** @param {number[]} words @param {number} version @param {number} mask */
function drawCode(words, version, mask) {
  const size = version * 4 + 17;
  /** @type {(boolean | null)[][]} */
  const code = Array.from({ length: size }, () => Array(size).fill(null));
  const set = (/** @type {number} */ x, /** @type {number} */ y, /** @type {boolean} */ dark) => { if (x >= 0 && y >= 0 && x < size && y < size) code[y][x] = dark; };
  for (let at = 0; at < size; at++) { set(6, at, at % 2 === 0); set(at, 6, at % 2 === 0); }
  const square = (/** @type {number} */ x, /** @type {number} */ y, /** @type {number} */ radius) => {
    for (let dy = -radius; dy <= radius; dy++) for (let dx = -radius; dx <= radius; dx++) {
      const distance = Math.max(Math.abs(dx), Math.abs(dy));
      set(x + dx, y + dy, radius === 2 ? distance !== 1 : distance !== 2 && distance !== 4);
    }
  };
  const places = alignment(version, size);
  // Three corners have finder patterns instead.
  const isFinder = (/** @type {number} */ x, /** @type {number} */ y) => x + y === 12 || x + y === size - 1 && (x === 6 || y === 6);
  for (const x of places) for (const y of places) if (!isFinder(x, y)) square(x, y, 2);
  for (const [x, y] of [[3, 3], [size - 4, 3], [3, size - 4]]) square(x, y, 4);
  drawFormat(set, size, mask);
  if (version >= 7) drawVersion(set, size, version);
  fill(code, words, MASKS[mask]);
  return /** @type {boolean[][]} */ (code);
}

/** Centres of the alignment patterns on each axis. @param {number} version @param {number} size */
function alignment(version, size) {
  if (version === 1) return [];
  const count = Math.floor(version / 7) + 2;
  const step = Math.ceil((version * 4 + 4) / (count * 2 - 2)) * 2;
  return [6, ...Array.from({ length: count - 1 }, (_, at) => size - 7 - (count - 2 - at) * step)];
}

/** Returns a value with its BCH code behind it. @param {number} value @param {number} divisor @param {number} bits */
function bch(value, divisor, bits) {
  let rest = value << bits;
  for (let bit = 31 - Math.clz32(rest); bit >= bits; bit--) if ((rest >> bit) & 1) rest ^= divisor << (bit - bits);
  return (value << bits) | rest;
}

/** @param {(x: number, y: number, dark: boolean) => void} set @param {number} size @param {number} mask */
function drawFormat(set, size, mask) {
  const bits = bch((LEVEL << 3) | mask, 0x537, 10) ^ 0x5412;
  const bit = (/** @type {number} */ at) => ((bits >> at) & 1) === 1;
  for (let at = 0; at < 15; at++) {
    // Once around the upper left corner, skipping the timing patterns, and once along the other two.
    const inner = at < 6 ? at : at < 8 ? at + 1 : at === 8 ? 7 : 14 - at;
    if (at < 8) { set(8, inner, bit(at)); set(size - 1 - at, 8, bit(at)); } else { set(inner, 8, bit(at)); set(8, size - 15 + at, bit(at)); }
  }
  set(8, size - 8, true);
}

/** @param {(x: number, y: number, dark: boolean) => void} set @param {number} size @param {number} version */
function drawVersion(set, size, version) {
  const bits = bch(version, 0x1f25, 12);
  for (let at = 0; at < 18; at++) {
    const [a, b] = [size - 11 + (at % 3), Math.floor(at / 3)];
    set(a, b, ((bits >> at) & 1) === 1);
    set(b, a, ((bits >> at) & 1) === 1);
  }
}

/** Puts the codewords into the free modules, in columns of two from the right, up and down. @param {(boolean | null)[][]} code @param {number[]} words @param {(x: number, y: number) => boolean} mask */
function fill(code, words, mask) {
  const size = code.length;
  let at = 0;
  for (let right = size - 1; right >= 1; right -= 2) {
    if (right === 6) right = 5;
    for (let step = 0; step < size; step++) for (const x of [right, right - 1]) {
      const y = ((right + 1) & 2) === 0 ? size - 1 - step : step;
      if (code[y][x] !== null) continue;
      code[y][x] = (((words[at >> 3] ?? 0) >> (7 - (at & 7))) & 1) === 1 !== mask(x, y);
      at++;
    }
  }
}

/** How hard a code is to read: runs, blocks and lookalikes of finder patterns. @param {boolean[][]} code */
function penalty(code) {
  const size = code.length;
  let sum = 0;
  const lines = [...code, ...code.map((_, x) => code.map((row) => row[x]))].map((line) => line.map(Number).join(""));
  for (const line of lines) {
    for (const run of line.match(/0{5,}|1{5,}/g) ?? []) sum += run.length - 2;
    sum += 40 * (line.match(/(?=00001011101|10111010000)/g) ?? []).length;
  }
  for (let y = 1; y < size; y++) for (let x = 1; x < size; x++) {
    if (code[y][x] === code[y - 1][x] && code[y][x] === code[y][x - 1] && code[y][x] === code[y - 1][x - 1]) sum += 3;
  }
  const dark = code.flat().filter(Boolean).length / (size * size);
  return sum + 10 * Math.floor(Math.abs(dark - 0.5) * 20);
}
