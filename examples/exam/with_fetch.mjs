// Take the exam with Node's own fetch:
//
//     oagw-mock exam -- node examples/exam/with_fetch.mjs
//
// fetch has no retries. It neither follows pages nor reads server-sent events. The time-out that it takes is
// for the whole call, while that of the exam is for the next byte: so it is three times as long here.

import { createInterface } from "node:readline";

async function report({ kind, url, method, headers, body, token, timeout }) {
  if (kind !== "call") return { outcome: "unsupported" };
  const type = body === null ? {} : { "Content-Type": "application/json" };
  let answer;
  try {
    answer = await fetch(url, {
      method,
      headers: { Authorization: `Bearer ${token}`, ...type, ...headers },
      body: body === null ? null : JSON.stringify(body),
      signal: AbortSignal.timeout(Math.ceil(3 * timeout * 1000)),
    });
    if (!answer.ok) throw new Error(await answer.text());
    return { outcome: "value", value: answer.status === 204 ? null : await answer.json() };
  } catch (error) {
    const said = { outcome: "error", error: error.cause?.code ?? error.name, message: error.message };
    if (!answer || answer.ok) return said;
    return { ...said, status: answer.status, source: answer.headers.get("X-OAGW-Error-Source") };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const call = JSON.parse(line);
  report(call).then((said) => console.log(JSON.stringify({ id: call.id, ...said })));
}
