/** Reactions to messages. */

import { foldName } from "../wire/names.js";

/** @import { Change, Entry } from "./types.js" */

/** Limits of the reactions to one message. */
const MAX_EMOJIS = 24;
const MAX_REACTORS = 1_000;
const MAX_STAMPS = 5_000;

/** @param {Entry} entry @param {Extract<Change, { type: "react" }>} change */
export function applyReaction(entry, { emoji, from, mine, remove, at }) {
  // Pages come newest first, so what they say of a reaction may be older than what is known.
  entry.stamps ??= new Map();
  const stamp = `${baseEmoji(emoji)} ${foldName(from)}`;
  if ((entry.stamps.get(stamp) ?? "") > at || entry.stamps.size > MAX_STAMPS) return;
  entry.stamps.set(stamp, at);
  const reactions = entry.reactions ?? [];
  const known = reactions.find((reaction) => baseEmoji(reaction.emoji) === baseEmoji(emoji));
  if (known === undefined) {
    if (!remove && reactions.length < MAX_EMOJIS) reactions.push({ emoji, from: [from], mine, own: mine ? emoji : null });
  } else {
    const others = known.from.filter((name) => foldName(name) !== foldName(from));
    const isKnown = others.length < known.from.length;
    if (remove) known.from = others;
    else if (!isKnown && others.length < MAX_REACTORS) known.from.push(from);
    if (mine) [known.mine, known.own] = remove ? [false, null] : [true, known.own ?? emoji];
  }
  const left = reactions.filter((reaction) => reaction.from.length > 0);
  entry.reactions = left.length > 0 ? left : null;
}

/** Emojis that differ by their variation selectors are the same reaction. @param {string} emoji */
function baseEmoji(emoji) {
  return emoji.replace(/[\ufe0e\ufe0f]/g, "");
}
