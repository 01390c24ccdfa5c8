// The `wiremock-rest-client` and `wiremock-captain` packages drive the control plane as they drive WireMock.
//
// OAGW_URL is the URL of the gateway, or of a real WireMock: what is asserted here is what WireMock does.
// OAGW_TOKEN is a token of the gateway. Each check is told on stdout as it begins; the first that fails ends
// the process with status 1 and says why on stderr.

import assert from "node:assert/strict";
import captain from "wiremock-captain";
import restClient from "wiremock-rest-client";

const { OAGW_URL, OAGW_TOKEN } = process.env;
assert.ok(OAGW_URL && OAGW_TOKEN, "set OAGW_URL and OAGW_TOKEN");

const PREFIX = "/api/oagw/v1/proxy/stripe";
const CHARGES = `${PREFIX}/v1/charges`;
const METHOD_POST = { method: "POST", urlPath: CHARGES };

const wiremock = new restClient.WireMockRestClient(OAGW_URL, { logLevel: "silent", continueOnFailure: true });
const other = new captain.WireMock(OAGW_URL);

async function check(name, body) {
  console.log(name);
  await wiremock.global.resetAll();
  await body();
}

// The client library that is tested, in a word.
async function call(path, { method = "POST", body = "{}" } = {}) {
  const answer = await fetch(OAGW_URL + path, {
    method,
    body,
    headers: { Authorization: `Bearer ${OAGW_TOKEN}`, "Content-Type": "application/json" },
    signal: AbortSignal.timeout(20_000),
  });
  return { status: answer.status, headers: answer.headers, text: await answer.text() };
}

await check("a stub answers as it says", async () => {
  const { id } = await wiremock.mappings.createMapping({
    name: "a charge",
    priority: 1,
    persistent: false,
    request: {
      method: "POST",
      urlPathPattern: `${PREFIX}/v1/ch.*`,
      queryParameters: { expand: { matches: "cust.*" } },
      bodyPatterns: [{ equalToJson: '{"amount": 7}', ignoreArrayOrder: true, ignoreExtraElements: true }],
    },
    response: {
      status: 201,
      headers: { "Content-Type": "application/json", "X-Stubbed": "yes" },
      jsonBody: { id: "ch_1" },
      fixedDelayMilliseconds: 10,
    },
  });

  const answer = await call(`${CHARGES}?expand=customer`, { body: '{"amount": 7, "x": 1}' });

  assert.match(id, /^[0-9a-f-]{36}$/);
  assert.equal(answer.status, 201);
  assert.equal(answer.headers.get("X-Stubbed"), "yes");
  assert.deepEqual(JSON.parse(answer.text), { id: "ch_1" });
});

await check("stubs are listed, read, replaced and deleted", async () => {
  const made = await wiremock.mappings.createMapping({ request: METHOD_POST, response: { status: 201 } });

  const { mappings, meta } = await wiremock.mappings.getAllMappings();
  assert.deepEqual([mappings.map(({ id }) => id), meta.total], [[made.id], 1]);
  const read = await wiremock.mappings.getMapping(made.id);
  assert.equal(read.request.urlPath, CHARGES);
  read.response.status = 202;
  assert.equal((await wiremock.mappings.updateMapping(made.id, read)).response.status, 202);
  assert.equal((await call(CHARGES)).status, 202);
  await wiremock.mappings.deleteMapping(made.id);
  assert.equal((await call(CHARGES)).status, 404);
});

await check("stubs are found and removed by their metadata", async () => {
  const metadata = { author: "me" };
  const { id } = await wiremock.mappings.createMapping({ metadata, request: METHOD_POST, response: {} });
  await wiremock.mappings.createMapping({ request: METHOD_POST, response: {} });
  const mine = { matchesJsonPath: { expression: "$.author", equalTo: "me" } };

  assert.deepEqual((await wiremock.mappings.findByMetaData(mine)).mappings.map((one) => one.id), [id]);
  await wiremock.mappings.removeByMetaData(mine);
  assert.equal((await wiremock.mappings.getAllMappings()).mappings.length, 1);
});

await check("requests are listed, counted, found and removed", async () => {
  await wiremock.mappings.createMapping({ request: METHOD_POST, response: { status: 201 } });
  await call(`${CHARGES}?try=7`, { body: '{"amount": 7}' });
  await call(`${CHARGES}?try=8`, { body: '{"amount": 8}' });
  await call(`${PREFIX}/v1/refunds`);
  const eight = { ...METHOD_POST, bodyPatterns: [{ matchesJsonPath: "$[?(@.amount == 8)]" }] };

  const { requests, meta } = await wiremock.requests.getAllRequests();
  assert.equal(meta.total, 3);
  assert.deepEqual(
    requests.map(({ request, wasMatched }) => [request.url, wasMatched]),
    [[`${PREFIX}/v1/refunds`, false], [`${CHARGES}?try=8`, true], [`${CHARGES}?try=7`, true]],
  );
  assert.equal((await wiremock.requests.getRequest(requests[2].id)).request.body, '{"amount": 7}');
  assert.equal((await wiremock.requests.getCount(METHOD_POST)).count, 2);
  const found = (await wiremock.requests.findRequests(eight)).requests;
  assert.deepEqual(found.map(({ url }) => url), [`${CHARGES}?try=8`]);
  await wiremock.requests.removeRequests(eight);
  assert.equal((await wiremock.requests.getCount(METHOD_POST)).count, 1);
  await wiremock.requests.deleteRequest(requests[2].id);
  assert.equal((await wiremock.requests.getCount(METHOD_POST)).count, 0);
  await wiremock.requests.deleteAllRequests();
  assert.deepEqual((await wiremock.requests.getAllRequests()).requests, []);
});

await check("what no stub answered is unmatched and has near misses", async () => {
  const { id } = await wiremock.mappings.createMapping({ request: METHOD_POST, response: {} });
  await call(`${PREFIX}/v1/refunds`);

  const { requests } = await wiremock.requests.getUnmatchedRequests();
  const { nearMisses } = await wiremock.requests.getUnmatchedNearMisses();

  assert.deepEqual(requests.map(({ url }) => url), [`${PREFIX}/v1/refunds`]);
  assert.equal(nearMisses.length, 1);
  assert.equal(nearMisses[0].stubMapping.id, id);
  assert.ok(nearMisses[0].matchResult.distance > 0);
});

await check("a scenario moves on, is set and is reset", async () => {
  const scenarioName = "retry";
  for (const [requiredScenarioState, newScenarioState, status] of [
    ["Started", "tried", 503],
    ["tried", "tried", 201],
  ]) {
    const state = { scenarioName, requiredScenarioState, newScenarioState };
    await wiremock.mappings.createMapping({ ...state, request: METHOD_POST, response: { status } });
  }
  const state = async () => (await wiremock.scenarios.getAllScenarios()).scenarios[0].state;

  assert.equal(await state(), "Started");
  assert.deepEqual([(await call(CHARGES)).status, (await call(CHARGES)).status], [503, 201]);
  assert.equal(await state(), "tried");
  await wiremock.scenarios.resetAllScenarios();
  assert.equal(await state(), "Started");
  await wiremock.scenarios.setScenarioState(scenarioName, "tried");
  assert.equal((await call(CHARGES)).status, 201);
  await wiremock.scenarios.resetScenario(scenarioName);
  assert.equal(await state(), "Started");
});

await check("a global delay is set", async () => {
  await wiremock.mappings.createMapping({ request: METHOD_POST, response: {} });
  await wiremock.global.updateGlobalSettings({ fixedDelay: 200 });
  const began = performance.now();

  await call(CHARGES);

  assert.ok(performance.now() - began >= 195);
});

await check("the captain registers a stub, and sees who called it", async () => {
  const { id } = await other.register(
    {
      method: "POST",
      endpoint: CHARGES,
      body: { amount: 7 },
      headers: { "Content-Type": "application/json" },
      queryParameters: {},
    },
    { status: 418, body: { id: "ch_1" }, headers: { "X-Stubbed": "yes" } },
    { stubPriority: 1, requestIgnoreExtraElements: true, responseDelay: { type: "fixed", constantDelay: 10 } },
  );

  const answer = await call(CHARGES, { body: '{"amount": 7, "x": 1}' });

  assert.deepEqual([answer.status, answer.text], [418, '{"id":"ch_1"}']);
  assert.equal((await other.getMapping(id)).priority, 1);
  assert.equal((await other.getRequestsForAPI("POST", CHARGES)).length, 1);
  assert.deepEqual(await other.getUnmatchedRequests(), []);
  await other.clearAll();
  assert.deepEqual([await other.getAllMappings(), await other.getAllRequests()], [[], []]);
});

await check("the captain has faults and scenarios", async () => {
  const first = { method: "POST", endpoint: CHARGES };
  const fails = { scenarioName: "retry", requiredScenarioState: "Started", newScenarioState: "tried" };
  const works = { scenarioName: "retry", requiredScenarioState: "tried" };
  await other.register(first, { status: 200 }, { scenario: fails, fault: "CONNECTION_RESET_BY_PEER" });
  await other.register(first, { status: 201 }, { scenario: works });

  await assert.rejects(call(CHARGES));
  assert.equal((await call(CHARGES)).status, 201);
  assert.equal((await other.getAllScenarios())[0].state, "tried");
  await other.resetAllScenarios();
  assert.equal((await other.getAllScenarios())[0].state, "Started");
});

await wiremock.global.resetAll();
console.log("all is well");
