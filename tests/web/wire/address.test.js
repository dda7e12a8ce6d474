// Addresses of conversations.

import assert from "node:assert/strict";
import test from "node:test";

import { formatAddress, parseAddress } from "../../../web/wire/address.js";

test("a conversation has an address, and each address is that of one conversation", () => {
  assert.equal(formatAddress("#tea"), "#/tea");
  assert.equal(formatAddress("bob"), "#/@bob");
  assert.equal(formatAddress(null), "");
  for (const name of ["#tea", "##rust", "#@bob", "#a/b?c#d", "#بيت", "#100%", "bob", "Ødegård", `#${"0".repeat(63)}`]) {
    assert.equal(parseAddress(formatAddress(name)), name);
    assert.match(formatAddress(name), /^#\/[!-~]+$/);
  }
});

test("what is no address of a conversation names none", () => {
  for (const hash of ["", "#", "#/", "#/@", "#tea", "#/a%20b", "#/a,b", "#/%", "#/%ff", "#/@%23tea", "#/@a!b", "#/a%0d%0aQUIT", `#/${"a".repeat(70)}`, `#${"0".repeat(64)}`]) {
    assert.equal(parseAddress(hash), null, hash);
  }
  assert.equal(formatAddress("#a\ud800"), "#/a", "half a character has no form in an address");
});
