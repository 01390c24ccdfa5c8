// Take the exam with got, which retries and follows pages:
//
//     oagw-mock exam -- node examples/exam/with_got.mjs

import { createInterface } from "node:readline";
import got from "got";

async function report({ kind, url, method, headers, body, token, timeout, retries }) {
  if (kind === "stream") return { outcome: "unsupported" };
  const options = {
    method,
    headers: { Authorization: `Bearer ${token}`, ...headers },
    json: body ?? undefined,
    timeout: { connect: timeout * 1000, response: timeout * 1000, socket: timeout * 1000 },
    retry: { limit: retries },
  };
  try {
    const value = kind === "pages" ? await got.paginate.all(url, options) : await got(url, options).json();
    return { outcome: "value", value };
  } catch (error) {
    const said = { outcome: "error", error: error.code ?? error.name, message: error.message };
    if (error.code !== "ERR_NON_2XX_3XX_RESPONSE") return said;
    const { statusCode, headers } = error.response;
    return { ...said, status: statusCode, source: headers["x-oagw-error-source"] ?? null };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const call = JSON.parse(line);
  report(call).then((said) => console.log(JSON.stringify({ id: call.id, ...said })));
}
