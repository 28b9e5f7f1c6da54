"""aiohttp: `WebSocketResponse.send_str` to each subscriber in a loop."""

from __future__ import annotations

from aiohttp import web

from bench.feed.servers.commands import TICK, commands, payload, run, tell


async def server() -> None:
    subscribers: set[web.WebSocketResponse] = set()
    text = payload().decode()

    async def hold(request: web.Request) -> web.WebSocketResponse:
        response = web.WebSocketResponse()
        await response.prepare(request)
        subscribers.add(response)
        async for _ in response:
            pass
        subscribers.discard(response)
        return response

    app = web.Application()
    app.add_routes([web.get("/", hold)])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=4096).start()
    tell(port=runner.addresses[0][1])
    async for command in commands():
        if command == TICK:
            for subscriber in tuple(subscribers):
                await subscriber.send_str(text)
    await runner.cleanup()


if __name__ == "__main__":
    run(server())
