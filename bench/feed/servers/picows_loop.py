"""picows: `transport.send` to each subscriber in a loop."""

from __future__ import annotations

from picows import (  # type: ignore[import-not-found]  # only `install` brings it
    WSListener,
    WSMsgType,
    WSTransport,
    WSUpgradeRequest,
    ws_create_server,
)

from bench.feed.servers.commands import TICK, commands, payload, run, tell

subscribers: set[WSTransport] = set()


class Subscriber(WSListener):  # type: ignore[misc]  # untyped here
    def on_ws_connected(self, transport: WSTransport) -> None:
        subscribers.add(transport)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        subscribers.discard(transport)


def subscriber(_: WSUpgradeRequest) -> Subscriber:
    return Subscriber()


async def server() -> None:
    text = payload()
    serving = await ws_create_server(subscriber, "127.0.0.1", 0, backlog=4096)
    tell(port=serving.sockets[0].getsockname()[1])
    async for command in commands():
        if command == TICK:
            for transport in tuple(subscribers):
                transport.send(WSMsgType.TEXT, text)
    serving.close()


if __name__ == "__main__":
    run(server())
