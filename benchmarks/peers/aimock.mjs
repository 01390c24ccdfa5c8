// One answer to a chat from aimock: `node aimock.mjs MODULE PORT`; no log.
import { pathToFileURL } from "node:url";

const [module, port] = process.argv.slice(2);
const { LLMock } = await import(pathToFileURL(module).href);
const mock = new LLMock({ port: Number(port), logLevel: "silent" });
mock.onMessage("Hello", { content: "Hello! How can I help you today?" });
await mock.start();
