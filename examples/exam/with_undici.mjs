// Take the exam with undici and its RetryAgent:
//
//     oagw-mock exam -- node examples/exam/with_undici.mjs
//
// undici neither follows pages nor reads server-sent events of a POST.

import { createInterface } from "node:readline";
import { Agent, interceptors, request, RetryAgent } from "undici";

const agents = new Map();

function agent(timeout, maxRetries) {
  const key = `${timeout} ${maxRetries}`;
  if (!agents.has(key)) {
    const agent = new Agent({ headersTimeout: timeout * 1000, bodyTimeout: timeout * 1000 });
    const redirect = interceptors.redirect({ maxRedirections: 5 });
    agents.set(key, new RetryAgent(agent.compose(redirect), { maxRetries }));
  }
  return agents.get(key);
}

async function report({ kind, url, method, headers, body, token, timeout, retries }) {
  if (kind !== "call") return { outcome: "unsupported" };
  const type = body === null ? {} : { "Content-Type": "application/json" };
  try {
    const answer = await request(url, {
      method,
      headers: { Authorization: `Bearer ${token}`, ...type, ...headers },
      body: body === null ? null : JSON.stringify(body),
      dispatcher: agent(timeout, retries),
    });
    if (answer.statusCode < 300) {
      return { outcome: "value", value: answer.statusCode === 204 ? null : await answer.body.json() };
    }
    const shown = { status: answer.statusCode, source: answer.headers["x-oagw-error-source"] ?? null };
    return { outcome: "error", error: "status", ...shown, message: await answer.body.text() };
  } catch (error) {
    const said = { outcome: "error", error: error.code ?? error.name, message: error.message };
    if (error.code !== "UND_ERR_REQ_RETRY") return said;
    return { ...said, status: error.statusCode, source: error.headers["x-oagw-error-source"] ?? null };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const call = JSON.parse(line);
  report(call).then((said) => console.log(JSON.stringify({ id: call.id, ...said })));
}
