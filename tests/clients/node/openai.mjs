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

await check("content may be a list of parts", async () => {
  const parts = [
    { type: "text", text: "describe the " },
    { type: "text", text: "octopus" },
  ];

  const completion = await chat.create({ ...user(parts), temperature: 0.2 });

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

const parameters = {
  type: "object",
  properties: { city: { type: "string" }, days: { type: "integer", minimum: 2 } },
  required: ["city", "days"],
  additionalProperties: false,
};

await check("a tool is called, buffered and in fragments", async () => {
  const tools = [{ type: "function", function: { name: "weather", parameters, strict: true } }];
  const asked = { ...user("what now?"), tools };

  const { choices } = await chat.create(asked);
  const [call] = choices[0].message.tool_calls;
  assert.equal(choices[0].finish_reason, "tool_calls");
  assert.equal(call.function.name, "weather");
  const given = JSON.parse(call.function.arguments);
  assert.deepEqual(Object.keys(given), ["city", "days"]);
  assert.ok(typeof given.city === "string" && given.days >= 2);

  const fragments = [];
  const stream = client.chat.completions.stream(asked);
  stream.on("tool_calls.function.arguments.delta", (delta) => fragments.push(delta.arguments_delta));
  const accumulated = await stream.finalChatCompletion();
  assert.equal(accumulated.choices[0].message.tool_calls[0].function.arguments, call.function.arguments);
  assert.equal(fragments.join(""), call.function.arguments);
  assert.ok(fragments.length > 2, "in fragments, not at once");
});

await check("several tools are called in one turn, buffered and streamed", async () => {
  const tool = { type: "function", function: { name: "weather", parameters } };
  const asked = { ...user('x [mock tool=weather tool=weather arguments="{}"]'), tools: [tool] };

  const [first, second] = (await chat.create(asked)).choices[0].message.tool_calls;
  assert.notEqual(first.id, second.id);
  assert.equal(second.function.arguments, "{}");

  const accumulated = await client.chat.completions.stream(asked).finalChatCompletion();
  assert.deepEqual(
    accumulated.choices[0].message.tool_calls.map((call) => call.function.arguments),
    [first.function.arguments, "{}"],
  );
});

await check("a response calls functions and custom tools", async () => {
  const tools = [
    { type: "function", name: "weather", parameters, strict: false },
    { type: "custom", name: "shell" },
  ];
  const asked = { model: "gpt-4o", input: "x [mock tool=weather tool=shell arguments=ls]", tools };

  const buffered = await client.responses.create(asked);
  const streamed = await client.responses.stream(asked).finalResponse();

  for (const { output } of [buffered, streamed]) {
    assert.deepEqual(output.map(({ type }) => type), ["function_call", "custom_tool_call"]);
    assert.equal(output[1].input, "ls");
  }
});

await check("what is cut by the filter has that reason", async () => {
  const completion = await chat.create(user("x [mock finish=content_filter]"));
  const response = await client.responses.create({ model: "gpt-4o", input: "x [mock finish=content_filter]" });

  assert.equal(completion.choices[0].finish_reason, "content_filter");
  assert.deepEqual([response.status, response.incomplete_details.reason], ["incomplete", "content_filter"]);
});

await check("a parameter that the API does not have is a BadRequestError", async () => {
  await assert.rejects(chat.create({ ...user("x"), top_k: 5 }), (error) => {
    assert.ok(error instanceof OpenAI.BadRequestError, String(error));
    assert.match(error.message, /Unrecognized request argument supplied: top_k/);
    return true;
  });
});

await check("content is valid against a JSON schema", async () => {
  const response_format = { type: "json_schema", json_schema: { name: "w", schema: parameters, strict: true } };

  const completion = await chat.create({ ...user("solve it"), response_format });

  assert.deepEqual(Object.keys(JSON.parse(completion.choices[0].message.content)), ["city", "days"]);
});

await check("embeddings are the same as floats and as the SDK unpacks them", async () => {
  const asked = { model: "text-embedding-3-small", input: ["one", "other"] };

  const unpacked = await client.embeddings.create(asked);
  const floats = await client.embeddings.create({ ...asked, encoding_format: "float" });

  assert.equal(unpacked.data.length, 2);
  unpacked.data.forEach(({ embedding }, n) => {
    assert.equal(embedding.length, 1536);
    assert.deepEqual(Array.from(embedding), floats.data[n].embedding);
    assert.ok(Math.abs(Math.hypot(...embedding) - 1) < 1e-5);
  });
});

await check("a streamed response is the buffered one", async () => {
  const asked = { model: "gpt-4o", input: "a question of some words" };
  const buffered = await client.responses.create(asked);

  const types = new Set();
  let text = "";
  let last;
  for await (const event of await client.responses.create({ ...asked, stream: true })) {
    types.add(event.type);
    if (event.type === "response.output_text.delta") text += event.delta;
    last = event;
  }

  assert.equal(text, buffered.output_text);
  assert.ok(text.includes(asked.input), text);
  assert.deepEqual([...types], [
    "response.created",
    "response.in_progress",
    "response.output_item.added",
    "response.content_part.added",
    "response.output_text.delta",
    "response.output_text.done",
    "response.content_part.done",
    "response.output_item.done",
    "response.completed",
  ]);
  assert.equal(last.response.status, "completed");
});

await check("the SDK accumulates a streamed response", async () => {
  const final = await client.responses.stream({ model: "gpt-4o", input: "hello" }).finalResponse();

  assert.match(final.output_text, /^Hello/);
});

await check("a completion and its stream are the same text", async () => {
  const asked = { model: "gpt-3.5-turbo-instruct", prompt: "some prompt" };
  const buffered = await client.completions.create(asked);

  let text = "";
  for await (const chunk of await client.completions.create({ ...asked, stream: true })) {
    text += chunk.choices[0].text;
  }

  assert.equal(text, buffered.choices[0].text);
});

await check("a directive breaks a stream off with an error", async () => {
  const stream = await chat.create({ ...user("x [mock error_after=2]"), stream: true });

  let count = 0;
  await assert.rejects(async () => {
    for await (const _ of stream) count += 1;
  }, OpenAI.APIError);
  assert.equal(count, 3);
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
