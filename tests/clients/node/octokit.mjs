// The official `@octokit/rest` package talks to the GitHub upstream.
//
// Octokit sends a token as `Authorization: token ...`, GitHub's own scheme; the gateway takes bearer
// tokens (RFC 6750) alone, so that a hook of Octokit's sets the header.
//
// The gateway was started with --github-links. OAGW_URL is the URL of the upstream's alias, OAGW_TOKEN a
// token of the gateway. Each check is told on stdout as it begins; the first that fails ends the process
// with status 1 and says why on stderr.

import assert from "node:assert/strict";
import { Octokit } from "@octokit/rest";

const { OAGW_URL, OAGW_TOKEN } = process.env;
assert.ok(OAGW_URL && OAGW_TOKEN, "set OAGW_URL and OAGW_TOKEN");

// An error is expected here, not news for the console.
const log = { debug() {}, info() {}, warn: console.warn, error() {} };

function connect(authorization) {
  const octokit = new Octokit({ baseUrl: OAGW_URL, log });
  octokit.hook.before("request", (options) => {
    options.headers.authorization = authorization;
    options.request.signal = AbortSignal.timeout(20_000);
  });
  return octokit;
}

const octokit = connect(`Bearer ${OAGW_TOKEN}`);

async function check(name, body) {
  console.log(name);
  await body();
}

await check("a user can be got", async () => {
  const { status, data, headers } = await octokit.rest.users.getByUsername({ username: "octocat" });

  assert.equal(status, 200);
  assert.equal(data.login, "octocat");
  assert.equal(data.id, 583231);
  assert.equal(data.type, "User");
  assert.equal(headers["x-oagw-error-source"], "upstream");
});

await check("a repository can be got", async () => {
  const { status, data } = await octokit.rest.repos.get({ owner: "octocat", repo: "Hello-World" });

  assert.equal(status, 200);
  assert.equal(data.full_name, "octocat/Hello-World");
  assert.equal(data.owner.login, "octocat");
  assert.equal(data.private, false);
  assert.equal(data.default_branch, "main");
});

await check("all pages of a list are got", async () => {
  const repository = { owner: "octocat", repo: "Hello-World" };

  const issues = await octokit.paginate(octokit.rest.issues.listForRepo, {
    ...repository,
    state: "all",
    per_page: 5,
  });
  assert.deepEqual(issues.map(({ number }) => number), Array.from({ length: 42 }, (_, n) => 42 - n));
  const pulls = await octokit.paginate(octokit.rest.pulls.list, { ...repository, per_page: 2 });
  assert.equal(pulls.length, 11);
  let commits = 0;
  for await (const { data, url } of octokit.paginate.iterator(octokit.rest.repos.listCommits, repository)) {
    assert.ok(url.startsWith(OAGW_URL), url);
    commits += data.length;
  }
  assert.equal(commits, 35);
});

await check("an item of a list can be got", async () => {
  const repository = { owner: "octocat", repo: "Hello-World" };

  const pull = await octokit.rest.pulls.get({ ...repository, pull_number: 3 });
  assert.equal(pull.data.title, "Update the README: number 3");
  const commit = await octokit.request(pull.data.url.replace(/pulls.*/, "commits/{ref}"), { ref: "main" });
  assert.equal(commit.data.sha, pull.data.base.sha);
});

await check("what was got already is a 304", async () => {
  const { headers } = await octokit.rest.users.getByUsername({ username: "octocat" });
  assert.equal(headers["x-ratelimit-limit"], "5000");

  const again = octokit.rest.users.getByUsername({
    username: "octocat",
    headers: { "if-none-match": headers.etag },
  });

  await assert.rejects(again, { status: 304 });
});

await check("an unknown user is a RequestError with status 404", async () => {
  await assert.rejects(octokit.rest.users.getByUsername({ username: "nobody" }), notFound);
});

await check("an unknown repository is a RequestError with status 404", async () => {
  await assert.rejects(octokit.rest.repos.get({ owner: "octocat", repo: "missing" }), notFound);
});

function notFound(error) {
  // Octokit composes this message from the members `message` and `documentation_url` of the body.
  assert.match(error.message, /^Not Found - https:\/\/docs\.github\.com\//);
  assert.equal(error.name, "HttpError");
  assert.equal(error.status, 404);
  assert.equal(error.response.data.message, "Not Found");
  assert.equal(error.response.headers["x-oagw-error-source"], "upstream");
  return true;
}

await check("a wrong token is refused by the gateway", async () => {
  await assert.rejects(connect("Bearer wrong").rest.users.getByUsername({ username: "octocat" }), (error) => {
    assert.equal(error.status, 403);
    assert.equal(error.response.headers["x-oagw-error-source"], "gateway");
    return true;
  });
});

await check("what Octokit makes of a token by itself is not a bearer token", async () => {
  const itself = new Octokit({ baseUrl: OAGW_URL, auth: OAGW_TOKEN, log });

  await assert.rejects(itself.rest.users.getByUsername({ username: "octocat" }), (error) => {
    assert.equal(error.status, 401);
    assert.equal(error.response.headers["www-authenticate"], "Bearer");
    assert.equal(error.response.headers["x-oagw-error-source"], "gateway");
    return true;
  });
});

console.log("all is well");
