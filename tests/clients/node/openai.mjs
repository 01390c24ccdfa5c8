// The official `openai` package talks to the OpenAI upstream unchanged, and gets what it parses.
//
// OAGW_URL is the URL of the upstream's alias, OAGW_TOKEN a token of the gateway. Each check is told on
// stdout as it begins; the first that fails ends the process with status 1 and says why on stderr.

import assert from "node:assert/strict";
import OpenAI from "openai";

const { OAGW_URL, OAGW_TOKEN } = process.env;
assert.ok(OAGW_URL && OAGW_TOKEN, "set OAGW_URL and OAGW_TOKEN");

const options = { baseURL: `${OAGW_URL}/v1`, apiKey: OAGW_TOKEN, maxRetries: 0, timeout: 20_000 };
const client = new OpenAI(options);
const chat = client.chat.completions;

function user(content) {
  return { model: "gpt-4", messages: [{ role: "user", content }] };
}

async function spoken(stream) {
  let text = "";
  for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? "";
  return text;
}

async function check(name, body) {
  console.log(name);
  await body();
}

await check("a completion is an answer of the assistant", async () => {
  const completion = await chat.create(user("hello"));

  assert.equal(completion.object, "chat.completion");
  assert.match(completion.id, /^chatcmpl-/);
  assert.equal(completion.model, "gpt-4");
  assert.equal(completion.choices.length, 1);
  assert.equal(completion.choices[0].message.role, "assistant");
  assert.match(completion.choices[0].message.content, /^Hello/);
  assert.equal(completion.choices[0].finish_reason, "stop");
});

await check("the total usage is the sum of prompt and completion", async () => {
  const { usage } = await chat.create(user("some question"));

  assert.ok(usage.prompt_tokens > 0 && usage.completion_tokens > 0);
  assert.equal(usage.total_tokens, usage.prompt_tokens + usage.completion_tokens);
});

await check("content may be a list of parts, and unknown fields are accepted", async () => {
  const parts = [
    { type: "text", text: "describe the " },
    { type: "text", text: "octopus" },
  ];

  const completion = await chat.create({ ...user(parts), temperature: 0.2, nobody_knows_this: [1, null] });

  assert.match(completion.choices[0].message.content, /describe the octopus/);
});

await check("a streamed reply is the buffered one", async () => {
  const buffered = await chat.create(user("a question of some wörds"));

  const chunks = [];
  for await (const chunk of await chat.create({ ...user("a question of some wörds"), stream: true })) {
    chunks.push(chunk);
  }

  assert.equal(chunks[0].object, "chat.completion.chunk");
  assert.equal(chunks[0].choices[0].delta.role, "assistant");
  assert.equal(chunks.at(-1).choices[0].finish_reason, "stop");
  assert.equal(await spoken(chunks), buffered.choices[0].message.content);
  assert.equal(new Set(chunks.map((chunk) => chunk.id)).size, 1);
  assert.ok(chunks.length > 3, "in pieces, not at once");
});

await check("a stream ends with the usage where it is asked for", async () => {
  const buffered = await chat.create(user("hello"));

  const stream = await chat.create({
    ...user("hello"),
    stream: true,
    stream_options: { include_usage: true },
  });
  let last;
  for await (const chunk of stream) last = chunk;

  assert.deepEqual(last.choices, []);
  assert.deepEqual(last.usage, buffered.usage);
});

await check("the SDK accumulates a stream to the buffered completion", async () => {
  const buffered = await chat.create(user("some question"));

  const accumulated = await client.chat.completions.stream(user("some question")).finalChatCompletion();

  assert.equal(accumulated.choices[0].message.role, "assistant");
  assert.equal(accumulated.choices[0].message.content, buffered.choices[0].message.content);
});

await check("parallel streams do not mix", async () => {
  const questions = Array.from({ length: 10 }, (_, n) => `question number ${n} of ten`);

  const streams = await Promise.all(questions.map((q) => chat.create({ ...user(q), stream: true })));
  const replies = await Promise.all(streams.map(spoken));

  replies.forEach((reply, n) => assert.ok(reply.includes(`"${questions[n]}"`), reply));
});

await check("every listed model can be retrieved", async () => {
  const models = [];
  for await (const model of client.models.list()) models.push(model);

  assert.ok(models.some((model) => model.id === "gpt-4"));
  for (const model of models) {
    assert.equal(model.object, "model");
    assert.deepEqual(await client.models.retrieve(model.id), model);
  }
});

await check("missing and empty messages are a BadRequestError", async () => {
  for (const body of [{ model: "gpt-4" }, { model: "gpt-4", messages: [] }]) {
    await assert.rejects(chat.create(body), (error) => {
      assert.ok(error instanceof OpenAI.BadRequestError, String(error));
      assert.equal(error.status, 400);
      assert.equal(error.type, "invalid_request_error");
      assert.equal(error.param, "messages");
      return true;
    });
  }
});

await check("credentials of another scheme are an AuthenticationError", async () => {
  const stranger = new OpenAI({ ...options, defaultHeaders: { Authorization: "Basic YTpi" } });

  await assert.rejects(stranger.models.list(), (error) => {
    assert.ok(error instanceof OpenAI.AuthenticationError, String(error));
    assert.equal(error.status, 401);
    assert.equal(error.headers.get("x-oagw-error-source"), "gateway");
    return true;
  });
});

await check("a wrong API key is a PermissionDeniedError", async () => {
  const stranger = new OpenAI({ ...options, apiKey: "sk-wrong" });

  await assert.rejects(stranger.models.list(), (error) => {
    assert.ok(error instanceof OpenAI.PermissionDeniedError, String(error));
    assert.equal(error.status, 403);
    assert.equal(error.headers.get("x-oagw-error-source"), "gateway");
    return true;
  });
});

await check("an unknown model is a NotFoundError", async () => {
  await assert.rejects(client.models.retrieve("gpt-none"), (error) => {
    assert.ok(error instanceof OpenAI.NotFoundError, String(error));
    assert.equal(error.code, "model_not_found");
    return true;
  });
});

await check("a message about an error is a RateLimitError", async () => {
  for (const stream of [false, true]) {
    await assert.rejects(chat.create({ ...user("give me an ERROR"), stream }), (error) => {
      assert.ok(error instanceof OpenAI.RateLimitError, String(error));
      assert.equal(error.status, 429);
      assert.equal(error.code, "rate_limit_exceeded");
      assert.ok(Number(error.headers.get("retry-after")) > 0);
      assert.equal(error.headers.get("x-oagw-error-source"), "upstream");
      return true;
    });
  }
});

console.log("all is well");
