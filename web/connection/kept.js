/**
 * What `parlour web` keeps for the page between two runs. The browser is no place for it: its storage belongs to an address, and the
 * port is another one each time.
 */

import { parseObject } from "../model/settings.js";

/** @import { Storage, Socket, SocketEvents } from "../model/types.js" */

/** Time after which a broken connection is opened again, in ms. */
const RETRY = 5_000;

/**
 * Fills the storage with what is kept, and keeps its changes from then on. Without a connection it lasts as long as the page.
 * @param {Storage} storage
 * @param {{ token: string, server: string | null }} hello
 * @param {(events: SocketEvents) => Socket} connect
 * @returns {Promise<Storage>}
 */
export async function keep(storage, hello, connect) {
  /** Changes that were not sent. @type {Map<string, string | null>} */
  const waiting = new Map();
  /** @type {Socket | null} */
  let ready = null;
  const send = () => {
    if (ready === null) return;
    for (const [key, value] of waiting) ready.send(JSON.stringify({ key, value }));
    waiting.clear();
  };
  await new Promise((resolve) => open(resolve));
  return {
    ...storage,
    set: (key, value) => {
      storage.set(key, value);
      waiting.set(key, value);
      send();
    },
  };

  /** @param {(value?: unknown) => void} done */
  function open(done) {
    const socket = connect({
      open: () => socket.send(JSON.stringify({ ...hello, state: true })),
      message: (text) => {
        const { state } = parseObject(text);
        if (typeof state !== "object" || state === null) return;
        // What changed without a connection is newer.
        for (const [key, value] of Object.entries(state)) if (!waiting.has(key) && storage.get(key) === null) storage.set(key, String(value));
        ready = socket;
        send();
        done();
      },
      close: (code) => {
        ready = null;
        done();
        // Otherwise the token is wrong.
        if (code !== 4401) setTimeout(open, RETRY, () => {});
      },
    });
  }
}
