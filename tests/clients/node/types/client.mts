// The client is used as its types say. It is compiled only.

import { test as nodeTest } from "node:test";
import setup, {
  type Address,
  type ExamClient,
  NotVerified,
  Refused,
  type Sandbox,
  connect,
  inSandbox,
  pattern,
  sandboxFixture,
  start,
} from "oagw-mock-client";
import { inject, test as base } from "vitest";

declare module "vitest" {
  interface ProvidedContext {
    oagw: Address;
  }
}

const test = base.extend<{ sandbox: Sandbox }>({ sandbox: sandboxFixture(inject("oagw")) });

test("fixture", async ({ sandbox }) => {
  const stub = await sandbox.stub("GET stripe/v1/x", { json: 1, times: 2, delay: 0.1 });
  const ended: "open" | string = (await stub.requests())[0]!.oagw.ended;
  await sandbox.stub("GET stripe/v1/x", { sse: [{ data: ended, delayMilliseconds: 5 }] });
  // @ts-expect-error there is no such member
  await sandbox.stub("GET stripe/v1/x", { staus: 1 });
  // @ts-expect-error there is no such toxic
  await sandbox.toxic("laency");
});

base("context of vitest", async (context) => {
  const sandbox = await connect(inject("oagw")).sandbox(context, { strict: true });
  await sandbox.toxic("latency", { latency: 10 }, { alias: "weather", toxicity: 0.5 });
});

base("upstreams", async (context) => {
  const gateway = connect("http://127.0.0.1:1");
  const limit = { sustained: { rate: 2, window: "minute" as const } };
  await using upstream = await gateway.upstream(context, "lab", "http://localhost:9", { rate_limit: limit });
  await gateway.route(upstream, { path: "/v1", methods: ["GET"], query: ["a"], priority: 1 });
  const { ref } = await gateway.secret("key", "value", { sharing: "shared" });
  await gateway.upstream(null, "https://a.example", { auth: { type: "x", config: { secret_ref: ref } }, route: false });
  // @ts-expect-error routes do not match HEAD
  await gateway.route(upstream, { methods: ["HEAD"] });
  // @ts-expect-error it is rate_limit
  await gateway.upstream("lab", upstream.url, { rateLimit: limit });
  const { tenants } = await gateway.sandbox(context, { tenants: { root: null, child: "root" } });
  const token: string | undefined = tenants["child"]?.token;
  await gateway.manage("GET", `/upstreams/${token}`);
});

const report: ExamClient = async ({ kind, url, cancel_after }) => {
  if (kind === "pages" || cancel_after !== null) return { outcome: "unsupported" };
  const { ok, status, headers } = await fetch(url);
  if (ok) return { outcome: "value", value: null };
  return { outcome: "error", error: "status", status, source: headers.get("X-OAGW-Error-Source") };
};
for (const situation of await connect("http://127.0.0.1:1").situations("retry", "streams")) {
  base.concurrent(situation.name, (context) => situation.take(context, report));
  nodeTest(situation.name, (t) => situation.take(t, report));
  const { verdict }: { verdict: "passed" | "not judged" } = await situation.take(report);
  // @ts-expect-error an error has a class
  base(verdict, () => situation.take(() => ({ outcome: "error" })));
}

base("function", inSandbox(connect("http://127.0.0.1:1"), async (sandbox) => sandbox.check()));

nodeTest("context of node:test", async (t) => {
  await using gateway = await start({ options: ["--clock", "manual"] });
  const sandbox = await gateway.sandbox(t);
  const slow = pattern("GET a/b", { headers: { "X-Id": { matches: ".+" } } });
  const count: number = await sandbox.verify(slow, { times: 1, after: "GET a/b", within: 2 });
  await gateway.clock.advance(count);
  const findings: string[] = (await sandbox.report({ retryDue: true })).findings.map(({ rule }) => rule);
  findings.concat(await sandbox.reportText());
});

nodeTest("function with the context", inSandbox(start(), async (sandbox, t) => t.diagnostic(sandbox.url)));

export function told(error: unknown): string {
  if (error instanceof Refused) return `${error.call} ${error.status} ${error.text}`;
  return error instanceof NotVerified ? error.message : String(error);
}

export const project: (project: { provide(name: "oagw", address: Address): void }) => unknown = setup;
