// The eventsource package, an EventSource for Node, plays the cases.

import { EventSource } from "eventsource";

import { answer, asked } from "./asked.mjs";

function observe({ name, types }) {
  return new Promise((resolve) => {
    const events = [];
    const source = new EventSource(`${asked.url}/${name}`, {
      fetch: (input, init) =>
        fetch(input, { ...init, headers: { ...init.headers, Authorization: `Bearer ${asked.token}` } }),
    });
    for (const type of new Set([...types, "message", "error", "open"])) {
      source.addEventListener(type, (event) => {
        if (event instanceof MessageEvent) events.push([event.type, event.data, event.lastEventId]);
        else if (type === "error") {
          const reconnects = source.readyState !== EventSource.CLOSED;
          source.close();
          resolve({ events, reconnects });
        }
      });
    }
  });
}

await answer(observe);
process.exit();
