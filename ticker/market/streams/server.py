"""The streams' websocket server: what speakers say becomes frames here, and faults are played.

Each venue of the market that has a stream has it under `/<venue>/stream`. A second of the market's clock lies
between two tickers of a pair.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from itertools import cycle
from typing import Final

import msgspec
from aiohttp import WSCloseCode, WSMsgType, web

from ticker.market.market import VENUES, Market
from ticker.market.streams.binance import BinanceSpeaker
from ticker.market.streams.bybit import BybitSpeaker
from ticker.market.streams.coinbase import CoinbaseSpeaker
from ticker.market.streams.kraken import KrakenSpeaker
from ticker.market.streams.okx import OkxSpeaker
from ticker.market.streams.speaker import Frame, Speaker
from ticker.market.venue import View

SPEAKERS: Final = (BinanceSpeaker, CoinbaseSpeaker, KrakenSpeaker, OkxSpeaker, BybitSpeaker)
# A page, half an object, a list, text, and a number where none can be.
GARBAGE = (
    "<html><h1>502 Bad Gateway</h1></html>",
    '{"data": {"s": "BTC',
    "[[]]",
    "hello",
    '{"data": 7, "type": 7}',
)
MESSAGE_LIMIT = 1 << 16
# Kraken writes numbers as JSON numbers; every other venue's are text already.
_JSON = msgspec.json.Encoder(decimal_format="number")


def routes(market: Market) -> list[web.RouteDef]:
    """A websocket for each venue of the market that has a stream."""
    return [
        web.get(f"/{speaker.venue}/stream", _endpoint(market, speaker))
        for speaker in SPEAKERS
        if speaker.venue in VENUES
    ]


def _endpoint(
    market: Market, speaker: type[Speaker]
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def handle(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(max_msg_size=MESSAGE_LIMIT)
        await socket.prepare(request)
        market.streams.opened[speaker.venue] += 1
        talk = Talk(market, speaker(), socket, market.streams.opened[speaker.venue], request)
        async with asyncio.TaskGroup() as tasks:
            speaking = tasks.create_task(talk.speak())
            await talk.listen()
            speaking.cancel()
        return socket

    return handle


class Talk:
    """One connection: what is asked on it is answered, and every second its tickers are told."""

    def __init__(
        self,
        market: Market,
        speaker: Speaker,
        socket: web.WebSocketResponse,
        number: int,
        request: web.Request,
    ) -> None:
        self._market = market
        self._speaker = speaker
        self._socket = socket
        self._number = number
        self._request = request
        self._garbage = cycle(GARBAGE)

    async def listen(self) -> None:
        """Answers until the connection has ended."""
        async for message in self._socket:
            if message.type is WSMsgType.TEXT:
                before = set(self._speaker.subscribed)
                await self._say(list(self._speaker.answer(self._view(), _decoded(message.data))))
                await self._tell(self._speaker.subscribed.keys() - before)

    async def speak(self) -> None:
        """Tells every second what was subscribed, unless a fault ends the connection."""
        await self._say(self._speaker.greeting())
        while not self._socket.closed:
            match self._fault():
                case "cut":
                    if self._request.transport is not None:
                        self._request.transport.abort()
                    return
                case "planned":
                    await self._socket.close(code=WSCloseCode.GOING_AWAY, message=b"come again")
                    return
            await self._tell(self._speaker.subscribed)
            await self._say(self._speaker.heartbeat(self._view()))
            await self._market.clock.sleep(1)

    async def _tell(self, names: Iterable[str]) -> None:
        view = self._view()
        await self._say([self._speaker.ticker(view, self._speaker.subscribed[name]) for name in names])

    async def _say(self, frames: Iterable[Frame]) -> None:
        fault = self._fault()
        for frame in frames if fault != "silent" else ():
            text = frame if isinstance(frame, str) else _JSON.encode(frame).decode()
            try:
                await self._socket.send_str(next(self._garbage) if fault == "garbage" else text)
            except ConnectionError:
                return  # whoever listened is gone, which `listen` notices

    def _fault(self) -> str | None:
        fault = self._market.streams.fault(self._speaker.venue, self._number)
        return fault.kind if fault else None

    def _view(self) -> View:
        """The venue's view; an earlier one where it is slow."""
        view = self._market.view(VENUES[self._speaker.venue])
        fault = self._market.streams.fault(self._speaker.venue, self._number)
        late = fault.seconds if fault else 0
        return replace(view, now=view.now - 1000 * late, second=view.second - late)


def _decoded(text: str) -> object:
    try:
        return msgspec.json.decode(text, type=object)
    except msgspec.DecodeError:
        return text
