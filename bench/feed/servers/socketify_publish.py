"""uWebSockets in C++, through socketify: one topic, `publish` called over HTTP at each tick.

It runs libuv's own loop: socketify's, in turns with asyncio's, keeps a core busy when nothing happens.
"""

from __future__ import annotations

import sys

from socketify import App, OpCode  # type: ignore[import-not-found]  # `install` brings it

from bench.feed.servers.commands import payload, tell

app = App()
text = payload().decode()


def publish(response: App, _: App) -> None:
    app.publish("ticks", text, OpCode.TEXT)
    response.end("")


app.ws("/", {"open": lambda subscriber: subscriber.subscribe("ticks"), "idle_timeout": 0})
app.get("/tick", publish)
app.listen(int(sys.argv[2]), lambda listening: tell(port=listening.port))
app.loop.uv_loop.run()
