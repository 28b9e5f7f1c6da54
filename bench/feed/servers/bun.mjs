// Bun: subscribers of one topic, publish() at each tick.
const payload = await Bun.file(process.argv[2]).text();
const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  fetch: (request, serving) => (serving.upgrade(request) ? undefined : new Response("", { status: 426 })),
  websocket: { open: (socket) => socket.subscribe("ticks"), message: () => {}, perMessageDeflate: false, sendPings: false, idleTimeout: 0 },
});
console.log(JSON.stringify({ port: server.port }));
process.stdin.on("data", (commands) => {
  for (const command of commands) if (command === 116) server.publish("ticks", payload);
});
process.stdin.on("end", () => process.exit());
