/// <reference lib="esnext.disposable" />
// Start and control the mock OAGW gateway from tests. Times are in seconds; a toxic's attributes have Toxiproxy's units.

/** `"METHOD alias/path"`, `"METHOD /path"` (METHOD may be ANY), or a request pattern in WireMock's JSON. */
export type Pattern = string | Record<string, unknown>;

/** The address of a gateway, which can be sent to another process. */
export interface Address {
  url: string;
  /** The bearer token for clients; `test-integration-token` by default. */
  token?: string | undefined;
  /** The server's `--admin-token`. */
  adminToken?: string | undefined;
}

/** An answer of a stub, an empty 200 by default: WireMock's response, with our extensions. */
export interface Response {
  status?: number;
  headers?: Record<string, string | string[]>;
  /** Sent as application/json, unless `headers` have a Content-Type. */
  json?: unknown;
  body?: string | Uint8Array;
  /** An error of the gateway: its category, such as "resource_exhausted", or an object with more. */
  problem?: string | { category: string; retryAfter?: number; [member: string]: unknown };
  /** A stream: its events, or how it ends as well. */
  sse?: SseEvent[] | { events: SseEvent[]; ends?: "complete" | "cut" | "reset" | "hang" };
  /** Seconds before the answer. */
  delay?: number;
  /** How often the stub answers; always, if absent. */
  times?: number;
  /** The least answers, and of those the newest; 5 by default. */
  priority?: number;
  /** Further members of the stub, such as `scenarioName`. */
  mapping?: Record<string, unknown>;
  statusMessage?: string;
  bodyFileName?: string;
  errorSource?: "upstream" | "gateway" | "none";
  /** Responses before this one: 100, 102, 103. */
  informational?: { status: number; headers?: Record<string, string | string[]> }[];
  /** Fields after the body. */
  trailers?: Record<string, string | string[]>;
  fault?: string;
  chunkedDribbleDelay?: { numberOfChunks: number; totalDuration: number };
  delayDistribution?: Record<string, unknown>;
  transformers?: string[];
  transformerParameters?: Record<string, unknown>;
}

export interface SseEvent {
  data?: unknown;
  event?: string;
  id?: string;
  retry?: number;
  comment?: string;
  raw?: string;
  delayMilliseconds?: number;
}

export type ToxicType =
  | "latency"
  | "bandwidth"
  | "slicer"
  | "limit_data"
  | "timeout"
  | "reset_peer"
  | "slow_close";

/** On which answers a toxic acts: all of the sandbox, those of an alias, those to a request. */
export interface ToxicOptions {
  alias?: string;
  request?: Pattern;
  /** How probably it acts; 1 by default. */
  toxicity?: number;
  /** How many answers it lets pass at first. */
  skip?: number;
  /** On how many it then acts; all, if absent. */
  times?: number;
  name?: string;
}

/** What is expected of the requests that match: by default, that there is at least one. */
export interface Expected {
  times?: number;
  atLeast?: number;
  atMost?: number;
  /** Only requests count that came after the answer to one that matches this. */
  after?: Pattern;
  notSoonerThan?: number;
  notLaterThan?: number;
  /** Wait so many seconds for it to hold, 30 at most. */
  within?: number;
}

/** A request of the journal. Secrets are masked. */
export interface LoggedRequest {
  method: string;
  url: string;
  headers: Record<string, string | string[]>;
  body: string;
  bodyAsBase64: string;
  queryParams: Record<string, { key: string; values: string[] }>;
  oagw: Exchange;
  [member: string]: unknown;
}

/** How a request was answered. */
export interface Exchange {
  id: string;
  connection: number;
  turn: number;
  alias: string | null;
  answeredBy: "gateway" | "service" | "stub" | "fault";
  stub: string | null;
  status: number | null;
  errorSource: string | null;
  time: number;
  firstByte: number | null;
  lastByte: number | null;
  bytesSent: number;
  eventsSent: number;
  ended: "open" | "complete" | "client_left" | "truncated" | "reset";
  toxics: string[];
  [member: string]: unknown;
}

/** What the test knows of the client. */
export interface Known {
  /** It has to retry every truncated response. */
  retryDue?: boolean;
  /** The test cancelled every stream. */
  streamsCancelled?: boolean;
}

export interface Report {
  requests: number;
  findings: { rule: string; severity: "error" | "warning" | "note"; text: string; entries: string[] }[];
  notChecked: { rule: string; reason: string }[];
  unused: { kind: "stub" | "toxic"; text: string; severity: string; id?: string; name?: string }[];
  unusedCount: number;
  /** Requests that nothing could answer, each with the nearest stub. */
  unmatched: { request: string; text: string; stub?: string }[];
}

export interface ClockState {
  mode: "manual" | "real";
  /** Seconds since 1970. */
  now: number;
  /** How many answers wait for a time to come. */
  pending: number;
  next: number | null;
  timers: number;
}

/** What tenants below do with it: not see it, inherit it, or be bound by it. */
export type Sharing = "private" | "inherit" | "enforce";

/** A rate limit: `rate` calls in each `window`. */
export interface RateLimit {
  sustained: { rate: number; window?: "second" | "minute" | "hour" | "day" };
  /** The capacity of the token bucket; `rate` by default. */
  burst?: { capacity: number };
  algorithm?: "token_bucket" | "sliding_window";
  scope?: "global" | "tenant" | "user" | "ip" | "route";
  strategy?: "reject" | "queue" | "degrade";
  cost?: number;
  response_headers?: boolean;
  budget?: { mode?: "unlimited" | "allocated" | "shared"; total?: number; overcommit_ratio?: number };
  sharing?: Sharing;
}

export interface HeaderRules {
  set?: Record<string, string>;
  add?: Record<string, string>;
  remove?: string[];
}

export interface Plugins {
  items: { plugin_ref: string; config?: Record<string, string> }[];
  sharing?: Sharing;
}

export interface Cors {
  enabled?: boolean;
  allowed_origins?: string[];
  allowed_methods?: ("GET" | "POST" | "PUT" | "DELETE" | "PATCH" | "HEAD" | "OPTIONS")[];
  expose_headers?: string[];
  allow_credentials?: boolean;
  sharing?: Sharing;
}

export type Method = "GET" | "POST" | "PUT" | "DELETE" | "PATCH";

/** The policies that upstreams and routes have, with the members of the management API. */
interface Policies {
  plugins?: Plugins;
  rate_limit?: RateLimit;
  cors?: Cors;
  tags?: string[];
  enabled?: boolean;
}

/** An upstream, and the route that it gets: for the path of its base URL and those below it. */
export interface UpstreamOptions extends Policies {
  /** The credentials that the gateway adds to calls. */
  auth?: { type: string; config?: Record<string, string>; sharing?: Sharing };
  headers?: {
    request?: HeaderRules & { passthrough?: "none" | "allowlist" | "all"; passthrough_allowlist?: string[] };
    response?: HeaderRules;
  };
  /** The methods of the route; all, if absent. */
  methods?: Method[];
  /** The query parameters that the route allows; none, if absent. */
  query?: string[];
  /** False for an upstream without a route. */
  route?: boolean;
}

export interface RouteOptions extends Policies {
  /** The beginning of the path below the alias; "/" by default. The route with the longest one counts. */
  path?: string;
  /** All, if absent. */
  methods?: Method[];
  /** The query parameters that are allowed; none, if absent. */
  query?: string[];
  path_suffix_mode?: "append" | "disabled";
  /** Among routes with the same path, the highest counts. */
  priority?: number;
}

export interface SandboxOptions {
  /** Fail the test if a stub was not called, or a call was answered by the gateway's own 404. */
  strict?: boolean;
  /** With `--seed`, what is random in the sandbox depends on its name and its own requests. It must be free. */
  name?: string;
  /** Delete it so many seconds after its last use, even if the test process is gone. */
  expiresAfter?: number;
  /** A tree of tenants, the parent of each by its name: `{ root: null, child: "root" }`. Each has a token. */
  tenants?: Record<string, string | null | { parent?: string | null; selfManaged?: boolean }>;
}

/** The context of a test: that of node:test has `after`, that of vitest `onTestFinished`. */
export interface TestContext {
  after?: (end: () => Promise<void>) => void;
  onTestFinished?: (end: () => Promise<void>) => void;
}

/** The gateway, or its control plane, refused a call. */
export class Refused extends Error {
  readonly name: "Refused";
  /** Such as "POST /__admin/mappings". */
  readonly call: string;
  readonly status: number;
  /** What is wrong, and where. */
  readonly text: string;
}

/** A verification failed; the message says why. */
export class NotVerified extends Error {
  readonly name: "NotVerified";
}

/** The gateway did not start, or does not answer; the message has its last words. */
export class GatewayFailed extends Error {
  readonly name: "GatewayFailed";
}

interface Disposable {
  /** For `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}

export interface Stub extends Disposable {
  readonly id: string;
  /** The requests that it answered, oldest first. */
  requests(): Promise<LoggedRequest[]>;
  remove(): Promise<void>;
}

export interface Toxic extends Disposable {
  readonly name: string;
  remove(): Promise<void>;
}

/** An upstream. That of a sandbox is deleted with it. */
export interface Upstream extends Disposable {
  readonly id: string;
  /** The effective alias: that of a hostname follows from it. */
  readonly alias: string;
  /** What the client under test calls; it stands for the base URL. */
  readonly url: string;
  /** Delete it with its routes, if it still exists. */
  remove(): Promise<void>;
}

export interface Route extends Disposable {
  readonly id: string;
  remove(): Promise<void>;
}

export interface Secret extends Disposable {
  readonly name: string;
  /** What an `auth` refers to it by: `{ config: { secret_ref: secret.ref } }`. */
  readonly ref: string;
  remove(): Promise<void>;
}

export interface Clock {
  state(): Promise<ClockState>;
  /** Move the clock of `--clock manual`; returns when all that fell due has been written. */
  advance(seconds: number): Promise<ClockState>;
  /** Move it until no answer waits for a time to come, by `limit` seconds at most, by default an hour. */
  advanceUntilIdle(limit?: number): Promise<ClockState>;
  /** Wait until `count` answers (1) wait for a time to come, for `within` seconds of real time at most (5). */
  waitPending(count?: number, within?: number): Promise<ClockState>;
}

/** What is in a sandbox. Methods throw Refused, NotVerified or GatewayFailed. */
interface Control extends Disposable {
  /** The URL of the gateway. */
  readonly url: string;
  /** The bearer token that the client under test has to send. */
  readonly token: string;
  /** The clock, which all sandboxes share. */
  readonly clock: Clock;
  /** The URL of the upstream `alias`, without a trailing slash. */
  aliasUrl(alias: string): string;
  /** Answer requests that match `request`. */
  stub(request: Pattern, response?: Response): Promise<Stub>;
  /** Break answers on the wire, with Toxiproxy's types, attributes and units. */
  toxic(type: ToxicType, attributes?: Record<string, number>, options?: ToxicOptions): Promise<Toxic>;
  /** How many requests match; throws NotVerified if they are not as expected. */
  verify(request: Pattern, expected?: Expected): Promise<number>;
  /** The requests of the journal, oldest first: all, or those that match. */
  requests(request?: Pattern): Promise<LoggedRequest[]>;
  /** What a careful client would not do, and what had no effect. */
  report(known?: Known): Promise<Report>;
  reportText(known?: Known): Promise<string>;
  /** What the gateway saw, for the output of a failed test; never throws. */
  reportCard(): Promise<string>;
  /** Throw NotVerified if a stub was not called, or a call was answered by the gateway's own 404. */
  check(): Promise<void>;
  /** Delete stubs, toxics, requests, upstreams and secrets, and reset scenarios and settings. */
  reset(): Promise<void>;
  /**
   * Register an upstream at `baseUrl`, such as "http://127.0.0.1:9000/v1", and a route to it. `localhost` becomes
   * 127.0.0.1. An IP address needs an alias; that of a hostname follows from it, so it must be null.
   */
  upstream(alias: string | null, baseUrl: string, options?: UpstreamOptions): Promise<Upstream>;
  /** An upstream that is removed after a test of node:test or vitest. */
  upstream(context: TestContext, alias: string | null, baseUrl: string, options?: UpstreamOptions): Promise<Upstream>;
  /** Let calls of an upstream pass: those whose path begins with `path`. */
  route(upstream: Upstream, options?: RouteOptions): Promise<Route>;
  /** Put a value into the credential store. */
  secret(name: string, value: string, options?: { sharing?: "private" | "tenant" | "shared" }): Promise<Secret>;
  /** A secret that is removed after a test of node:test or vitest. */
  secret(
    context: TestContext,
    name: string,
    value: string,
    options?: { sharing?: "private" | "tenant" | "shared" },
  ): Promise<Secret>;
  /** Call the management API, `/api/oagw/v1` + path. Statuses other than 2xx are Refused, except those to `accept`. */
  manage(method: string, path: string, document?: unknown, accept?: number[]): Promise<any>;
  /** Call `/__admin` + path. Statuses other than 2xx are Refused, except those to `accept`. */
  admin(method: string, path: string, document?: unknown, accept?: number[]): Promise<any>;
}

/** Requests with its token have its stubs, toxics and journal. */
export interface Sandbox extends Control {
  readonly id: string;
  readonly gateway: Gateway;
  /** Its tenants by name; each token leads to this sandbox. */
  readonly tenants: Record<string, { id: string; token: string }>;
  /** Delete it with all its state, if it still exists. */
  delete(): Promise<void>;
}

/** A call that the client under test has to make. */
export interface ExamCall {
  id: string;
  kind: "call" | "stream" | "pages";
  /** `base_url` + `path`, for clients that want these. */
  url: string;
  base_url: string;
  path: string;
  /** Sent as `Authorization: Bearer TOKEN`. */
  token: string;
  method: string;
  /** Sent besides the token. */
  headers: Record<string, string>;
  /** Sent as JSON; null: no body. */
  body: any;
  /** How many seconds the client should wait for the next byte. */
  timeout: number;
  /** How often it should retry at most. */
  retries: number;
  /** Of a stream: after how many pieces of text to cancel it. */
  cancel_after: number | null;
}

/** What the client got from a call; docs/exam.md describes the members. */
export type ExamReport =
  | { outcome: "value"; value: unknown }
  | { outcome: "text"; text: string; cancelled?: boolean }
  | {
      outcome: "error";
      /** The class of the error. */
      error: string;
      status?: number | null | undefined;
      /** The value of X-OAGW-Error-Source, null if there is none; absent if the client hides header fields. */
      source?: string | null | undefined;
      message?: string | undefined;
      /** Of a stream: what was delivered before the error. */
      text?: string | undefined;
      /** Of pages: the items that were delivered before the error. */
      value?: unknown;
      cancelled?: boolean | undefined;
    }
  | { outcome: "unsupported" };

/** Makes a call with the client under test, and returns the report. What it throws fails the test. */
export type ExamClient = (call: ExamCall) => ExamReport | Promise<ExamReport>;

export interface Judgement {
  name: string;
  group: string;
  verdict: "passed" | "not judged";
  /** Why. */
  text: string;
  rules: { rule: string; verdict: "passed" | "failed" | "not judged"; text: string; evidence: string[] }[];
  requests: unknown[];
}

/** A situation of the exam. */
export interface Situation {
  readonly name: string;
  readonly group: string;
  readonly kind: ExamCall["kind"];
  readonly happens: string;
  /** What a correct client does, and by which source. */
  readonly correct: string;
  readonly source: { text: string; url: string };
  readonly legitimate: string;
  readonly calls: number;
  readonly deadline: number;
  /**
   * Let a client make the calls, in a test of node:test or vitest. Throws NotVerified with the evidence if it fails; the
   * test is skipped if the situation is not judged. A client that does not return in time is judged for it.
   */
  take(context: SkippableContext, client: ExamClient): Promise<void>;
  /** The same for other runners: returns the judgement. */
  take(client: ExamClient): Promise<Judgement>;
}

/** The context of a test that can be skipped. */
export interface SkippableContext {
  skip(reason?: string): void;
}

/** A running gateway, and its default sandbox. */
export interface Gateway extends Control {
  readonly address: Address;
  sandbox(options?: SandboxOptions): Promise<Sandbox>;
  /** A sandbox for one test of node:test or vitest: if that failed, what it saw is printed; then it is deleted. */
  sandbox(context: TestContext, options?: SandboxOptions): Promise<Sandbox>;
  /**
   * The situations of the exam with these names or groups, or that match these patterns, such as "retry-*"; all, if
   * there are none. What the variable OAGW_EXAM lists, with commas, is taken instead.
   */
  situations(...only: string[]): Promise<Situation[]>;
  /** Stop the server, if `start` started it. It also ends with this process. */
  stop(): Promise<void>;
}

/**
 * Start a gateway with these command-line options, or connect to that of OAGW_URL.
 *
 * It runs OAGW_SERVER (the path of server.py) with OAGW_PYTHON, the server of the checkout that this file is in, or
 * the command oagw-mock. It does not keep this process alive, and ends with it.
 */
export function start(settings?: { options?: string[] }): Promise<Gateway>;

/** The gateway at a URL, or at what `gateway.address` was. */
export function connect(address: string | Address): Gateway;

/** A request pattern: that of `"METHOD alias/path"`, with further conditions, such as `{ headers: ... }`. */
export function pattern(request: string, conditions?: Record<string, unknown>): Record<string, unknown>;

/** A test function with a sandbox, for any runner: `test("name", inSandbox(gateway, async (sandbox) => { ... }))`. */
export function inSandbox<Rest extends any[]>(
  gateway: Gateway | Promise<Gateway>,
  run: (sandbox: Sandbox, ...rest: Rest) => unknown,
  options?: SandboxOptions,
): (...rest: Rest) => Promise<void>;

/** A fixture for vitest's `test.extend`: `{ sandbox: sandboxFixture(inject("oagw")) }`. */
export function sandboxFixture(
  address: string | Address,
  options?: SandboxOptions,
): (context: { task: any }, use: (sandbox: Sandbox) => Promise<void>) => Promise<void>;

/** For vitest's `globalSetup`: one gateway for all tests, whose address is provided as "oagw". */
export default function setup(project: {
  provide(name: any, address: any): void;
}): Promise<() => Promise<void>>;
