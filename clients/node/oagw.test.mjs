import assert from "node:assert";
import { test } from "node:test";
import { GatewayFailed, NotVerified, Refused, connect, inSandbox, pattern, start } from "oagw-mock-client";

const gateway = await start({ options: ["--clock", "manual"] });

const call = (sandbox, path, init = {}) => {
  const [alias, ...rest] = path.split("/");
  const headers = { Authorization: `Bearer ${sandbox.token}`, ...init.headers };
  return fetch([sandbox.aliasUrl(alias), ...rest].join("/"), { ...init, headers });
};

test("a stub answers its sandbox alone, as often as it was asked to", async (t) => {
  const [one, other] = [await gateway.sandbox(t), await gateway.sandbox(t)];
  const stub = await one.stub("GET weather/current", { status: 503, json: { busy: true }, times: 1 });

  const answer = await call(one, "weather/current?city=Oslo");
  assert.deepEqual([answer.status, await answer.json()], [503, { busy: true }]);
  assert.equal(answer.headers.get("Content-Type"), "application/json");
  assert.equal((await call(one, "weather/current?city=Oslo")).status, 200);
  assert.equal((await call(other, "weather/current?city=Oslo")).status, 200);

  assert.equal(await one.verify("GET weather/current", { times: 2 }), 2);
  assert.deepEqual((await one.requests("GET weather/current")).map(({ oagw }) => oagw.status), [503, 200]);
  assert.deepEqual((await stub.requests()).map(({ oagw }) => oagw.stub), [stub.id]);
  assert.equal((await other.requests()).length, 1);
});

test("bodies and headers of stubs are sent as they are", async (t) => {
  const sandbox = await gateway.sandbox(t);
  await sandbox.stub("GET a/bytes", { body: new Uint8Array([0, 255, 1]), headers: { "X-One": "1" } });
  await sandbox.stub("GET a/typed", { json: [], headers: { "content-type": "application/vnd.a+json" } });
  await sandbox.stub("GET a/null", { json: null });

  const answer = await call(sandbox, "a/bytes");
  assert.deepEqual([...new Uint8Array(await answer.arrayBuffer())], [0, 255, 1]);
  assert.equal(answer.headers.get("X-One"), "1");
  assert.equal((await call(sandbox, "a/typed")).headers.get("Content-Type"), "application/vnd.a+json");
  assert.equal(await (await call(sandbox, "a/null")).text(), "null");
});

test("a removed stub or toxic does not act", async (t) => {
  const sandbox = await gateway.sandbox(t);
  const stub = await sandbox.stub("GET weather/current", { status: 500 });
  const toxic = await sandbox.toxic("limit_data", { bytes: 20 }, { request: "GET weather/current" });
  await assert.rejects(call(sandbox, "weather/current?city=Oslo"), TypeError);
  for (let time = 0; time < 2; time++) await Promise.all([stub.remove(), toxic.remove()]);
  assert.equal((await call(sandbox, "weather/current?city=Oslo")).status, 200);
  const [cut] = await sandbox.requests();
  assert.deepEqual([cut.oagw.ended, cut.oagw.toxics], ["truncated", [toxic.name]]);
});

test("a request stands for a pattern", () => {
  assert.deepEqual(pattern(" get  stripe/v1/x "), { method: "GET", urlPath: "/api/oagw/v1/proxy/stripe/v1/x" });
  assert.deepEqual(pattern("ANY /health"), { method: "ANY", urlPath: "/health" });
  assert.deepEqual(pattern("GET /x?a={b}"), { method: "GET", url: "/x?a={b}" });
  assert.deepEqual(pattern("GET /x/{id}", { headers: {} }), {
    method: "GET",
    urlPathTemplate: "/x/{id}",
    headers: {},
  });
  for (const wrong of ["", "GET", "/health"]) assert.throws(() => pattern(wrong), /such as "GET weather\/current"/);
});

test("a refusal says which call was refused, where, and why", async (t) => {
  const sandbox = await gateway.sandbox(t);
  await assert.rejects(sandbox.stub("GET a/b", { staus: 200 }), (error) => {
    assert.ok(error instanceof Refused);
    assert.deepEqual([error.call, error.status], ["POST /__admin/mappings", 422]);
    assert.match(error.message, /^POST \/__admin\/mappings: 422 \/response\/staus: .*did you mean "status"/);
    assert.match(error.stack.split("\n")[1], /oagw\.test\.mjs|processTicksAndRejections/);
    return true;
  });
  await assert.rejects(sandbox.toxic("laency"), /POST \/__admin\/toxics: 422 \/type: .*did you mean "latency"/);
  await assert.rejects(sandbox.verify("GET a/b", { times: -1 }), /POST \/__admin\/verify: 422 \/times: /);
  await assert.rejects(sandbox.requests({ colour: "red" }), Refused);
  await assert.rejects(sandbox.admin("POST", "/clock/advance", { seconds: 1 }), /403 All sandboxes share/);
});

test("a verification that fails says what came instead", async (t) => {
  const sandbox = await gateway.sandbox(t);
  await call(sandbox, "weather/current?city=Oslo");
  await assert.rejects(sandbox.verify("GET weather/current?city=Rome"), (error) => {
    assert.ok(error instanceof NotVerified);
    assert.match(error.message, /Expected at least 1 request, but there were none:[^]*city=Rome[^]*city=Oslo/);
    return true;
  });
  await assert.rejects(sandbox.verify("ANY weather/current", { times: 0 }), /Expected no request/);
});

test("the clock is moved when the answer waits for it", async (t) => {
  const sandbox = await gateway.sandbox(t);
  await sandbox.stub("GET a/slow", { delay: 30 });
  for (const move of [() => sandbox.clock.advance(30), () => gateway.clock.advanceUntilIdle()]) {
    const answer = call(sandbox, "a/slow");
    assert.equal((await sandbox.clock.waitPending()).pending, 1);
    const { now } = await gateway.clock.state();
    assert.equal((await move()).now, now + 30);
    assert.equal((await answer).status, 200);
  }
  await sandbox.verify("GET a/slow", { after: "GET a/slow", notLaterThan: 31, within: 0 });
  await assert.rejects(gateway.clock.waitPending(1, 0), /0 answers wait for the clock, not 1, after 0 s/);
  await assert.rejects(gateway.clock.advance(-1), /POST \/__admin\/clock\/advance: 422 \/seconds/);
});

test("the report has what had no effect", async (t) => {
  const sandbox = await gateway.sandbox(t);
  const stub = await sandbox.stub("GET a/b");
  const report = await sandbox.report({ retryDue: true });
  assert.deepEqual([report.requests, report.findings, report.unused[0].id], [0, [], stub.id]);
  assert.match(await sandbox.reportText(), /^0 requests, 0 findings\n[^]*unused stub GET a\/b/);
  await assert.rejects(sandbox.check(), /strict:\nunused stub GET a\/b .*It matched no request/);
  await sandbox.reset();
  await sandbox.check();
});

const URL_OF_UPSTREAM = "http://localhost:9000/v1/";
const LIMIT = { sustained: { rate: 2, window: "minute" } };

test("an upstream has its policies, a route for its path, and more routes", async (t) => {
  const sandbox = await gateway.sandbox(t);
  const upstream = await sandbox.upstream("Payments", URL_OF_UPSTREAM, { query: ["limit"], rate_limit: LIMIT });
  assert.deepEqual([upstream.alias, upstream.url], ["payments", `${sandbox.aliasUrl("payments")}/v1`]);
  const found = await sandbox.manage("GET", `/upstreams/${upstream.id}`);
  assert.deepEqual(found.server.endpoints, [{ scheme: "http", host: "127.0.0.1", port: 9000 }]);
  assert.deepEqual(found.rate_limit.sustained, LIMIT.sustained);

  const route = await sandbox.route(upstream, { path: "/v2", methods: ["GET"], priority: 3, tags: ["a"] });
  const [one, two] = (await sandbox.manage("GET", "/routes")).sort((a, b) => a.priority - b.priority);
  const methods = ["GET", "POST", "PUT", "DELETE", "PATCH"];
  const like = { methods, path: "/v1", query_allowlist: ["limit"], path_suffix_mode: "append" };
  assert.deepEqual(one.match.http, like);
  assert.deepEqual(two.match.http, { ...like, methods: ["GET"], path: "/v2", query_allowlist: [] });
  assert.deepEqual([two.id, two.tags], [route.id, ["a"]]);
  for (let time = 0; time < 2; time++) await route.remove();
  assert.equal((await sandbox.manage("GET", "/routes")).length, 1);
});

test("the alias of a hostname is derived", async (t) => {
  const sandbox = await gateway.sandbox(t);
  const { alias } = await sandbox.upstream(null, "https://api.vendor.example", { route: false });
  assert.equal(alias, "api.vendor.example");
  assert.deepEqual(await sandbox.manage("GET", "/routes"), []);
  const named = sandbox.upstream("vendor", "https://vendor.example");
  await assert.rejects(named, /400 alias is auto-derived .*\(derived: 'vendor.example'\)/);
});

test("a refusal of the gateway has its text, and leaves nothing", async (t) => {
  const sandbox = await gateway.sandbox(t);
  await assert.rejects(sandbox.upstream(null, "http://127.0.0.1:9000"), (error) => {
    assert.ok(error instanceof Refused);
    assert.deepEqual([error.call, error.status], ["POST /api/oagw/v1/upstreams", 400]);
    assert.match(error.text, /^explicit alias is required for IP-based/);
    return true;
  });
  const withHead = sandbox.upstream("lab", URL_OF_UPSTREAM, { methods: ["HEAD"] });
  await assert.rejects(withHead, /422 \/match\/http\/methods\/0/);
  assert.deepEqual(await sandbox.manage("GET", "/upstreams"), []);
  await assert.rejects(sandbox.upstream("lab", URL_OF_UPSTREAM, { ratelimit: LIMIT }), /no option "ratelimit"/);
  for (const wrong of ["", "127.0.0.1:9000", "http://", "http://a?b=c", "http://me:hidden@a", "http://a:b"]) {
    await assert.rejects(
      sandbox.upstream("lab", wrong),
      ({ message }) => /not the base URL of an upstream/.test(message) && !message.includes("hidden"),
    );
  }
});

test("an upstream of a gateway is removed after its test", async (t) => {
  const upstreams = () => gateway.manage("GET", "/upstreams");
  await t.test("with a context", async (t) => {
    const { id } = await gateway.upstream(t, "lab", URL_OF_UPSTREAM);
    assert.deepEqual((await upstreams()).map((one) => one.id), [id]);
  });
  assert.deepEqual(await upstreams(), []);
  await using_(await gateway.upstream("lab", URL_OF_UPSTREAM), async () => assert.equal((await upstreams()).length, 1));
  if (Symbol.asyncDispose) assert.deepEqual(await upstreams(), []);
});

test("a client is limited, and time is moved by hand", async (t) => {
  const sandbox = await gateway.sandbox(t);
  const secret = await sandbox.secret("key", "s3cret");
  const type = "gts.cf.core.oagw.auth_plugin.v1~cf.core.oagw.apikey.v1";
  const auth = { type, config: { header: "x-api-key", secret_ref: secret.ref } };
  const { url } = await sandbox.upstream(null, "http://echo.test/v1", { query: ["a"], rate_limit: LIMIT, auth });
  const get = () => fetch(`${url}/x?a=1`, { headers: { Authorization: `Bearer ${sandbox.token}` } });
  const { path, query, headers } = await (await get()).json();
  assert.deepEqual([path, query], ["/v1/x", "a=1"]);
  assert.deepEqual(headers.find(([name]) => name === "x-api-key"), ["x-api-key", "s3cret"]);
  assert.equal((await get()).status, 200);
  const limited = await get();
  assert.deepEqual([limited.status, limited.headers.get("Retry-After")], [429, "30"]);
  await gateway.clock.advance(30);
  assert.equal((await get()).status, 200);
  for (let time = 0; time < 2; time++) await secret.remove();
  assert.equal((await sandbox.secret("key", "other")).ref, "cred://key");
  await assert.rejects(sandbox.secret("key", "hidden"), ({ message }) => /409 secret already exists: key$/.test(message));
});

test("each tenant of a sandbox has a token", async (t) => {
  const { tenants, token } = await gateway.sandbox(t, { tenants: { root: null, child: "root" } });
  assert.equal(tenants.root.token, token);
  assert.notEqual(tenants.child.token, token);
});

test("a stub that cannot act is warned of", async (t) => {
  const sandbox = await gateway.sandbox(t);
  const warned = new Promise((resolve) => process.once("warning", resolve));
  await sandbox.stub("GET /weather/current");
  const { name, message } = await warned;
  assert.equal(name, "CannotAct");
  assert.match(message, /did you mean "\/api\/oagw\/v1\/proxy\/weather\/current"/);
});

test("a function in a sandbox gets it first, then what the runner gives", async () => {
  const seen = [];
  const run = inSandbox(Promise.resolve(gateway), async (...args) => seen.push(...args), { expiresAfter: 60 });
  assert.equal(run.length, 0); // or runners would take it for one with a callback
  await run("given");
  assert.equal(seen[1], "given");
  await assert.rejects(gateway.admin("GET", `/sandboxes/${seen[0].id}`), /404 No such sandbox/);
});

test("a gateway is connected to by its URL, and left alone", async () => {
  process.env.OAGW_URL = `${gateway.url}/`;
  try {
    const same = await start({ options: ["--ignored"] });
    assert.equal(same.url, gateway.url);
    await same.stop();
    await using_(await connect(structuredClone(same.address)).sandbox(), async (sandbox) => {
      assert.equal((await call(sandbox, "weather/current?city=Oslo")).status, 200);
    });
  } finally {
    delete process.env.OAGW_URL;
  }
  for (const wrong of ["", "127.0.0.1:1", "https://a", "http://a/b", "http://user:secret@a"]) {
    assert.throws(() => connect(wrong), ({ message }) => /not a URL/.test(message) && !message.includes("secret"));
  }
});

// `await using` for those who cannot parse it.
async function using_(resource, run) {
  await run(resource);
  if (Symbol.asyncDispose) await resource[Symbol.asyncDispose]();
}

test("a server that does not start, or ends, has last words", async () => {
  await assert.rejects(start({ options: ["--colour", "red"] }), (error) => {
    assert.ok(error instanceof GatewayFailed);
    assert.match(error.message, /the gateway did not start \([^)]+\): it ended with 2\n.*--colour/s);
    return true;
  });
  const short = await start();
  await short.clock.state();
  await short.stop();
  await short.stop();
  await assert.rejects(short.sandbox(), (error) => {
    assert.ok(error instanceof GatewayFailed);
    assert.match(error.message, /^POST \/__admin\/sandboxes: no answer from http:.*\nthe gateway said: .*listens on/);
    return true;
  });
});
