// A proxy for pages, which cannot send an Authorization header: it serves an empty page at / and passes
// all else on with the token. Bytes, pieces, FIN and RST go through as they come.

import net from "node:net";

const PAGE = "<!doctype html><title>EventSource</title>";

// Returns the port of such a proxy in front of `url`, on the loopback interface.
export async function listenWithToken(url, token) {
  const { hostname, port } = new URL(url);
  const server = net.createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    let head = Buffer.alloc(0);
    client.on("error", () => client.destroy());
    client.on("data", function read(piece) {
      head = Buffer.concat([head, piece]);
      const end = head.indexOf("\r\n\r\n");
      if (end === -1) return;
      client.off("data", read);
      const [line, ...fields] = head.subarray(0, end).toString("latin1").split("\r\n");
      const path = line.split(" ")[1];
      if (path.startsWith("/api/")) {
        // One request for each connection: the proxy does not look for a second one.
        const kept = fields.filter((field) => !/^connection:/i.test(field));
        const lines = [line, ...kept, "Connection: close", `Authorization: Bearer ${token}`, "", ""];
        pass(client, net.connect({ host: hostname, port, noDelay: true, allowHalfOpen: true }), lines);
      } else {
        const fields = ["Content-Type: text/html", `Content-Length: ${PAGE.length}`, "Connection: close", "", ""];
        client.end([path === "/" ? "HTTP/1.1 200 OK" : "HTTP/1.1 404 Not Found", ...fields].join("\r\n") + PAGE);
      }
    });
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  return server.address().port;
}

function pass(client, upstream, lines) {
  upstream.write(lines.join("\r\n"), "latin1");
  upstream.on("data", (piece) => client.write(piece) || upstream.pause());
  client.on("drain", () => upstream.resume());
  upstream.on("end", () => client.end());
  // What has arrived goes out first.
  upstream.on("error", () => client.write("", () => client.resetAndDestroy()));
  client.on("data", (piece) => upstream.write(piece));
  client.on("end", () => upstream.end());
  client.on("close", () => upstream.destroy());
}
