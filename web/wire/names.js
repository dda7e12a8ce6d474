/** Names of channels and accounts. */

/** Returns the form by which names are compared, as the server does: case and characters that are not seen make no difference. @param {string} name */
export function foldName(name) {
  if (/^[\x21-\x7e]*$/.test(name)) return name.toLowerCase();
  const seen = name.normalize("NFD").replace(/\p{Default_Ignorable_Code_Point}/gu, "");
  return Array.from(seen, foldChar).join("").normalize("NFC");
}

/** Comes near full case folding, which has no method of its own: `ß`, `ẞ` and `SS` are one, the dotless `ı` is no `i`. @param {string} c */
function foldChar(c) {
  return c === "ı" ? c : c.toLowerCase().toUpperCase().toLowerCase();
}

/** @param {string} name */
export function isChannel(name) {
  return name.startsWith("#");
}

/** Returns why a name cannot be that of a conversation, as a key of the texts; `null` if it can. @param {string} name */
export function nameProblem(name) {
  if (name === "" || name === "#") return "name.empty";
  if (/[\s,\p{Cc}]/u.test(name)) return "name.character";
  if (isChannel(name)) return byteLength(name) > 64 ? "name.long" : null;
  if (/^[:$~&%+\-\d]/.test(name) || /[!@*?]/.test(name)) return "name.character";
  return byteLength(name) > 64 ? "name.long" : null;
}

const encoder = new TextEncoder();

/** Length as UTF-8, in bytes. @param {string} text */
export function byteLength(text) {
  return encoder.encode(text).length;
}
