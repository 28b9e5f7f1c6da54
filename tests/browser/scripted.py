"""A feed server that does exactly what a test says, and pages that use /feed.js on it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from aiohttp import WSMsgType, web

from widgets.embed import embed, feed_client
from widgets.format import notation

NOW = 1_790_000_000_000
HOW = notation("USD")
OPEN = {"Access-Control-Allow-Origin": "*"}
# Timers run a hundred times faster and say how long they were to be; the clock can be put forward by `skip`.
HURRIED = """
  window.waits = []; window.skip = 0;
  const later = setTimeout, often = setInterval, now = performance.now.bind(performance);
  window.setTimeout = (does, ms) => { waits.push(Math.round(ms)); return later(does, ms / 100); };
  window.setInterval = (does, ms) => often(does, ms / 100);
  performance.now = () => now() + skip;
"""
# Everything that a feed says, in order.
WATCH = """async ([server, options]) => {
  const { connect } = await import("/feed.js");
  window.seen = []; window.prices = [];
  window.feed = connect(...(server ? [server] : []), options);
  for (const name of ["quote", "state", "error", "goodbye", "status"])
    feed.on(name, (value) => seen.push([name, value.code ?? value.price ?? value]));
}"""


def quote(price: str, seq: int, **more: Any) -> dict[str, Any]:
    return {
        "symbol": "US",
        "currency": "USD",
        "price": price,
        "as_of": NOW,
        "state": "live",
        "seq": seq,
        **more,
    }


class Scripted:
    """A feed server. It greets, sends a snapshot of `quotes`, and then only what the test tells it to."""

    def __init__(self) -> None:
        self.epoch, self.seq, self.quotes = "k3f9", 100, {"talus": quote("1.00", 100), "pepe": quote("7", 99)}
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.commands: list[dict[str, Any]] = []
        self.refused: dict[str, int] = {}
        self.refusal: str | None = None
        self.retry_after = ""
        self.closing: int | None = None
        self.sockets: list[web.WebSocketResponse] = []
        self.streams: list[web.StreamResponse] = []
        self.tags: list[str | None] = []
        self.changed = asyncio.Condition()
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        app = web.Application()
        app.add_routes(
            [
                web.get("/feed.js", self._script),
                web.get("/embed.js", self._script),
                web.get("/widgets/quote", self._widget),
                web.get("/page", self._page),
                web.get("/v1/feed", self._feed),
                web.get("/v1/stream", self._stream),
                web.get("/v1/quotes", self._quotes),
            ]
        )
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        for socket in list(self.sockets):
            await socket.close()
        self.streams.clear()
        await self._notice()
        await self._runner.cleanup()

    def count(self, way: str) -> int:
        return sum(name == way for name, _ in self.asked)

    async def send(self, kind: str, **fields: Any) -> None:
        frame = {"type": kind, "time": NOW, **fields}
        for socket in list(self.sockets):
            await socket.send_json(frame)
        for stream in list(self.streams):
            try:
                await stream.write(f"data: {json.dumps(frame)}\n\n".encode())
            except ConnectionResetError:  # the browser has left it
                self.streams.remove(stream)
                await self._notice()

    async def update(self, price: str, *, asset: str = "talus", prev: int | None = None, **more: Any) -> None:
        before, self.seq = self.seq, self.seq + 1
        self.quotes[asset] = quote(price, self.seq, **more)
        prev = before if prev is None else prev
        await self.send("update", seq=self.seq, prev=prev, quotes={asset: self.quotes[asset]})

    async def until(self, true: Any) -> None:
        """Waits for what stays true. Not each step is looked at: a count that goes on is asked for `>=`."""
        async with self.changed, asyncio.timeout(10):
            await self.changed.wait_for(true)

    async def _notice(self) -> None:
        async with self.changed:
            self.changed.notify_all()

    async def _note(self, way: str, request: web.Request) -> None:
        self.asked.append((way, dict(request.query)))
        await self._notice()
        if status := self.refused.get(way):
            headers = {"Retry-After": self.retry_after} if self.retry_after else {}
            body = json.dumps({"error": {"code": "unknown_asset", "message": "no asset talus"}})
            raise _refusal(status, body if self.refusal is None else self.refusal, headers)

    async def _script(self, request: web.Request) -> web.Response:
        script = embed() if request.path == "/embed.js" else feed_client()
        return web.Response(body=script.body, content_type="text/javascript", headers=OPEN)

    async def _widget(self, request: web.Request) -> web.Response:
        """The least that the element shows and keeps live."""
        box = (
            f"<div class='pt' data-kind='quote' data-price-ticker='talus' data-notation='{json.dumps(HOW)}'>"
        )
        price = '<bdi data-f="price">$1.00</bdi></div>'
        return web.Response(text=box + price, content_type="text/html", headers=OPEN)

    async def _page(self, request: web.Request) -> web.Response:
        return web.Response(text="<!doctype html><title>Page</title>", content_type="text/html")

    def _greeting(self, query: Any) -> list[dict[str, Any]]:
        hello = {
            "type": "hello",
            "v": 1,
            "epoch": self.epoch,
            "seq": self.seq,
            "time": NOW,
            "heartbeat_ms": 15_000,
        }
        wanted = query.get("assets", "").split(",")
        return [hello, self._snapshot(wanted, query.get("since"))] if query.get("assets") else [hello]

    def _snapshot(self, wanted: list[str], since: str | None = None) -> dict[str, Any]:
        epoch, _, seq = (since or "").partition(":")
        recovered = epoch == self.epoch
        quotes = {a: q for a, q in self.quotes.items() if a in wanted or "*" in wanted}
        quotes = {a: q for a, q in quotes.items() if not recovered or q["seq"] > int(seq)}
        said = {"type": "snapshot", "epoch": self.epoch, "seq": self.seq, "time": NOW, "recovered": recovered}
        return said | {"quotes": quotes}

    async def _feed(self, request: web.Request) -> web.WebSocketResponse:
        await self._note("feed", request)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        for frame in self._greeting(request.query):
            await socket.send_json(frame)
        if self.closing is not None:
            await socket.close(code=self.closing)
            return socket
        self.sockets.append(socket)
        await self._notice()
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                await self._command(socket, message.json(), request.query["assets"].split(","))
        self.sockets.remove(socket)
        await self._notice()
        return socket

    async def _command(self, socket: Any, command: dict[str, Any], held: list[str]) -> None:
        self.commands.append(command)
        wanted = command.get("assets", held)
        rejected = {asset: "unknown_asset" for asset in wanted if asset not in self.quotes}
        await socket.send_json({"type": "ack", "op": command["op"], "assets": wanted, "rejected": rejected})
        if command["op"] != "unsubscribe":
            await socket.send_json(self._snapshot(wanted, command.get("since")))
        await self._notice()

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        await self._note("stream", request)
        stream = web.StreamResponse(headers=OPEN | {"Content-Type": "text/event-stream"})
        await stream.prepare(request)
        for frame in self._greeting(request.query):
            await stream.write(f"id: {self.epoch}:{self.seq}\ndata: {json.dumps(frame)}\n\n".encode())
        self.streams.append(stream)
        await self._notice()
        await self.until_gone(stream)
        return stream

    async def until_gone(self, stream: web.StreamResponse) -> None:
        async with self.changed:
            await self.changed.wait_for(lambda: stream not in self.streams)

    async def _quotes(self, request: web.Request) -> web.Response:
        self.tags.append(request.headers.get("If-None-Match"))
        await self._note("quotes", request)
        tag = f'"{self.epoch}-{self.seq}"'
        if request.headers.get("If-None-Match") == tag:
            return web.Response(status=304, headers=OPEN | {"ETag": tag})
        listed = [{"asset": asset, **quote} for asset, quote in self.quotes.items()]
        return web.json_response(
            {"epoch": self.epoch, "seq": self.seq, "quotes": listed}, headers=OPEN | {"ETag": tag}
        )


def _refusal(status: int, body: str, headers: dict[str, str]) -> web.HTTPException:
    class Refusal(web.HTTPException):
        status_code = status

    return Refusal(text=body, content_type="application/json", headers=headers)


async def opened(server: Scripted, page: Any, **options: Any) -> None:
    """A page with a feed of talus, unless the options say otherwise."""
    await page.add_init_script(HURRIED)
    await page.goto(f"{server.url}/page")
    await page.evaluate(WATCH, ["", {"assets": ["talus"]} | options])


async def live(server: Scripted, page: Any, **options: Any) -> None:
    await opened(server, page, **options)
    await state_is(page, "live")


async def state_is(page: Any, state: str) -> None:
    await page.wait_for_function("(state) => feed.state === state", arg=state)


async def price_is(page: Any, price: str, asset: str = "talus") -> None:
    await page.wait_for_function("([a, p]) => feed.quotes.get(a)?.price === p", arg=[asset, price])


async def heard(page: Any, *event: Any) -> None:
    await page.wait_for_function(
        "(event) => seen.some((one) => JSON.stringify(one) === event)",
        arg=json.dumps(event, separators=(",", ":")),
    )


async def backoffs(page: Any) -> list[int]:
    """The waits before connecting anew: each a tenth of its ceiling, as the page's dice always fall so."""
    return [wait for wait in await page.evaluate("waits") if wait in (100, 200, 400, 800, 1600, 3000)]
