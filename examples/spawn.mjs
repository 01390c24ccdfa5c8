// Spawn the mock gateway from a Node test (18 or later), without packages.
//
//     node examples/spawn.mjs        (or: node --test examples/spawn.mjs)
//
// OAGW_PYTHON names the interpreter (default: python3), OAGW_SERVER the script (default: server.py).

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";

const { OAGW_PYTHON = "python3", OAGW_SERVER = "server.py" } = process.env;
let server, url;

before(async () => {
  // The server stops when its standard input ends, so it cannot outlive us, even if we are killed.
  server = spawn(OAGW_PYTHON, [OAGW_SERVER, "0", "--exit-with-parent"], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  // It writes one line of JSON, as soon as the socket accepts.
  for await (const line of createInterface({ input: server.stdout })) {
    ({ url } = JSON.parse(line));
    return;
  }
  throw new Error("the gateway did not start; standard error says why");
});

after(() => server.kill());

test("the weather in Oslo", { timeout: 10_000 }, async () => {
  const answer = await fetch(`${url}/api/oagw/v1/proxy/weather/current?city=Oslo`, {
    headers: { Authorization: "Bearer test-integration-token" },
  });
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get("X-OAGW-Error-Source"), "upstream");
  assert.equal((await answer.json()).location, "Oslo");
  console.log("ok");
});
