/**
 * Markup in messages: `*bold*`, `_italic_`, `~strike~`, `` `code` ``, blocks between ```` ``` ````, links, mentions, and the
 * formatting codes of IRC. The rules and the test vectors are those of src/client/screen/text/markup: a mark starts markup where
 * white space, the start of the line, a bracket, punctuation or another mark precedes it and anything but white space follows;
 * it ends markup the other way round. A mark within a word is text, and so is all that has no end on its line.
 */

import { splitCodes } from "./clean.js";
import { areInOneWord, charAt, charBefore, findWord, isWordChar } from "./words.js";
import { findUrls, linkTarget } from "./urls.js";

/** @import { Attribute, Block, Format, MarkupOptions, Span } from "../model/types.js" */

/** @typedef {{ start: number, end: number, attribute: Attribute }} Part */

/** Limit of the marked parts of one message. Marks beyond it are text. */
const MAX_PARTS = 1000;

const FENCE = "```";

/**
 * Parses a cleaned text, which may have formatting codes, to blocks: lines of spans, and code.
 * @param {string} source
 * @param {MarkupOptions} [options]
 * @returns {Block[]}
 */
export function parseMarkup(source, options = {}) {
  const { text, formats } = readCodes(source);
  const links = findUrls(text);
  const parser = new Parser(text, links);
  for (const word of [options.me ?? "", ...(options.highlights ?? [])]) {
    for (const [start, end] of findWord(text, word)) {
      if (links.some(([from, to]) => from <= start && start < to)) continue;
      parser.add(text[start - 1] === "@" && !isWordChar(charBefore(text, start - 1)) ? start - 1 : start, end, "mention");
    }
  }
  if (!options.raw && /[*_~`]/.test(text)) parser.scan();
  return toBlocks(text, parser.parts, links, formats, options);
}

/** Returns a text in one line without marks and codes, for notifications and quotes. @param {string} source */
export function plainText(source) {
  const blocks = parseMarkup(source);
  const lines = blocks.flatMap((block) =>
    block.type === "code" ? [block.text] : block.lines.map((line) => line.map((span) => span.text).join("")),
  );
  return lines.join(" ").replace(/\s+/g, " ").trim();
}

class Parser {
  /** @param {string} text @param {[number, number][]} links */
  constructor(text, links) {
    this.text = text;
    this.links = links;
    /** @type {Part[]} */
    this.parts = [];
  }

  /** @param {number} start @param {number} end @param {Attribute} attribute */
  add(start, end, attribute) {
    if (this.parts.length < MAX_PARTS) this.parts.push({ start, end, attribute });
  }

  scan() {
    let from = 0;
    while (this.parts.length < MAX_PARTS) {
      const block = this.findBlock(from);
      if (block === null) break;
      this.scanLines(from, block.start);
      this.add(block.start, block.innerStart, "fence");
      this.add(block.innerStart, block.innerEnd, "block");
      this.add(block.innerEnd, block.end, "fence");
      from = block.end;
    }
    this.scanLines(from, this.text.length);
  }

  /** Returns the first block of code at or after `from`, which must be the start of a line. @param {number} from */
  findBlock(from) {
    const { text } = this;
    for (let at = from; at < text.length; ) {
      const lineEnd = text.indexOf("\n", at);
      const next = lineEnd < 0 ? text.length : lineEnd + 1;
      const line = text.slice(at, next);
      const start = at;
      at = next;
      const info = /^ *```([^`]*)$/.exec(line)?.[1];
      if (info === undefined) continue;
      // A word behind the fence names the language. Anything else is code already.
      const innerStart = /^[A-Za-z0-9+\-#_.]*$/.test(info.trimEnd()) ? next : next - info.length;
      const closing = text.indexOf(FENCE, innerStart);
      // Without an end here, no later block has one.
      if (closing < 0) return null;
      let end = closing + FENCE.length;
      while (text.charAt(end) === "`" || text.charAt(end) === " ") end += 1;
      if (end < text.length && text.charAt(end) !== "\n") continue;
      // The line ends before both fences belong to them.
      const endsLine = closing > innerStart && text.charAt(closing - 1) === "\n";
      return {
        start: start > from ? start - 1 : start,
        innerStart,
        innerEnd: endsLine ? closing - 1 : closing,
        end: Math.min(end + 1, text.length),
      };
    }
    return null;
  }

  /** @param {number} from @param {number} to */
  scanLines(from, to) {
    for (let start = from; start <= to; ) {
      const lineEnd = this.text.indexOf("\n", start);
      const end = lineEnd < 0 || lineEnd > to ? to : lineEnd;
      this.scanLine(start, end);
      start = end + 1;
    }
  }

  /** @param {number} start @param {number} end */
  scanLine(start, end) {
    const { text } = this;
    /** @type {{ mark: string, count: number, at: number }[]} */
    let openers = [];
    // Counts of backquotes that have no partner on the rest of the line.
    const withoutPartner = new Set();
    let link = this.links.findIndex((range) => range[1] > start);
    if (link < 0) link = this.links.length;
    for (let at = start; at < end; ) {
      const range = this.links[link];
      if (range !== undefined && range[0] <= at) {
        at = Math.max(range[1], at);
        link += 1;
        continue;
      }
      const mark = text.charAt(at);
      if (mark !== "*" && mark !== "_" && mark !== "~" && mark !== "`") {
        at += 1;
        continue;
      }
      let behind = at + 1;
      while (behind < end && text.charAt(behind) === mark) behind += 1;
      const count = behind - at;
      const most = mark === "`" ? 3 : mark === "_" ? 1 : 2;
      const opensAt = at;
      at = behind;
      if (count > most || this.parts.length >= MAX_PARTS) continue;
      const before = opensAt === start ? "" : charBefore(text, opensAt);
      const after = behind === end ? "" : charAt(text, behind);
      if (mark === "`") {
        if (!mayOpen(before, after) || withoutPartner.has(count)) continue;
        const partner = this.findPartner(behind, end, count);
        if (partner < 0) {
          withoutPartner.add(count);
          continue;
        }
        this.addMarkup(opensAt, behind, partner, count, "code");
        at = partner + count;
        while ((this.links[link]?.[1] ?? Infinity) <= at) link += 1;
        continue;
      }
      const index = openers.findLastIndex((opener) => opener.mark === mark && opener.count === count);
      const opener = openers[index];
      if (opener !== undefined && mayClose(before, after) && hasContent(text.slice(opener.at + count, opensAt))) {
        const attribute = mark === "*" ? "bold" : mark === "_" ? "italic" : "strike";
        this.addMarkup(opener.at, opener.at + count, opensAt, count, attribute);
        openers.length = index;
      } else if (mayOpen(before, after)) {
        openers = openers.filter((other) => other.mark !== mark || other.count !== count);
        openers.push({ mark, count, at: opensAt });
      }
    }
  }

  /** Returns the offset of the next run of exactly `count` backquotes that may close, or -1. @param {number} from @param {number} end @param {number} count */
  findPartner(from, end, count) {
    const { text } = this;
    for (let at = text.indexOf("`", from); at >= 0 && at < end; ) {
      let behind = at + 1;
      while (behind < end && text.charAt(behind) === "`") behind += 1;
      const after = behind === end ? "" : charAt(text, behind);
      if (behind - at === count && at > from && mayClose(charBefore(text, at), after)) return at;
      at = text.indexOf("`", behind);
    }
    return -1;
  }

  /** @param {number} at Offset of the first mark. @param {number} start @param {number} end @param {number} count @param {Attribute} attribute */
  addMarkup(at, start, end, count, attribute) {
    this.add(at, at + count, "mark");
    this.add(end, end + count, "mark");
    this.add(start, end, attribute);
  }
}

/** Returns whether a mark between these characters may start markup. @param {string} before @param {string} after */
function mayOpen(before, after) {
  return after !== "" && !/\s/.test(after) && isFree(after, before);
}

/** Returns whether a mark between these characters may end markup. @param {string} before @param {string} after */
function mayClose(before, after) {
  return before !== "" && !/\s/.test(before) && isFree(before, after);
}

/** Returns whether what stands outside of a mark allows it to be one. @param {string} inside @param {string} outside */
function isFree(inside, outside) {
  if (outside === "" || /\s/.test(outside)) return true;
  if (isWordChar(outside)) return !areInOneWord(isWordChar(inside) ? inside : outside, outside);
  // The mouth of a face such as `-_-` stands between equal eyes.
  if (outside === inside || "/\\@#%&".includes(outside)) return false;
  return "*_~`".includes(outside) || /\p{P}/u.test(outside);
}

/** Returns whether markup has more between its marks than punctuation. @param {string} text */
function hasContent(text) {
  return /(?!_)[\p{Alphabetic}\p{N}\p{M}]|(?!\s)[^\0-\x7f]/u.test(text);
}

/**
 * Separates the formatting codes from a text. A format ends with its line, as it does where each line is a message.
 * @param {string} source
 * @returns {{ text: string, formats: { at: number, format: Format }[] }}
 */
function readCodes(source) {
  /** @type {{ at: number, format: Format }[]} */
  const formats = [];
  if (!/[\x02-\x04\x0f\x11\x16\x1d-\x1f]/.test(source)) return { text: source, formats };
  let text = "";
  /** @type {Format} */
  let format = {};
  splitCodes(source).forEach((part, index) => {
    if (index % 2 === 1) {
      format = applyCode(format, part);
      formats.push({ at: text.length, format });
      return;
    }
    const line = part.indexOf("\n");
    if (line >= 0) {
      format = {};
      formats.push({ at: text.length + line, format });
    }
    text += part;
  });
  return { text, formats };
}

/** @type {Record<string, "bold" | "italic" | "underline" | "strike" | "code" | "reverse">} */
const TOGGLES = { "\x02": "bold", "\x1d": "italic", "\x1f": "underline", "\x1e": "strike", "\x11": "code", "\x16": "reverse" };

/** The 99 colours of IRC (https://modern.ircdocs.horse/formatting#colors), six digits each. */
const COLOURS =
  "ffffff00000000007f009300ff00007f00009c009cfc7f00ffff0000fc0000939300ffff0000fcff00ff7f7f7fd2d2d2" +
  "47000047210047470032470000470000472c0047470027470000472e004747004747002a" +
  "740000743a007474005174000074000074490074740040740000744b0074740074740045" +
  "b50000b56300b5b5007db50000b50000b57100b5b50063b50000b57500b5b500b5b5006b" +
  "ff0000ff8c00ffff00b2ff0000ff0000ffa000ffff008cff0000ffa500ffff00ffff0098" +
  "ff5959ffb459ffff71cfff606fff6f65ffc96dffff59b4ff5959ffc459ffff66ffff59bc" +
  "ff9c9cffd39cffff9ce2ff9c9cff9c9cffdb9cffff9cd3ff9c9cffdc9cffff9cffff94d3" +
  "0000001313132828283636364d4d4d6565658181819f9f9fbcbcbce2e2e2ffffff";

/** @param {string} digits @returns {string | undefined} A CSS colour; none for the default. */
function colour(digits) {
  const at = Number(digits) * 6;
  return at + 6 <= COLOURS.length ? `#${COLOURS.slice(at, at + 6)}` : undefined;
}

/** @param {Format} format @param {string} code @returns {Format} */
function applyCode(format, code) {
  const kind = code.charAt(0);
  const toggle = TOGGLES[kind];
  if (toggle !== undefined) return { ...format, [toggle]: !format[toggle] };
  if (kind === "\x0f") return {};
  const [front, back] = code.slice(1).split(",");
  const { background } = format;
  const others = { ...format };
  delete others.color;
  delete others.background;
  if (!front) return others;
  const read = kind === "\x03" ? colour : (/** @type {string} */ digits) => `#${digits}`;
  const [color, behind] = [read(front), back === undefined ? background : read(back)];
  return { ...others, ...(color && { color }), ...(behind && { background: behind }) };
}

/**
 * Cuts the text at each change of format, and puts the pieces into blocks.
 * @param {string} text
 * @param {Part[]} parts
 * @param {[number, number][]} links
 * @param {{ at: number, format: Format }[]} formats
 * @param {MarkupOptions} options
 * @returns {Block[]}
 */
function toBlocks(text, parts, links, formats, options) {
  const changes = parts.flatMap(({ start, end, attribute }) => [
    { at: start, attribute, by: 1 },
    { at: end, attribute, by: -1 },
  ]);
  changes.sort((a, b) => a.at - b.at);
  const ends = new Set([...changes.map((change) => change.at), ...formats.map(({ at }) => at), ...links.flat(), text.length]);
  /** @type {Record<Attribute, number>} */
  const active = { bold: 0, italic: 0, strike: 0, code: 0, mark: 0, block: 0, fence: 0, mention: 0 };
  const builder = new Builder(options);
  let [start, change, format, link] = [0, 0, 0, 0];
  for (const end of [...ends].filter((at) => at > 0).sort((a, b) => a - b)) {
    for (let next = changes[change]; next !== undefined && next.at <= start; next = changes[(change += 1)]) {
      active[next.attribute] += next.by;
    }
    while ((formats[format]?.at ?? Infinity) <= start) format += 1;
    while ((links[link]?.[1] ?? Infinity) <= start) link += 1;
    const piece = text.slice(start, end);
    const range = links[link];
    const href = range !== undefined && range[0] <= start ? linkTarget(text.slice(...range)) : "";
    start = end;
    if (active.mark > 0) continue;
    if (active.fence > 0) builder.endBlock();
    else if (active.block > 0) builder.addCode(piece);
    else {
      builder.addText(piece, {
        ...formats[format - 1]?.format,
        ...(active.bold > 0 && { bold: true }),
        ...(active.italic > 0 && { italic: true }),
        ...(active.strike > 0 && { strike: true }),
        ...(active.code > 0 && { code: true }),
        ...(href !== "" ? { href } : active.mention > 0 && { mention: true }),
      });
    }
  }
  builder.endBlock();
  return builder.blocks;
}

class Builder {
  /** @param {MarkupOptions} options */
  constructor({ isChannel = () => false, isPerson = () => false }) {
    this.isChannel = isChannel;
    this.isPerson = isPerson;
    /** @type {Block[]} */
    this.blocks = [];
    /** @type {Span[][] | null} */
    this.lines = null;
    /** @type {string | null} */
    this.code = null;
  }

  endBlock() {
    if (this.code !== null) this.blocks.push({ type: "code", text: this.code });
    if (this.lines !== null) this.blocks.push({ type: "text", lines: this.lines });
    this.code = null;
    this.lines = null;
  }

  /** @param {string} piece */
  addCode(piece) {
    if (this.lines !== null) this.endBlock();
    this.code = (this.code ?? "") + piece;
  }

  /** @param {string} piece @param {Format} format */
  addText(piece, format) {
    if (this.code !== null) this.endBlock();
    piece.split("\n").forEach((text, index) => {
      this.lines ??= [[]];
      if (index > 0) this.lines.push([]);
      if (text === "") return;
      const line = /** @type {Span[]} */ (this.lines[this.lines.length - 1]);
      if (format.code || format.mention || format.href !== undefined) line.push({ text, ...format });
      else for (const span of this.nameSpans(text, line.length === 0)) line.push({ ...span, ...format });
    });
  }

  /** @param {string} text @param {boolean} isStart Whether it begins a line, and so may name whom it is for. @returns {Span[]} */
  nameSpans(text, isStart) {
    const addressed = isStart ? /^[A-Za-z[\]\\`_^{|}][A-Za-z\d[\]\\`_^{|}-]*(?=[:,] )/.exec(text)?.[0] : undefined;
    if (addressed !== undefined && this.isPerson(addressed)) return [{ text: addressed, person: addressed }, ...this.nameSpans(text.slice(addressed.length), false)];
    if (!/[#@]/.test(text)) return [{ text }];
    return text.split(/((?<![\p{Alphabetic}\p{N}_&/#@.])(?:#[\p{Alphabetic}\p{N}\p{M}_-]+|@[A-Za-z[\]\\`_^{|}][A-Za-z\d[\]\\`_^{|}-]*))/u).flatMap((part, index) => {
      if (part === "") return [];
      if (index % 2 === 0) return [{ text: part }];
      if (part.startsWith("@")) return [this.isPerson(part.slice(1)) ? { text: part, person: part.slice(1) } : { text: part }];
      return [this.isChannel(part) ? { text: part, channel: part } : { text: part }];
    });
  }
}
