// Node's own HTTP server and client, without a framework. It answers what `answers.py` says,
// but for /report, whose work would be another in another language.
//
//     node stormy_demo/peers/node_http.js --port=0 --upstream=http://127.0.0.1:8901
"use strict";

const http = require("node:http");

const { port, upstream } = require("node:util").parseArgs({
  options: {
    port: { type: "string", default: "8888" },
    upstream: { type: "string", default: "" },
  },
}).values;
const agent = new http.Agent({ keepAlive: true });
const TEXT = "text/plain; charset=utf-8";
const JSON_TYPE = "application/json; charset=utf-8";

function send(response, status, type, body) {
  response.writeHead(status, {
    Server: "node",
    "Content-Type": type,
    "Content-Length": Buffer.byteLength(body),
  });
  response.end(body);
}

function resource(response) {
  const fail = () => send(response, 502, TEXT, "The backend does not answer");
  http
    .get(upstream + "/profile?user=ada", { agent }, (answer) => {
      let said = "";
      answer.setEncoding("utf8");
      answer.on("data", (piece) => (said += piece));
      answer.on("end", () => {
        if (answer.statusCode !== 200) return fail();
        // Python writes a space after a colon and a comma, and the answers are to be the same.
        const { profile } = JSON.parse(said);
        send(response, 200, JSON_TYPE, `{"user": "ada", "profile": ${JSON.stringify(profile)}}`);
      });
    })
    .on("error", fail);
}

const server = http.createServer((request, response) => {
  if (request.url === "/") send(response, 200, TEXT, "Hello, world");
  else if (request.url === "/resource") resource(response);
  else send(response, 404, TEXT, "There is no such page");
});
server.listen({ host: "127.0.0.1", port: Number(port), backlog: 1024 }, () =>
  console.log(`listening on http://127.0.0.1:${server.address().port} (Ctrl-C stops)`),
);
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(0));
