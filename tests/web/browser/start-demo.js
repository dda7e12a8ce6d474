// In place of web/connection/start.js: the demo store, which needs no server.

import { demo } from "/tests/web/demo.js";

const fixture = await demo({ messages: Number(new URLSearchParams(location.search).get("messages") ?? 60) });
Object.assign(globalThis, { fixture });

export const start = () => fixture.store;
