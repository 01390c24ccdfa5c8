// Chromium's own EventSource plays the cases, headless, with an empty profile that is thrown away.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { chromium } from "playwright-core";

import { answer, asked } from "./asked.mjs";
import { listenWithToken } from "./with-token.mjs";

// A page has six connections to its host, and each of ours has a host of its own.
const PAGES = 3;
const ON_A_PAGE = 4;

const port = await listenWithToken(asked.url, asked.token);
const path = new URL(asked.url).pathname;
const profile = await mkdtemp(join(tmpdir(), "chromium-"));
const browser = await chromium.launchPersistentContext(profile, {
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  headless: true,
  args: [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
});
try {
  const pages = await Promise.all(
    Array.from({ length: PAGES }, async (_, number) => {
      const page = await browser.newPage();
      await page.goto(`http://page${number}.localhost:${port}/`);
      return page;
    }),
  );
  await answer(
    ({ name, types }, worker) => pages[worker % PAGES].evaluate(inPage, { url: `${path}/${name}`, types }),
    PAGES * ON_A_PAGE,
  );
} finally {
  await browser.close();
  await rm(profile, { recursive: true, force: true, maxRetries: 3 });
}
process.exit();

// Runs in the page.
function inPage({ url, types }) {
  return new Promise((resolve) => {
    const events = [];
    const source = new EventSource(url);
    for (const type of new Set([...types, "message", "error", "open"])) {
      source.addEventListener(type, (event) => {
        if (event instanceof MessageEvent) events.push([event.type, event.data, event.lastEventId]);
        else if (type === "error") {
          const reconnects = source.readyState !== EventSource.CLOSED;
          source.close();
          resolve({ events, reconnects });
        }
      });
    }
  });
}
