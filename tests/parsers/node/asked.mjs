// What a script here is asked, and how it answers: JSON on standard input and output.
//
//   {"url": where the cases are played, "token": ..., "cases": [{"name", "types": [event types]}]}
//   {case: {"events": [[type, data, id]], "retry"?: ms or null, "reconnects"?: bool, "failure"?: text}}

import { text } from "node:stream/consumers";

// How many cases are read at a time, and milliseconds that one may take.
const AT_A_TIME = 8;
const PATIENCE = 30_000;

export const asked = JSON.parse(await text(process.stdin));

// Calls `observe` for each case, several at a time, and prints what it found.
export async function answer(observe, atATime = AT_A_TIME) {
  const waiting = [...asked.cases];
  const found = {};
  async function work(worker) {
    for (let one = waiting.shift(); one !== undefined; one = waiting.shift()) {
      found[one.name] = await withinPatience(observe(one, worker));
    }
  }
  await Promise.all(Array.from({ length: atATime }, (_, worker) => work(worker)));
  await new Promise((written) => process.stdout.write(JSON.stringify(found), written));
}

async function withinPatience(observation) {
  let timer;
  const late = new Promise((resolve) => {
    timer = setTimeout(() => resolve({ events: [], failure: "it did not end in time" }), PATIENCE);
  });
  const first = await Promise.race([observation, late]);
  clearTimeout(timer);
  return first;
}
