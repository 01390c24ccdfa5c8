// Take the exam with eventsource, the EventSource of browsers for Node:
//
//     oagw-mock exam -- node examples/exam/with_eventsource.mjs
//
// EventSource connects again after an error, and after an end. It has no time-out, and no limit of attempts,
// so this closes it when it has used up its retries.

import { createInterface } from "node:readline";
import { EventSource } from "eventsource";

function report({ kind, url, method, headers, body, token, retries, cancel_after }) {
  if (kind !== "stream") return { outcome: "unsupported" };
  const more = { Authorization: `Bearer ${token}`, "Content-Type": "application/json", ...headers };
  const source = new EventSource(url, {
    fetch: (input, init) =>
      fetch(input, { ...init, method, body: JSON.stringify(body), headers: { ...init.headers, ...more } }),
  });
  const pieces = [];
  let errors = 0;
  return new Promise((resolve) => {
    function end(said) {
      source.close();
      resolve({ text: pieces.join(""), ...said });
    }
    source.onmessage = ({ data }) => {
      if (data === "[DONE]") return end({ outcome: "text" });
      try {
        pieces.push(JSON.parse(data).choices[0].delta.content ?? "");
      } catch (error) {
        return end({ outcome: "error", error: error.name, message: error.message });
      }
      if (pieces.length === cancel_after) end({ outcome: "text", cancelled: true });
    };
    source.onerror = ({ code, message }) => {
      if (source.readyState !== EventSource.CLOSED && ++errors <= retries) return;
      end({ outcome: "error", error: "error event", status: code ?? null, message: message ?? "" });
    };
  });
}

for await (const line of createInterface({ input: process.stdin })) {
  const call = JSON.parse(line);
  Promise.resolve(report(call)).then((said) => console.log(JSON.stringify({ id: call.id, ...said })));
}
