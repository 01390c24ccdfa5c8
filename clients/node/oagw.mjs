// The mock OAGW gateway for tests under Node 18 or later: start it, or connect to it, and control it.
//
//     const gateway = await start();
//     test("a charge", async (t) => {
//       const sandbox = await gateway.sandbox(t); // deleted after the test; says what it saw if that failed
//       await sandbox.stub("POST stripe/v1/charges", { status: 201, json: { id: "ch_1" } });
//       await charge(sandbox.aliasUrl("stripe"), sandbox.token); // the client under test
//       await sandbox.verify("POST stripe/v1/charges", { times: 1 });
//     });
//
// oagw.d.mts describes the functions and their arguments. Times are in seconds, but a toxic's attributes have
// Toxiproxy's units.

import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { accessSync, constants, existsSync } from "node:fs";
import http from "node:http";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { inspect } from "node:util";

const TOKEN = "test-integration-token";
const API = "/api/oagw/v1";
const PROXY = `${API}/proxy/`;
const SECRETS = "/credstore/v1/secrets";
const HTTP = "gts.cf.core.oagw.protocol.v1~cf.core.oagw.http.v1";
// What upstreams and routes can have, and the methods of routes.
const POLICIES = ["auth", "headers", "plugins", "rate_limit", "cors", "tags", "enabled"];
const ROUTE_POLICIES = ["plugins", "rate_limit", "cors", "tags", "enabled", "priority"];
const METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH"];
const MAX_WORDS = 4_000; // characters of the server's standard error
const MAX_REPORT = 20_000;
const MAX_EXCERPT = 500;
const CALL_TIMEOUT = 60_000; // milliseconds; verifications may wait for 30 s
const PENDING_TIMEOUT = 5; // seconds
const PENDING_POLL = 5; // milliseconds
const ASYNC_DISPOSE = Symbol.asyncDispose ?? Symbol("asyncDispose");

// A test may replace both later.
const { clearTimeout, setTimeout } = globalThis;
const milliseconds = performance.now.bind(performance);

/** The gateway, or its control plane, refused a call: which, with which status, and why. */
export class Refused extends Error {
  constructor(call, status, text) {
    super(`${call}: ${status} ${text}`);
    Object.assign(this, { name: "Refused", call, status, text });
    hideFrames(this);
  }
}

/** A verification failed; the message says why. */
export class NotVerified extends Error {
  constructor(message) {
    super(message);
    this.name = "NotVerified";
    hideFrames(this);
  }
}

/** The gateway did not start, or does not answer; the message has its last words. */
export class GatewayFailed extends Error {
  constructor(message, options) {
    super(message, options);
    this.name = "GatewayFailed";
    hideFrames(this);
  }
}

// The line of the test is of interest, not ours.
function hideFrames(error) {
  const ours = [import.meta.url, fileURLToPath(import.meta.url)];
  const lines = error.stack.split("\n");
  error.stack = lines.filter((line) => !ours.some((file) => line.includes(`${file}:`))).join("\n");
}

/** Start a gateway with these command-line options, or connect to that of OAGW_URL. */
export async function start({ options = [] } = {}) {
  const { OAGW_URL, OAGW_TOKEN } = process.env;
  if (OAGW_URL) return connect(OAGW_URL);
  const [program, ...args] = command();
  const ours = ["0", "--exit-with-parent", ...(OAGW_TOKEN ? [] : [`--token=${TOKEN}`])];
  // The server stops at the end of its standard input, so it cannot outlive this process.
  const child = spawn(program, [...args, ...ours, ...options], { stdio: ["pipe", "pipe", "pipe"] });
  const server = { child, said: "" };
  child.stderr.setEncoding("utf8").on("data", (text) => {
    server.said = (server.said + text).slice(-MAX_WORDS);
  });
  child.stdin.on("error", () => {}); // it has ended
  const { url } = await new Promise((resolve, reject) => {
    const failed = (why) => {
      const text = `the gateway did not start (${[program, ...args].join(" ")}): ${why}\n${server.said}`;
      reject(new GatewayFailed(text.trim()));
    };
    let text = "";
    child.stdout.setEncoding("utf8").on("data", function listen(more) {
      text += more;
      if (!text.includes("\n")) return;
      child.stdout.off("data", listen).resume();
      try {
        resolve(JSON.parse(text.slice(0, text.indexOf("\n"))));
      } catch {
        child.kill("SIGKILL");
        failed(`it said ${text}`);
      }
    });
    child.on("error", (error) => failed(error.message));
    child.on("close", (status, signal) => failed(`it ended with ${status ?? signal}`));
  });
  // None of it keeps this process alive.
  for (const one of [child, child.stdin, child.stdout, child.stderr]) one.unref();
  return new Gateway({ url, ...tokens() }, server);
}

/** The gateway that runs at an address: a URL, or what `gateway.address` was. */
export function connect(address) {
  if (typeof address !== "string") return new Gateway(address);
  let parsed;
  try {
    parsed = new URL(address);
  } catch {}
  if (parsed?.protocol !== "http:" || parsed.pathname !== "/" || parsed.search || parsed.username) {
    throw new TypeError("the gateway's address is not a URL such as http://127.0.0.1:8765");
  }
  return new Gateway({ url: parsed.origin, ...tokens() });
}

// The variables are the server's options as well; the first of several tokens will do.
function tokens() {
  const { OAGW_TOKEN, OAGW_ADMIN_TOKEN } = process.env;
  return { token: OAGW_TOKEN?.trim().split(/\s+/)[0] || TOKEN, adminToken: OAGW_ADMIN_TOKEN || undefined };
}

function command() {
  const { OAGW_PYTHON: python, OAGW_SERVER } = process.env;
  const checkout = fileURLToPath(new URL("../..", import.meta.url));
  let server = OAGW_SERVER;
  if (!server) {
    if (existsSync(join(checkout, "oagw", "server"))) server = join(checkout, "server.py");
    else return python ? [python, "-m", "oagw"] : ["oagw-mock"];
  }
  const beside = join(dirname(server), ".venv", "bin", "python");
  if (python) return [python, server];
  if (existsSync(beside)) return [beside, server];
  return !OAGW_SERVER && isInstalled("oagw-mock") ? ["oagw-mock"] : ["python3", server];
}

function isInstalled(program) {
  return (process.env.PATH ?? "").split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** A request pattern in WireMock's JSON, of "METHOD alias/path" or "METHOD /path", and further conditions. */
export function pattern(request, conditions = {}) {
  const [, method, given] = /^\s*(\S+)\s+(\S.*?)\s*$/s.exec(request) ?? [];
  if (!given) throw new TypeError(`${JSON.stringify(request)} is not a method and a path, such as "GET weather/current"`);
  const path = given.startsWith("/") ? given : PROXY + given;
  const member = path.includes("?") ? "url" : path.includes("{") ? "urlPathTemplate" : "urlPath";
  return { method: method.toUpperCase(), [member]: path, ...conditions };
}

const asPattern = (request) => (typeof request === "string" ? pattern(request) : request);

/** Stubs, toxics, requests, verification, upstreams and routes of one sandbox. */
class Control {
  #bearer;
  #server;

  constructor(url, token, bearer, server) {
    Object.assign(this, { url, token });
    this.#bearer = bearer;
    this.#server = server;
  }

  aliasUrl(alias) {
    return `${this.url}${PROXY}${alias}`;
  }

  async stub(request, response = {}) {
    const { times, priority, delay, json, body, mapping, ...definition } = response;
    if (json !== undefined) {
      definition.jsonBody = json;
      const names = Object.keys(definition.headers ?? {}).map((name) => name.toLowerCase());
      if (!names.includes("content-type")) {
        definition.headers = { ...definition.headers, "Content-Type": "application/json" };
      }
    }
    if (body instanceof Uint8Array) definition.base64Body = Buffer.from(body).toString("base64");
    else if (body !== undefined) definition.body = body;
    if (delay !== undefined) definition.fixedDelayMilliseconds = Math.round(delay * 1000);
    const name = typeof request === "string" ? request : undefined; // messages call the stub by it
    const document = { name, times, priority, ...mapping, request: asPattern(request), response: definition };
    return new Stub(this, (await this.admin("POST", "/mappings", document)).id);
  }

  async toxic(type, attributes = {}, { request, name, ...where } = {}) {
    name ??= `${type}_${randomBytes(4).toString("hex")}`;
    const document = { type, name, attributes, request: asPattern(request), ...where };
    return new Toxic(this, (await this.admin("POST", "/toxics", document)).name);
  }

  async verify(request, { after, ...expected } = {}) {
    const document = { request: asPattern(request), after: asPattern(after), ...expected };
    const answer = await this.#call("POST", "/verify", document);
    const verified = parsed(answer.text)?.verified;
    if (verified === undefined) throw refusal(answer);
    const { text, count } = parsed(answer.text);
    if (!verified) throw new NotVerified(text);
    return count;
  }

  async requests(request = {}) {
    return (await this.admin("POST", "/requests/find", asPattern(request))).requests;
  }

  async report(known = {}) {
    return this.admin("GET", `/report?${new URLSearchParams({ format: "json", ...known })}`);
  }

  async reportText(known = {}) {
    const answer = await this.#call("GET", `/report?${new URLSearchParams({ format: "text", ...known })}`);
    if (answer.status !== 200) throw refusal(answer);
    return answer.text;
  }

  /** What the gateway saw, for the output of a failed test; never throws. */
  async reportCard() {
    const text = await this.reportText().catch((error) => error.message);
    return `what the gateway saw:\n${cut(MAX_REPORT, text).trim()}`;
  }

  /** Throw if a stub was not called, or a call was answered by the gateway's own 404. */
  async check() {
    const { unused, unmatched = [] } = await this.report();
    const wrong = unused
      .filter(({ kind }) => kind === "stub")
      .map(({ name, id, text }) => `unused stub ${name ?? ""} ${id}: ${text}`)
      .concat(unmatched.map(({ text }) => `unmatched: ${text}`));
    if (wrong.length) throw new NotVerified(cut(MAX_REPORT, ["strict:", ...wrong].join("\n")));
  }

  async reset() {
    await this.admin("POST", "/reset");
  }

  /** Register an upstream, and a route to it; given the context of a test, it is removed after the test. */
  async upstream(...args) {
    const [context, alias, baseUrl, options = {}] = isContext(args[0]) ? args : [, ...args];
    const { methods, query, route = true, ...policies } = options;
    const { path, ...endpoint } = endpointOf(baseUrl);
    const document = { alias: alias ?? undefined, protocol: HTTP, server: { endpoints: [endpoint] } };
    const made = await this.manage("POST", "/upstreams", { ...document, ...known(POLICIES, policies) });
    const upstream = new Upstream(this, made.id, made.alias, this.aliasUrl(made.alias) + path);
    if (route) {
      await this.route(upstream, { path: path || "/", methods, query }).catch(async (error) => {
        await upstream.remove();
        throw error;
      });
    }
    return removedAfter(context, upstream);
  }

  /** Let calls pass whose path begins with `path`. */
  async route(upstream, { path = "/", methods = METHODS, query = [], path_suffix_mode, ...policies } = {}) {
    const match = { http: { methods, path, query_allowlist: query, path_suffix_mode } };
    const document = { upstream_id: upstream.id, match, ...known(ROUTE_POLICIES, policies) };
    return new Route(this, (await this.manage("POST", "/routes", document)).id);
  }

  /** Put a value into the credential store. */
  async secret(...args) {
    const [context, name, value, { sharing } = {}] = isContext(args[0]) ? args : [, ...args];
    await this.#ask("POST", SECRETS, { reference: name, value, sharing });
    const remove = () => this.#ask("DELETE", `${SECRETS}/${name}`, undefined, [404], { "If-Match": "*" });
    return removedAfter(context, new Secret(name, remove));
  }

  /** Call the management API, `/api/oagw/v1` + path, and return what it answers; throws Refused. */
  manage(method, path, document, accept = []) {
    return this.#ask(method, API + path, document, accept);
  }

  async #ask(method, path, document, accept = [], headers = {}) {
    const answer = await this.#exchange(method, path, document, { Authorization: `Bearer ${this.token}`, ...headers });
    if (answer.status >= 300 && !accept.includes(answer.status)) throw refusal(answer);
    if (!answer.text) return undefined;
    const result = parsed(answer.text);
    if (result === undefined) throw refusal(answer);
    return result;
  }

  /** Call `/__admin` + path, and return what it answers; throws Refused. */
  async admin(method, path, document, accept = []) {
    const answer = await this.#call(method, path, document);
    if (answer.status >= 300 && !accept.includes(answer.status)) throw refusal(answer);
    for (const warning of answer.warnings) process.emitWarning(warning, "CannotAct");
    if (!answer.text) return undefined;
    const result = parsed(answer.text);
    if (result === undefined) throw refusal(answer);
    return result;
  }

  #call(method, path, document) {
    const headers = this.#bearer ? { Authorization: `Bearer ${this.#bearer}` } : {};
    return this.#exchange(method, `/__admin${path}`, document, headers);
  }

  async #exchange(method, path, document, more) {
    const call = `${method} ${path}`;
    const headers = { "Content-Type": "application/json", Accept: "application/json", ...more };
    try {
      return { call, ...(await exchange(this.url + path, method, headers, document && JSON.stringify(document))) };
    } catch (error) {
      const said = this.#server?.said ? `\nthe gateway said: ${this.#server.said.trim()}` : "";
      throw new GatewayFailed(`${call}: no answer from ${this.url}: ${error.message || error.code}${said}`, {
        cause: error,
      });
    }
  }
}

// Not fetch: that may be what the test replaces, and takes longer to load.
function exchange(url, method, headers, body) {
  return new Promise((resolve, reject) => {
    const request = http.request(url, { method, headers, agent: false, timeout: CALL_TIMEOUT }, (answer) => {
      const chunks = [];
      answer.on("data", (chunk) => chunks.push(chunk)).on("error", reject);
      answer.on("end", () =>
        resolve({
          status: answer.statusCode,
          text: Buffer.concat(chunks).toString(),
          warnings: answer.headersDistinct["x-oagw-warning"] ?? [],
        }),
      );
    });
    request.on("timeout", () => request.destroy(new Error("it took too long"))).on("error", reject);
    request.end(body);
  });
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function refusal({ call, status, text }) {
  const answer = parsed(text);
  const said = answer?.errors?.map(({ detail, source }) => (source ? `${source.pointer}: ${detail}` : detail));
  return new Refused(call, status, said?.join("; ") ?? answer?.error ?? cut(MAX_EXCERPT, text));
}

/** The endpoint of a base URL, and its path without a trailing slash. */
function endpointOf(baseUrl) {
  // Not URL: that would rewrite hosts, which the gateway checks.
  const [, scheme, host, port, path = ""] =
    /^([a-z][a-z\d+.-]*):\/\/([^\s/?#@:[\]]+|\[[^\s\]/?#@]+\])(?::(\d{1,5}))?(\/[^\s?#]*)?$/i.exec(baseUrl) ?? [];
  if (!host) {
    const shown = JSON.stringify(String(baseUrl).replace(/\/\/[^/]*@/, "//...@")); // it may contain a password
    throw new TypeError(`${shown} is not the base URL of an upstream, such as "http://127.0.0.1:9000/v1"`);
  }
  return {
    scheme: scheme.toLowerCase(),
    host: host.toLowerCase() === "localhost" ? "127.0.0.1" : host.replace(/^\[|\]$/g, ""),
    port: Number(port ?? (scheme.toLowerCase() === "http" ? 80 : 443)),
    path: path.replace(/\/+$/, ""),
  };
}

// The gateway ignores members that it does not know.
function known(names, policies) {
  const wrong = Object.keys(policies).find((name) => !names.includes(name));
  if (wrong) throw new TypeError(`there is no option ${JSON.stringify(wrong)}, but ${names.join(", ")}`);
  return policies;
}

function cut(limit, text) {
  return text.length > limit ? `${text.slice(0, limit)}...` : text;
}

class Stub {
  #control;

  constructor(control, id) {
    this.#control = control;
    this.id = id;
  }

  /** The requests that it answered, oldest first. */
  async requests() {
    const { requests } = await this.#control.admin("GET", `/requests?matchingStub=${this.id}`);
    return requests.map(({ request }) => request).reverse();
  }

  async remove() {
    await this.#control.admin("DELETE", `/mappings/${this.id}`, undefined, [404]);
  }

  [ASYNC_DISPOSE]() {
    return this.remove();
  }
}

class Toxic {
  #control;

  constructor(control, name) {
    this.#control = control;
    this.name = name;
  }

  async remove() {
    await this.#control.admin("DELETE", `/toxics/${encodeURIComponent(this.name)}`, undefined, [404]);
  }

  [ASYNC_DISPOSE]() {
    return this.remove();
  }
}

/** An upstream: clients call `url`, which stands for its base URL. */
class Upstream {
  #control;

  constructor(control, id, alias, url) {
    this.#control = control;
    Object.assign(this, { id, alias, url });
  }

  async remove() {
    await this.#control.manage("DELETE", `/upstreams/${this.id}`, undefined, [404]);
  }

  [ASYNC_DISPOSE]() {
    return this.remove();
  }
}

/** A route of an upstream. */
class Route {
  #control;

  constructor(control, id) {
    this.#control = control;
    this.id = id;
  }

  async remove() {
    await this.#control.manage("DELETE", `/routes/${this.id}`, undefined, [404]);
  }

  [ASYNC_DISPOSE]() {
    return this.remove();
  }
}

/** A secret: `ref` refers to it. */
class Secret {
  #remove;

  constructor(name, remove) {
    this.#remove = remove;
    Object.assign(this, { name, ref: `cred://${name}` });
  }

  async remove() {
    await this.#remove();
  }

  [ASYNC_DISPOSE]() {
    return this.remove();
  }
}

/** The clock, which all sandboxes share; `--clock manual` lets a test move it. */
class Clock {
  #gateway;

  constructor(gateway) {
    this.#gateway = gateway;
  }

  state() {
    return this.#gateway.admin("GET", "/clock");
  }

  advance(seconds) {
    return this.#gateway.admin("POST", "/clock/advance", { seconds });
  }

  advanceUntilIdle(limit) {
    return this.#gateway.admin("POST", "/clock/advance", { untilIdle: true, seconds: limit });
  }

  async waitPending(count = 1, within = PENDING_TIMEOUT) {
    const deadline = milliseconds() + within * 1000;
    for (;;) {
      const state = await this.state();
      if (state.pending >= count) return state;
      if (milliseconds() > deadline) {
        throw new Error(`${state.pending} answers wait for the clock, not ${count}, after ${within} s`);
      }
      await new Promise((resolve) => setTimeout(resolve, PENDING_POLL));
    }
  }
}

/** A situation of the exam: what happens to a client, and what a correct client does. */
class Situation {
  #gateway;

  constructor(gateway, situation) {
    this.#gateway = gateway;
    Object.assign(this, situation);
  }

  /** Let a client make the calls: throws if it fails; the test is skipped if the situation is not judged. */
  async take(...args) {
    const [client, context] = args.reverse(); // vitest's context is a function, too
    const path = `/exam/${encodeURIComponent(this.name)}`;
    const { id, ...examination } = await this.#gateway.admin("POST", path);
    const reports = await reportsOf(examination, client);
    const judged = await this.#gateway.admin("POST", `${path}/${encodeURIComponent(id)}`, { reports });
    if (judged.verdict === "failed") throw new NotVerified(`${this.name}: ${judged.explanation}`);
    if (!context) return judged;
    if (judged.verdict === "not judged") context.skip(`not judged: ${judged.text}`);
  }
}

/** What the client reports on the calls, in their order; rejects if it throws. */
async function reportsOf({ calls, deadline, at_once, stagger }, client) {
  const reports = calls.map(() => ({ outcome: "none" }));
  const make = async (call, number) => {
    const report = await client(structuredClone(call));
    if (report?.outcome === undefined) {
      throw new TypeError(`the client returned ${inspect(report)}, not a report such as { outcome: "value", value }`);
    }
    const { outcome, value = null } = report; // a client that returns nothing returns undefined
    const shown = outcome === "value" && "value" in report ? { ...report, value } : report;
    reports[number] = JSON.parse(JSON.stringify(shown, wellFormed));
  };
  if (at_once) {
    const staggered = calls.map((call, number) => pause(number * stagger).then(() => make(call, number)));
    await inTime(Promise.all(staggered), stagger * (calls.length - 1) + deadline);
    return [...reports]; // what comes later does not count
  }
  for (const [number, call] of calls.entries()) {
    if (!(await inTime(make(call, number), deadline))) break;
  }
  return [...reports];
}

const pause = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

/** Whether a promise is fulfilled in so many seconds; rejects if it is rejected. */
async function inTime(promise, seconds) {
  let timer;
  const late = new Promise((resolve) => (timer = setTimeout(resolve, seconds * 1000, false)));
  try {
    return await Promise.race([promise.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}

// Half of a surrogate pair, which a client that cut a character may report, is not UTF-8.
const wellFormed = (_, value) => (typeof value === "string" ? Buffer.from(value).toString() : value);

/** A running gateway, and its default sandbox. */
class Gateway extends Control {
  #server;

  constructor(address, server) {
    super(address.url, address.token ?? TOKEN, address.adminToken, server);
    this.#server = server;
    /** What `connect` takes; it can be sent to another process. */
    this.address = { url: this.url, token: this.token, adminToken: address.adminToken };
    this.clock = new Clock(this);
  }

  /** A sandbox; given the context of a test of node:test or vitest, it is deleted after the test. */
  async sandbox(...args) {
    const [context, { strict = false, expiresAfter, ...options } = {}] = isContext(args[0]) ? args : [, ...args];
    const document = { expiresAfterSeconds: expiresAfter, ...options };
    const { id, token, tenants } = await this.admin("POST", "/sandboxes", document);
    const sandbox = new Sandbox(this, id, token, tenants);
    if (context?.after) {
      context.after(() => sandbox.end({ failed: hasFailed(context), strict, print: printer(context) }));
    } else if (context) {
      context.onTestFinished(() => sandbox.end({ failed: hasFailed(context), strict }));
    }
    return sandbox;
  }

  /** The situations of the exam with these names or groups, or that match these patterns; OAGW_EXAM replaces them. */
  async situations(...only) {
    const query = new URLSearchParams({ only: process.env.OAGW_EXAM || only.join(",") });
    const { situations } = await this.admin("GET", `/exam?${query}`);
    return situations.map((situation) => new Situation(this, situation));
  }

  /** Stop the server, if `start` started it. */
  async stop() {
    const child = this.#server?.child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    child.ref();
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL"); // it has nothing to save
    await ended;
  }

  [ASYNC_DISPOSE]() {
    return this.stop();
  }
}

const isContext = (value) => typeof (value?.after ?? value?.onTestFinished) === "function";

// The test may have stopped the gateway.
const unlessStopped = (error) => {
  if (!(error instanceof GatewayFailed)) throw error;
};

function removedAfter(context, one) {
  const end = () => one.remove().catch(unlessStopped);
  if (context?.after) context.after(end);
  else context?.onTestFinished(end);
  return one;
}

// The contexts of node:test know since 20.12 and 21.7 whether the test failed, those of vitest always did.
const knowsOutcome = (context) => isContext(context) && ("passed" in context || "task" in context);
const hasFailed = (context) => context.passed === false || context.task?.result?.state === "fail";

const printer = (context) => (text) =>
  context?.diagnostic ? text.split("\n").forEach((line) => context.diagnostic(line)) : console.error(text);

/** A sandbox: requests with its token have its stubs, toxics and journal. */
class Sandbox extends Control {
  constructor(gateway, id, token, tenants = {}) {
    super(gateway.url, token, token);
    this.gateway = gateway;
    this.id = id;
    this.tenants = tenants;
    this.clock = gateway.clock;
  }

  /** Delete it with all its state, if it still exists. */
  async delete() {
    await this.gateway.admin("DELETE", `/sandboxes/${this.id}`, undefined, [404]);
  }

  [ASYNC_DISPOSE]() {
    return this.delete();
  }

  /** End a test: check that nothing was unexpected, print what was seen if it failed, and delete the sandbox. */
  async end({ failed, strict = false, print = console.error }) {
    try {
      if (strict && !failed) {
        failed = true;
        await this.check();
        failed = false;
      }
    } finally {
      if (failed) print(await this.reportCard());
      await this.delete().catch(unlessStopped);
    }
  }
}

/** A test function with a sandbox, for any runner: `test("name", inSandbox(gateway, async (sandbox) => ...))`. */
export function inSandbox(gateway, run, options = {}) {
  return async (...args) => {
    if (knowsOutcome(args[0])) return run(await (await gateway).sandbox(args[0], options), ...args);
    const { strict, ...others } = options;
    const sandbox = await (await gateway).sandbox(others);
    let failed = true;
    try {
      await run(sandbox, ...args);
      if (strict) await sandbox.check();
      failed = false;
    } finally {
      await sandbox.end({ failed, print: printer(args[0]) });
    }
  };
}

/** A fixture for vitest's `test.extend`: `{ sandbox: sandboxFixture(inject("oagw")) }`. */
export function sandboxFixture(address, { strict, ...options } = {}) {
  return async ({ task }, use) => {
    const sandbox = await connect(address).sandbox(options);
    await use(sandbox);
    await sandbox.end({ failed: hasFailed({ task }), strict });
  };
}

/** For vitest's `globalSetup`: one gateway for all tests, whose address is provided as "oagw". */
export default async function setup({ provide }) {
  const gateway = await start();
  provide("oagw", gateway.address);
  return () => gateway.stop();
}
