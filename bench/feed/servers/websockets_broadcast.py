"""`websockets.broadcast` in its asyncio server; with the argument "deflate", with default compression."""

from __future__ import annotations

import sys

from websockets.asyncio.server import ServerConnection, broadcast, serve

from bench.feed.servers.commands import TICK, commands, payload, run, tell


async def server() -> None:
    connections: set[ServerConnection] = set()
    text = payload().decode()

    async def hold(connection: ServerConnection) -> None:
        connections.add(connection)
        await connection.wait_closed()
        connections.discard(connection)

    compression = "deflate" if "deflate" in sys.argv else None
    async with serve(hold, "127.0.0.1", 0, compression=compression, backlog=4096) as serving:
        tell(port=next(iter(serving.sockets)).getsockname()[1])
        async for command in commands():
            if command == TICK:
                broadcast(connections, text)


if __name__ == "__main__":
    run(server())
