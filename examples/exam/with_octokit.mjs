// Take the exam with Octokit and its plugins for retries, throttling and pages:
//
//     oagw-mock exam -- node examples/exam/with_octokit.mjs
//
// The plugin for retries also takes their number as request: { retries }. Then it repeats every error, 404
// too.

import { createInterface } from "node:readline";
import { Octokit } from "@octokit/core";
import { paginateRest } from "@octokit/plugin-paginate-rest";
import { retry } from "@octokit/plugin-retry";
import { throttling } from "@octokit/plugin-throttling";

const Client = Octokit.plugin(paginateRest, retry, throttling);
const clients = new Map();
const log = { debug() {}, info() {}, warn() {}, error() {} };

function client({ base_url, token, timeout, retries }) {
  if (!clients.has(token)) {
    const wanted = (_retryAfter, _options, _octokit, retryCount) => retryCount < retries;
    const octokit = new Client({
      baseUrl: base_url,
      log,
      // fetch has a time-out for the whole attempt only; the exam's is for the next byte.
      request: {
        fetch: (url, options) => {
          const signal = AbortSignal.timeout(Math.ceil(3 * timeout * 1000));
          return fetch(url, { ...options, signal });
        },
      },
      retry: { retries },
      throttle: { id: token, onRateLimit: wanted, onSecondaryRateLimit: wanted },
    });
    clients.set(token, octokit);
  }
  return clients.get(token);
}

async function report(call) {
  if (call.kind === "stream") return { outcome: "unsupported" };
  const { path: url, method, body, token } = call;
  // Octokit sends its own `auth` as `Authorization: token ...`.
  const headers = { authorization: `Bearer ${token}`, ...call.headers };
  const request = { method, url, headers, ...(body === null ? {} : { data: body }) };
  try {
    const octokit = client(call);
    if (call.kind === "pages") return { outcome: "value", value: await octokit.paginate(request) };
    const { status, data } = await octokit.request(request);
    return { outcome: "value", value: status === 204 ? null : data };
  } catch (error) {
    const said = { outcome: "error", error: error.name, message: error.message };
    if (!error.response) return said;
    return { ...said, status: error.status, source: error.response.headers["x-oagw-error-source"] ?? null };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const call = JSON.parse(line);
  report(call).then((said) => console.log(JSON.stringify({ id: call.id, ...said })));
}
