import assert from "node:assert";
import http from "node:http";
import { describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { NotVerified, connect, start } from "oagw-mock-client";

const gateway = await start();

const ask = ({ method, url, token, headers, body, timeout }) =>
  fetch(url, {
    method,
    headers: { Authorization: `Bearer ${token}`, ...headers },
    body: body === null ? undefined : JSON.stringify(body),
    signal: AbortSignal.timeout(timeout * 1000),
  });

// It retries once what is busy, after the seconds of Retry-After. What else it retries is its fault.
const examined = (...faults) => async (call) => {
  if (call.kind !== "call") return { outcome: "unsupported" };
  try {
    let answer = await ask(call);
    if (answer.status === 429 || faults.includes(answer.status)) {
      await answer.text();
      await pause(1000 * Number(answer.headers.get("Retry-After")));
      answer = await ask(call);
    }
    const [text, { status }] = [await answer.text(), answer];
    if (!answer.ok) {
      return { outcome: "error", error: "status", status, source: answer.headers.get("X-OAGW-Error-Source") };
    }
    return { outcome: "value", value: JSON.parse(text) };
  } catch ({ name, message }) {
    return { outcome: "error", error: name, message };
  }
};

const situation = async (name) => (await gateway.situations(name))[0];

describe("a client is examined", { concurrency: 6 }, async () => {
  const names = ["retry-after-seconds", "not-retried-40*", "redirect-303", "token-sent", "pages-loop"];
  const situations = await gateway.situations(...names);
  test("in all that were selected", () => assert.equal(situations.length, 8));
  for (const one of situations) test(one.name, (t) => one.take(t, examined()));
});

test("a client that fails is told the evidence", async (t) => {
  await assert.rejects((await situation("not-retried-400")).take(t, examined(400)), (error) => {
    assert.ok(error instanceof NotVerified);
    assert.match(error.message, /^not-retried-400: The client .* 2 requests.*\nWhat happens: Every answer to the POST/);
    assert.match(error.message, /\nWhat a correct client does: .*\n[^]*POST \/v1\/chat\/completions -> 400 .*<-- evidence\n/);
    assert.match(error.message, /\nThe client reported: {"outcome": "error", "error": "status", "status": 400, "source": /);
    return true;
  });
});

test("a test is skipped if the situation is not judged", async () => {
  const reasons = [];
  const one = await situation("cut-inside-event");
  await one.take({ skip: (reason) => reasons.push(reason) }, examined());
  assert.deepEqual(reasons, ["not judged: The client does not support this."]);
  assert.equal((await one.take(examined())).verdict, "not judged");
});

test("what the function does wrong fails the test", async () => {
  const one = await situation("not-retried-400");
  const fails = (client, why) => assert.rejects(one.take(client), why);
  await fails(() => { throw new RangeError("no luck"); }, /^RangeError: no luck/); // prettier-ignore
  await fails(() => Promise.reject(new RangeError("no luck")), /^RangeError: no luck/);
  await fails(() => undefined, /^TypeError: the client returned undefined, not a report such as/);
  await fails(() => ({ outcome: "value" }), /422 \/reports\/0: The outcome "value" needs the member/);
  await fails(() => ({ outcome: "text", text: 1 }), /422 \/reports\/0\/text: /);
  await fails(() => ({ outcome: "value", value: 1n }), TypeError);
});

test("a client that returns nothing has a value", async () => {
  const client = async (call) => ({ outcome: "value", value: void (await (await ask(call)).text()) });
  assert.equal((await (await situation("no-content")).take(client)).verdict, "passed");
});

test("half of a surrogate pair can be reported", async () => {
  const judged = await (await situation("not-retried-400")).take(() => ({ outcome: "error", error: "\ud83d" }));
  assert.equal(judged.verdict, "not judged"); // no request came
});

test("situations are selected", async () => {
  const [all, pages] = [await gateway.situations(), await gateway.situations("pages", "pages-loop")];
  assert.ok(all.length > 100 && pages.length > 5);
  assert.deepEqual(new Set(pages.map(({ group, kind }) => `${group} ${kind}`)), new Set(["pages pages"]));
  await assert.rejects(gateway.situations("pages-lop"), /404 .*no situation or group "pages-lop", did you mean "pages-loop"/);
  process.env.OAGW_EXAM = "token-sent,reuse";
  try {
    assert.deepEqual((await gateway.situations("pages")).map(({ name }) => name), ["token-sent", "reuse"]);
  } finally {
    delete process.env.OAGW_EXAM;
  }
});

test("a gateway with a manual clock is refused", async () => {
  await using_(await start({ options: ["--clock", "manual"] }), async (manual) => {
    const [one] = await manual.situations("token-sent");
    await assert.rejects(one.take(examined()), /^Refused: POST \/__admin\/exam\/token-sent: 409 The exam measures time;/);
  });
});

async function using_(gateway, run) {
  try {
    await run(gateway);
  } finally {
    await gateway.stop();
  }
}

// What a control plane gets from a client in an examination of three calls, and when they were made.
async function reportsOf(examination, client) {
  let reports;
  const plane = http.createServer(async (request, answer) => {
    let text = "";
    for await (const more of request) text += more;
    if (text) ({ reports } = JSON.parse(text));
    const calls = ["1", "2", "3"].map((id) => ({ id }));
    const made = { id: "x", deadline: 0.3, stagger: 0.1, calls, ...examination };
    answer.end(JSON.stringify(text ? { verdict: "passed" } : request.method === "GET" ? { situations: [{ name: "a" }] } : made));
  });
  await new Promise((resolve) => plane.listen(0, "127.0.0.1", resolve));
  const times = [];
  const begin = performance.now();
  try {
    const [one] = await connect(`http://127.0.0.1:${plane.address().port}`).situations();
    await one.take((call) => {
      times.push(performance.now() - begin);
      return client(call.id);
    });
  } finally {
    plane.close();
  }
  return { reports: reports.map(({ outcome, text }) => text ?? outcome), times };
}

test("a client that does not return is judged for it", async () => {
  const client = async (id) => (id === "2" ? new Promise(() => {}) : { outcome: "text", text: id });
  const inTurn = await reportsOf({ at_once: false }, client);
  assert.deepEqual([inTurn.reports, inTurn.times.length], [["1", "none", "none"], 2]);
  const { reports, times } = await reportsOf({ at_once: true }, client);
  assert.deepEqual(reports, ["1", "none", "3"]);
  assert.ok(times[1] >= 99 && times[2] >= 199, `${times}`);
});

test("calls are made in turn, or at once", async () => {
  for (const [at_once, together] of [[false, 1], [true, 3]]) {
    let [running, most] = [0, 0];
    const { reports } = await reportsOf({ at_once, deadline: 9 }, async (id) => {
      most = Math.max(most, ++running);
      await pause(250);
      running--;
      return { outcome: "text", text: id };
    });
    assert.deepEqual([reports, most], [["1", "2", "3"], together]);
  }
});
