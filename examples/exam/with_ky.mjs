// Take the exam with ky:
//
//     oagw-mock exam -- node examples/exam/with_ky.mjs
//
// The time-out of ky is for the head of the response. It neither follows pages nor reads server-sent events.

import { createInterface } from "node:readline";
import ky from "ky";

async function report({ kind, url, method, headers, body, token, timeout, retries }) {
  if (kind !== "call") return { outcome: "unsupported" };
  const options = {
    method,
    headers: { Authorization: `Bearer ${token}`, ...headers },
    json: body ?? undefined,
    timeout: timeout * 1000,
    retry: { limit: retries },
  };
  try {
    const answer = await ky(url, options);
    return { outcome: "value", value: answer.status === 204 ? null : await answer.json() };
  } catch (error) {
    const said = { outcome: "error", error: error.cause?.code ?? error.name, message: error.message };
    if (error.name !== "HTTPError") return said;
    const { status, headers } = error.response;
    return { ...said, status, source: headers.get("X-OAGW-Error-Source") };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const call = JSON.parse(line);
  report(call).then((said) => console.log(JSON.stringify({ id: call.id, ...said })));
}
