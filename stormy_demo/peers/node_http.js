// Node's own HTTP server and client, without a framework. It answers what `answers.py` says,
// but for /report, whose work would be another in another language.
//
//     node stormy_demo/peers/node_http.js --port=0 --upstream=http://127.0.0.1:8901
"use strict";

const http = require("node:http");
const { parseArgs } = require("node:util");

const TEXT = "text/plain; charset=utf-8";
const JSON_TYPE = "application/json; charset=utf-8";
// What `agreed.py` says, and how long `starting.py` waits.
const NO_ANSWER = "The backend could not be reached, hung up, or sent what could not be read.";
const NOT_UNDERSTOOD = "The backend did not answer in the JSON that was agreed.";
const TOO_LATE = "The backend did not answer in time.";
const PATIENCE = 20_000; // ms

function given() {
  try {
    const { values } = parseArgs({
      options: {
        port: { type: "string", default: "8888" },
        upstream: { type: "string", default: "" },
        "end-with-stdin": { type: "boolean", default: false },
      },
    });
    if (!/^\d{1,5}$/.test(values.port) || values.port > 65535)
      throw new Error(`'${values.port}' is no port: they go from 0 to 65535`);
    return values;
  } catch (error) {
    console.error(error.message);
    process.exit(2);
  }
}

const options = given();
const agent = new http.Agent({ keepAlive: true });

function send(response, status, type, body) {
  response.writeHead(status, {
    Server: "node",
    "Content-Type": type,
    "Content-Length": Buffer.byteLength(body),
  });
  response.end(body);
}

function resource(response) {
  let isOver = false;
  function answer(status, type, body) {
    // A connection may break after a time-out, and a time-out comes from a broken one.
    if (!isOver) send(response, status, type, body);
    isOver = true;
  }
  const fail = () => answer(502, TEXT, NO_ANSWER);
  function judge(status, said) {
    if (status < 200 || status > 299)
      return answer(502, TEXT, `The backend answered ${status}.`);
    let body;
    try {
      // Python writes a space after a colon and a comma, and the answers are to be the same.
      const { profile } = JSON.parse(said);
      if (profile === undefined) throw new Error("it says nothing of a profile");
      body = `{"user": "ada", "profile": ${JSON.stringify(profile)}}`;
    } catch {
      return answer(502, TEXT, NOT_UNDERSTOOD);
    }
    answer(200, JSON_TYPE, body);
  }
  try {
    const asking = http.get(
      options.upstream + "/profile?user=ada",
      { agent, timeout: PATIENCE },
      (told) => {
        let said = "";
        told.setEncoding("utf8");
        told.on("data", (piece) => (said += piece));
        told.on("end", () => judge(told.statusCode, said));
        // Without this, nobody is told of an answer that breaks off.
        told.on("error", fail);
      },
    );
    asking.on("error", fail);
    asking.on("timeout", () => {
      answer(504, TEXT, TOO_LATE);
      asking.destroy();
    });
  } catch {
    // There is no such address.
    fail();
  }
}

const server = http.createServer((request, response) => {
  const path = request.url.split("?", 1)[0];
  if (request.method !== "GET") {
    response.setHeader("Allow", "GET");
    send(response, 405, TEXT, "There is only GET here.");
  } else if (path === "/") send(response, 200, TEXT, "Hello, world");
  else if (path === "/resource") resource(response);
  else send(response, 404, TEXT, "There is no such page.");
});
server.on("error", (error) => {
  console.error(`cannot listen on port ${options.port}: ${error.code}; --port=0 picks another`);
  process.exit(1);
});
server.listen({ host: "127.0.0.1", port: Number(options.port), backlog: 1024 }, () =>
  console.log(`listening on http://127.0.0.1:${server.address().port} (Ctrl-C stops)`),
);
const stop = () => process.stdout.write("stopped\n", () => process.exit(0));
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, stop);
if (options["end-with-stdin"]) process.stdin.on("end", () => process.exit(0)).resume();
