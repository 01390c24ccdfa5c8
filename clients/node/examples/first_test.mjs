// From the start of a server to the end of a first test, for benchmarks/: exits with 0 if all of it works.

import { start } from "oagw-mock-client";

const gateway = await start();
const sandbox = await gateway.sandbox();
await sandbox.stub("GET stripe/v1/charges/{id}", { json: { id: "ch_1" } });
const headers = { Authorization: `Bearer ${sandbox.token}` };
const answer = await fetch(`${sandbox.aliasUrl("stripe")}/v1/charges/ch_1`, { headers });
if (answer.status !== 200) throw new Error(`got ${answer.status}`);
await answer.arrayBuffer();
await sandbox.verify("GET stripe/v1/charges/ch_1", { times: 1 });
await sandbox.delete();
await gateway.stop();
console.log("ok");
