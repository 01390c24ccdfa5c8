// Take the exam with the official openai SDK for Node:
//
//     oagw-mock exam -- node examples/exam/with_openai.mjs

import { createInterface } from "node:readline";
import OpenAI from "openai";

async function report({ kind, base_url, path, method, headers, body, token, ...options }) {
  const { timeout, retries, cancel_after } = options;
  if (kind === "pages") return { outcome: "unsupported" }; // the pages of OpenAI are linked in the body
  const baseURL = `${base_url}/v1`;
  const client = new OpenAI({ baseURL, apiKey: token, timeout: timeout * 1000, maxRetries: retries });
  const pieces = [];
  try {
    if (kind === "call") {
      const send = client[method.toLowerCase()].bind(client);
      const value = await send(path.replace(/^\/v1/, ""), { body: body ?? undefined, headers });
      return { outcome: "value", value: value ?? null };
    }
    const stream = await client.chat.completions.create(body, { headers });
    for await (const chunk of stream) {
      pieces.push(chunk.choices[0].delta.content ?? "");
      if (pieces.length === cancel_after) {
        stream.controller.abort();
        return { outcome: "text", text: pieces.join(""), cancelled: true };
      }
    }
    return { outcome: "text", text: pieces.join("") };
  } catch (error) {
    const said = { outcome: "error", error: error.constructor.name, message: error.message };
    said.text = pieces.join("");
    if (!error.status) return said;
    return { ...said, status: error.status, source: error.headers?.get("X-OAGW-Error-Source") ?? null };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const call = JSON.parse(line);
  report(call).then((said) => console.log(JSON.stringify({ id: call.id, ...said })));
}
