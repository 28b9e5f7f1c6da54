"""The Python client of the feed: quotes as they change, through restarts and cut lines.

    async with connect("http://127.0.0.1:8080", ["talus", "bitcoin"]) as feed:
        async for quote in feed:
            print(quote.asset, quote.price, quote.state)

It keeps the last quote of each asset, reconnects with full jitter and resumes where it was. When the server
is silent, or not back at the first try, no price is fresh: each is told once more, as stale.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from decimal import Decimal
from urllib.parse import urlencode, urlsplit

import msgspec
from msgspec import Struct
from msgspec.structs import replace
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as open_websocket
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI

from ticker.errors import FeedError
from ticker.model import State
from ticker.wire import QuoteObject

BACKOFF_FIRST, BACKOFF_CEILING = 1.0, 30.0
CLOSE_SECONDS = 1.0
FRESH = (State.LIVE, State.DELAYED)
# Far above any snapshot: 10,000 assets are some 4 MB.
MESSAGE_BYTES = 1 << 26
# Close codes and statuses that coming back unchanged would only earn again.
OWN_FAULT = range(4000, 4100)
TRY_AGAIN = (408, 425, 429)
# What may go wrong between two machines, a message that can't be read included.
TROUBLES = (OSError, InvalidHandshake, ConnectionClosed, TimeoutError, msgspec.DecodeError)


class Message(Struct, frozen=True):
    """Any message of the feed, as far as this client reads it; other types and keys are ignored."""

    type: str
    seq: int = 0
    prev: int | None = None
    epoch: str | None = None
    recovered: bool = False
    heartbeat_ms: int = 15_000
    reconnect_in_ms: int | None = None
    code: str | None = None
    message: str | None = None
    quotes: dict[str, QuoteObject] = {}
    rejected: dict[str, str] = {}
    sources: dict[str, str] = {}


_decode = msgspec.json.Decoder(Message).decode


class FeedClient:
    """A subscription that goes on until it is closed. Iterating yields each quote that changed.

    `quotes` is the last one of each asset; `connected` tells whether they can change right now; `trouble` is
    why not, in words. `rejected` holds the assets the server doesn't have, each with its error code;
    `sources` the health of those that changed it. A server that is gone is waited for; FeedError when it says
    not to come back.
    """

    def __init__(self, url: str, query: Mapping[str, str], key: str | None, rng: random.Random) -> None:
        self.quotes: dict[str, QuoteObject] = {}
        self.rejected: dict[str, str] = {}
        self.sources: dict[str, str] = {}
        self.connected = False
        self.trouble: str | None = None
        self._address = feed_address(url)
        self._query = query
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._rng = rng
        self._epoch: str | None = None
        self._seq = 0
        self._silence = 30.0
        self._failures = 0
        self._return_at: float | None = None
        self._aged: dict[str, QuoteObject] = {}
        self._iterator = self._run()

    def __aiter__(self) -> AsyncIterator[QuoteObject]:
        return self._iterator

    async def close(self) -> None:
        """End the subscription and its connection."""
        await self._iterator.aclose()

    async def _run(self) -> AsyncGenerator[QuoteObject, None]:
        try:
            while True:
                try:
                    async with self._open() as socket:
                        async for quote in self._listen(socket):
                            yield quote
                except TROUBLES as error:
                    self.trouble = self._explain(error)
                    lost = self._failures > 0 or isinstance(error, TimeoutError)
                except InvalidURI as error:
                    raise FeedError(f"{self._address} is no address of a feed") from error
                self.connected = False
                for quote in self._age() if lost else ():
                    yield quote
                await asyncio.sleep(self._wait())
        finally:
            self.connected = False

    def _open(self) -> open_websocket:
        address = f"{self._address}?{urlencode(self._terms())}"
        return open_websocket(
            address,
            additional_headers=self._headers,
            compression=None,
            close_timeout=CLOSE_SECONDS,
            max_size=MESSAGE_BYTES,
        )

    def _terms(self) -> dict[str, str]:
        return {**self._query, **({"since": self._since} if self._epoch else {})}

    @property
    def _since(self) -> str:
        return f"{self._epoch}:{self._seq}"

    async def _listen(self, socket: ClientConnection) -> AsyncIterator[QuoteObject]:
        while True:
            message = _decode(await asyncio.wait_for(socket.recv(), self._silence))
            for quote in self._read(message):
                yield quote
            if message.type == "update" and (message.prev or 0) > self._seq:
                await socket.send(f'{{"op":"resync","since":"{self._since}"}}')
            elif message.type == "update":
                self._seq = max(self._seq, message.seq)

    def _read(self, message: Message) -> list[QuoteObject]:
        """What a message changes here; the quotes of a frame that isn't newer are dropped."""
        match message.type:
            case "hello":
                self._silence = 2 * message.heartbeat_ms / 1000
            case "snapshot":
                self.connected, self.trouble, self._failures = True, None, 0
                self._epoch, self._seq = message.epoch, message.seq
                aged, self._aged = self._aged, {}
                # A resumed snapshot leaves out what is still as it was when the line was cut.
                return self._keep(message, aged if message.recovered else {})
            case "update" if message.seq > self._seq and (message.prev or 0) <= self._seq:
                return self._keep(message, {})
            case "ack":
                self.rejected |= message.rejected
            case "status":
                self.sources |= message.sources
            case "goodbye" if message.reconnect_in_ms is not None:
                # Until then this connection goes on; the server ends it at that moment.
                self._return_at = _now() + message.reconnect_in_ms / 1000
            case "error" if message.code in ("unknown_asset", "too_many_assets"):
                raise FeedError(message.message or str(message.code))
        return []

    def _keep(self, message: Message, before: Mapping[str, QuoteObject]) -> list[QuoteObject]:
        told = {asset: replace(quote, asset=asset) for asset, quote in message.quotes.items()}
        quotes = {**before, **told}
        self.quotes |= quotes
        return list(quotes.values())

    def _age(self) -> list[QuoteObject]:
        """The quotes that can't be called fresh any more, as stale ones."""
        fresh = {asset: quote for asset, quote in self.quotes.items() if quote.state in FRESH}
        self._aged |= fresh
        stale = {asset: replace(quote, state=State.STALE) for asset, quote in fresh.items()}
        self.quotes |= stale
        return list(stale.values())

    def _wait(self) -> float:
        """Seconds until the next try: as told, else full jitter under a ceiling that doubles."""
        told, self._return_at = self._return_at, None
        if told is not None:
            return max(0.0, told - _now())
        ceiling = min(BACKOFF_CEILING, BACKOFF_FIRST * 2**self._failures)
        self._failures = min(self._failures + 1, 16)
        return self._rng.uniform(0, ceiling)

    def _explain(self, error: Exception) -> str:
        """The trouble in words; FeedError when it is ours to mend."""
        if isinstance(error, InvalidStatus):
            status, retry_after = error.response.status_code, error.response.headers.get("Retry-After", "")
            said, text = _said(error), f"the server answered with HTTP {status}"
            # Where a feed has been, a refusal in other words than a feed's is of something before it: of a
            # proxy whose service is away.
            if 400 <= status < 500 and status not in TRY_AGAIN and (said or self._epoch is None):
                raise FeedError(said or text, code=status) from error
            if retry_after.isascii() and retry_after.isdigit():
                self._return_at = _now() + float(retry_after[:4])
            return said or text
        if isinstance(error, ConnectionClosed) and error.rcvd and error.rcvd.code in OWN_FAULT:
            code, reason = error.rcvd.code, error.rcvd.reason
            raise FeedError(reason or f"closed with {code}", code=code) from error
        if isinstance(error, TimeoutError):
            return "no answer"
        return str(error) or type(error).__name__


@asynccontextmanager
async def connect(
    url: str,
    assets: Sequence[str] = ("*",),
    *,
    currency: str = "USD",
    interval: int = 1000,
    deadband: Decimal | str = "0",
    key: str | None = None,
    rng: random.Random | None = None,
) -> AsyncIterator[FeedClient]:
    """Subscribe to `assets` (ids; all of them by default) of the service at `url`, http(s) or ws(s).

    `interval` in ms: 250, 1000, 5000 or 15000; `deadband` in percent: a smaller move is not sent; `key` where
    the service asks for one. FeedError when the address can't be one.
    """
    query = {"assets": ",".join(assets), "currency": currency, "interval": str(interval)}
    if deadband := Decimal(deadband):
        query["deadband"] = f"{deadband:f}"
    feed = FeedClient(url, query, key, rng or random.Random())
    try:
        yield feed
    finally:
        await feed.close()


def _now() -> float:
    return asyncio.get_running_loop().time()


def feed_address(url: str) -> str:
    """The feed's address of the service at `url`. FeedError for what is no web address."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  # reading it is what checks it
    except ValueError as error:
        raise FeedError(f"{url!r} is not an address: {error}") from error
    scheme = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}.get(parts.scheme)
    if scheme is None or not parts.netloc:
        raise FeedError(f"{url!r} is not an address such as http://127.0.0.1:8080")
    path = parts.path.rstrip("/")
    return f"{scheme}://{parts.netloc}{path if path.endswith('/v1/feed') else path + '/v1/feed'}"


def _said(error: InvalidStatus) -> str | None:
    """The service's own words; None when another server answered."""
    with suppress(msgspec.DecodeError, KeyError, TypeError):
        return str(msgspec.json.decode(error.response.body or b"")["error"]["message"])
    return None
