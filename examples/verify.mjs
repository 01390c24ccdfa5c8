// Stub, break, verify from a Node test (18 or later), without packages: does the client honour Retry-After?
//
//     node examples/verify.mjs        (or: node --test examples/verify.mjs)
//
// OAGW_PYTHON names the interpreter (default: python3), OAGW_SERVER the script (default: server.py).

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

const { OAGW_PYTHON = "python3", OAGW_SERVER = "server.py" } = process.env;
let server, url;

before(async () => {
  server = spawn(OAGW_PYTHON, [OAGW_SERVER, "0", "--exit-with-parent"], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  for await (const line of createInterface({ input: server.stdout })) {
    ({ url } = JSON.parse(line));
    return;
  }
  throw new Error("the gateway did not start; standard error says why");
});

after(() => server.kill());

// Call the control plane, with the token of a sandbox for that sandbox alone; throws its refusal.
async function admin(path, document, token) {
  const headers = { "Content-Type": "application/json", ...(token && { Authorization: `Bearer ${token}` }) };
  const answer = await fetch(`${url}/__admin/${path}`, {
    method: "POST",
    headers,
    body: JSON.stringify(document),
  });
  const text = await answer.text();
  assert.ok(answer.ok, `${path}: ${answer.status} ${text.replaceAll("\\n", "\n")}`);
  return JSON.parse(text);
}

// The client that is tested.
async function weather(token) {
  for (;;) {
    const answer = await fetch(`${url}/api/oagw/v1/proxy/weather/current?city=Oslo`, {
      headers: { Authorization: `Bearer ${token}` },
    });
    if (answer.status !== 429) return answer.json();
    await sleep(answer.headers.get("Retry-After") * 1000);
  }
}

test("a 429 is retried when Retry-After is over", { timeout: 20_000 }, async () => {
  const { token } = await admin("sandboxes", {}); // nobody else's stubs, nobody else's requests
  const request = { method: "GET", urlPath: "/api/oagw/v1/proxy/weather/current" };
  const response = { problem: { category: "resource_exhausted", retryAfter: 1 } };
  await admin("mappings", { request, response, times: 1 }, token);

  assert.equal((await weather(token)).location, "Oslo");

  const retried = { request, after: request, times: 1, notSoonerThan: 1 };
  await admin("verify", retried, token); // throws the reason if the client did not do it
  console.log("ok");
});
