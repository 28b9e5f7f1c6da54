// Socket.IO over websockets alone: emit() of one event to everyone.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { Server } from "socket.io";

const payload = JSON.parse(readFileSync(process.argv[2], "utf8"));
const http = createServer();
const server = new Server(http, { transports: ["websocket"], serveClient: false, pingInterval: 3_600_000 });
http.listen({ host: "127.0.0.1", port: 0, backlog: 4096 }, () => console.log(JSON.stringify({ port: http.address().port })));
process.stdin.on("data", (commands) => {
  for (const command of commands) if (command === 116) server.emit("q", payload);
});
process.stdin.on("end", () => process.exit());
