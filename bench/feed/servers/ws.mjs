// `ws`: send() to each client in a loop, the bytes already encoded; or, with "text", the string that JSON is.
import { readFileSync } from "node:fs";
import { WebSocketServer } from "ws";

const payload = readFileSync(process.argv[2], process.argv[3] === "text" ? "utf8" : null);
const server = new WebSocketServer({ host: "127.0.0.1", port: 0, backlog: 4096, perMessageDeflate: false });
server.on("listening", () => console.log(JSON.stringify({ port: server.address().port })));
process.stdin.on("data", (commands) => {
  for (const command of commands)
    if (command === 116) for (const client of server.clients) client.send(payload, { binary: false });
});
process.stdin.on("end", () => process.exit());
