// eventsource-parser reads the cases from Node's own fetch.

import { createParser } from "eventsource-parser";

import { answer, asked } from "./asked.mjs";

async function observe({ name }) {
  const found = { events: [], retry: null };
  const parser = createParser({
    onEvent: ({ event, data, id }) => found.events.push([event ?? "message", data, id ?? ""]),
    onRetry: (retry) => (found.retry = retry),
  });
  try {
    const response = await fetch(`${asked.url}/${name}`, { headers: { Authorization: `Bearer ${asked.token}` } });
    const text = response.body?.pipeThrough(new TextDecoderStream());
    for await (const piece of text ?? []) parser.feed(piece);
  } catch (error) {
    found.failure = `${error}`;
  }
  return found;
}

await answer(observe);
process.exit();
