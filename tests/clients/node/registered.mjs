// The official `openai` and `@octokit/rest` packages through upstreams that are registered with the gateway.
//
// OPENAI_URL and GITHUB_URL are the URLs of the upstreams. LIMITED_URL allows one call a second, CLOSED_URL one
// an hour. VENDOR_URL is what GitHub's links begin with. OAGW_TOKEN is a token of the gateway. Each check is
// told on stdout as it begins; the first that fails ends the process with status 1 and says why on stderr.

import assert from "node:assert/strict";
import { Octokit } from "@octokit/rest";
import OpenAI from "openai";

const { OPENAI_URL, LIMITED_URL, CLOSED_URL, GITHUB_URL, VENDOR_URL, OAGW_TOKEN } = process.env;

function connect(url, maxRetries = 0) {
  return new OpenAI({ baseURL: `${url}/v1`, apiKey: OAGW_TOKEN, maxRetries, timeout: 20_000 });
}

function user(content) {
  return { model: "gpt-4", messages: [{ role: "user", content }] };
}

async function check(name, body) {
  console.log(name);
  await body();
}

const client = connect(OPENAI_URL);
const chat = client.chat.completions;

await check("a streamed reply is the buffered one", async () => {
  const { data, response } = await chat.create(user("some wörds")).withResponse();
  assert.equal(response.headers.get("x-oagw-error-source"), "upstream");

  let [text, count] = ["", 0];
  for await (const chunk of await chat.create({ ...user("some wörds"), stream: true })) {
    text += chunk.choices[0]?.delta.content ?? "";
    count += 1;
  }

  assert.equal(text, data.choices[0].message.content);
  assert.ok(count > 3);
});

await check("parallel streams do not mix", async () => {
  const questions = Array.from({ length: 10 }, (_, n) => `question number ${n} of ten`);

  const replies = await Promise.all(
    questions.map((question) => client.chat.completions.stream(user(question)).finalContent()),
  );

  replies.forEach((reply, n) => assert.ok(reply.includes(`"${questions[n]}"`), reply));
});

await check("an error of the vendor is that of the SDK", async () => {
  await assert.rejects(chat.create(user("an error")), (error) => {
    assert.ok(error instanceof OpenAI.RateLimitError, String(error));
    assert.equal(error.code, "rate_limit_exceeded");
    assert.equal(error.headers.get("x-oagw-error-source"), "upstream");
    return true;
  });
});

await check("the rate limit of the gateway is waited out", async () => {
  const limited = connect(LIMITED_URL, 1);
  await limited.models.list();
  const began = performance.now();

  await limited.models.list();

  assert.ok(performance.now() - began >= 995);
});

await check("the rate limit of the gateway is a RateLimitError", async () => {
  const closed = connect(CLOSED_URL);
  await closed.models.list();

  await assert.rejects(closed.models.list(), (error) => {
    assert.ok(error instanceof OpenAI.RateLimitError, String(error));
    assert.equal(error.headers.get("x-oagw-error-source"), "gateway");
    assert.ok(Number(error.headers.get("retry-after")) > 0);
    return true;
  });
});

const octokit = new Octokit({ baseUrl: GITHUB_URL, log: { debug() {}, info() {}, warn() {}, error() {} } });
octokit.hook.before("request", (options) => {
  options.headers.authorization = `Bearer ${OAGW_TOKEN}`;
});
// A gateway does not change the links of an upstream, which lead past it.
octokit.hook.after("request", ({ headers }) => {
  if (headers.link) headers.link = headers.link.replaceAll(VENDOR_URL, GITHUB_URL);
});
const repository = { owner: "octocat", repo: "Hello-World" };

await check("all pages of a list are got", async () => {
  const issues = await octokit.paginate(octokit.rest.issues.listForRepo, {
    ...repository,
    state: "all",
    per_page: 5,
  });

  assert.deepEqual(issues.map(({ number }) => number), Array.from({ length: 42 }, (_, n) => 42 - n));
});

await check("an unknown repository is a RequestError with status 404", async () => {
  await assert.rejects(octokit.rest.repos.get({ owner: "octocat", repo: "missing" }), (error) => {
    assert.match(error.message, /^Not Found - https:\/\/docs\.github\.com\//);
    assert.equal(error.response.headers["x-oagw-error-source"], "upstream");
    return true;
  });
});

await check("a query parameter that the route does not list is refused by the gateway", async () => {
  await assert.rejects(octokit.rest.issues.listForRepo({ ...repository, creator: "octocat" }), (error) => {
    assert.equal(error.status, 400);
    assert.equal(error.response.headers["x-oagw-error-source"], "gateway");
    return true;
  });
});

console.log("all is well");
