"""A model of the feed for tests of the hub: a book, the hub and readers who know only FEED's rules.

What the session does beside the hub is done here as FEED words it: a snapshot at the start, at a resync, at
a resume and after a lag; with a deadband always a whole one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

import msgspec
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.unit.conftest import ManualClock, asset, pair, tick
from ticker.book import QuoteBook
from ticker.hub import ZERO, CohortKey, Frame, Hub
from ticker.messages import FIELDS, FLAGS, JSON, Encoding, Id
from ticker.model import Quote, Update
from ticker.sampling import Ages
from ticker.wire import encode, quote_object

EPOCH = "k3f9"
PAIRS = {name: pair(f"mexc:{name}") for name in ("talus", "bitcoin", "solana")}
ALL = frozenset(PAIRS)
# Longer than any interval: after it, whatever was due is delivered.
LONG = 20_000


def wire(quote: Quote, fields: Iterable[str] = ()) -> Any:
    """What a reader of these fields has to see, by JSON and without the hub."""
    whole = json.loads(encode(quote_object(quote)))
    return {name: value for name, value in whole.items() if not fields or name in (*fields, *FLAGS)}


def decoded(payload: bytes, encoding: Encoding = JSON) -> Any:
    return json.loads(payload) if encoding is JSON else msgspec.msgpack.decode(payload)


class Reader:
    """Follows FEED: resync when `prev` is beyond what it holds, drop what isn't newer, keep the rest."""

    def __init__(self, key: CohortKey) -> None:
        self.key = key
        self.seq = -1
        self.quotes: dict[str, Any] = {}
        self.frames: list[Any] = []
        self.deaf = False
        self.resyncs = 0

    def take(self, payload: bytes) -> bool:
        """Whether it must be sent a snapshot."""
        frame = decoded(payload, self.key.encoding)
        if frame["type"] == "snapshot":
            self.quotes, self.seq = self.quotes | frame["quotes"], frame["seq"]
        elif frame["prev"] > self.seq:
            self.resyncs += 1
            return True
        elif frame["seq"] > self.seq:
            self.quotes, self.seq = self.quotes | frame["quotes"], frame["seq"]
            self.frames.append(frame)
        return False


class Stand:
    """A book, its hub and their readers, with the wire between them."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        assets = [asset(name, of) for name, of in PAIRS.items()]
        self.book = QuoteBook(assets, clock=self.clock, epoch=EPOCH, ages={"mexc": Ages()})
        self.hub: Hub[str] = Hub(seq=self.book.seq, quotes=self.book.quotes(), view=self.view)
        self.readers: dict[str, Reader] = {}
        self.dollars = Decimal(2)

    # The book

    def view(self, quote: Quote, currency: str) -> Quote:
        """In euros at so many dollars each, and with the day it was so."""
        if quote.currency == currency:
            return quote
        price = None if quote.price is None else quote.price / self.dollars
        return replace(quote, currency=currency, price=price, rate_date="2026-11-23")

    def price(self, prices: Iterable[tuple[str, int]]) -> None:
        """Small moves: a jump would be held back."""
        now = self.clock.now()
        ticks = [tick(PAIRS[name], Decimal(1000 + price), now=now) for name, price in prices]
        self.publish(self.book.apply(ticks))

    def expire(self) -> None:
        """Let age change states."""
        self.publish(self.book.expire())

    def publish(self, updates: Iterable[Update]) -> None:
        for update in updates:
            self.hub.publish(update, self.clock.now())

    # Readers

    def join(
        self,
        name: str,
        assets: Iterable[str] = ALL,
        interval: int = 1000,
        *,
        currency: str = "USD",
        encoding: Encoding = JSON,
        fields: tuple[str, ...] = (),
        deadband: Decimal = ZERO,
    ) -> Reader:
        self.leave(name)
        key = CohortKey(frozenset(assets), currency, interval, encoding, None, fields, deadband)
        reader = self.readers[name] = Reader(self.hub.join(key, name, self.clock.now()))
        self.snapshot(name)
        return reader

    def come(self, name: str, assets: Iterable[str], interval: int, *, fields: tuple[str, ...]) -> Reader:
        """Somebody who has the present quotes from elsewhere, and resumes from there."""
        key = CohortKey(frozenset(assets), "USD", interval, fields=fields)
        reader = self.readers[name] = Reader(self.hub.join(key, name, self.clock.now()))
        reader.quotes, reader.seq = self.truth(reader), self.book.seq
        self.catch_up(name)
        return reader

    def leave(self, name: str) -> None:
        if name in self.readers:
            self.hub.leave(self.readers.pop(name).key, name)

    def snapshot(self, name: str, since: tuple[str, int] | None = None, ref: Id = None) -> None:
        """Bring a reader to this moment. With a deadband: whole, and in a cohort of this moment."""
        reader = self.readers[name]
        if reader.key.deadband:
            since = None
            self._join_again(name)
        snapshot = self.book.snapshot(reader.key.assets, since)
        reader.take(self.hub.snapshot(snapshot, reader.key, ref=ref, now=self.clock.now()))

    def resume(self, name: str) -> None:
        """The connection breaks off, and the reader comes back with what it holds."""
        self._join_again(name)
        self.catch_up(name)

    def catch_up(self, name: str) -> None:
        self.snapshot(name, (EPOCH, self.readers[name].seq))

    def read(self, name: str, assets: Iterable[str]) -> None:
        """`set`: another cohort, then a snapshot of what is new and of what was on its way."""
        reader = self.readers[name]
        held = reader.key.assets
        self.hub.leave(reader.key, name)
        reader.key = self.hub.join(reader.key._replace(assets=frozenset(assets)), name, self.clock.now())
        fresh = reader.key.assets - held
        kept = self.book.snapshot(reader.key.assets & held, (EPOCH, reader.seq)).quotes
        reader.quotes = {asset: quote for asset, quote in reader.quotes.items() if asset in assets}
        if reader.key.deadband:
            self.snapshot(name)
            return
        snapshot = self.book.snapshot(fresh)
        whole = replace(snapshot, quotes=snapshot.quotes + kept)
        reader.take(self.hub.snapshot(whole, reader.key, ref=1, now=self.clock.now()))

    def _join_again(self, name: str) -> None:
        reader = self.readers[name]
        self.hub.leave(reader.key, name)
        reader.key = self.hub.join(reader.key, name, self.clock.now())

    # Delivery

    def later(self, ms: int) -> list[Frame[str]]:
        """Time passes, and what is due then is delivered, to all but the deaf."""
        return list(self.round(ms))

    def round(self, ms: int) -> Iterator[Frame[str]]:
        """The same, frame by frame: what the caller does between two happens between two."""
        self.clock.advance(ms)
        for frame in self.hub.due(self.clock.now()):
            self.deliver(frame)
            yield frame

    def deliver(self, frame: Frame[str]) -> None:
        for name in frame.readers:
            reader = self.readers.get(name)
            if reader is not None and not reader.deaf and reader.take(frame.payload):
                self.snapshot(name)

    def truth(self, reader: Reader) -> dict[str, Any]:
        key = reader.key
        seen = {name: self.view(self.book.quote(name), key.currency) for name in key.assets}
        return {name: wire(quote, key.fields) for name, quote in seen.items()}

    def holds(self, reader: Reader) -> bool:
        """Whether the reader holds what its terms promise once all that is due is delivered."""
        truth = self.truth(reader)
        if not reader.key.deadband:
            return reader.quotes == truth
        return reader.quotes.keys() == truth.keys() and all(
            near(reader.quotes[name], quote, reader.key.deadband) for name, quote in truth.items()
        )


def near(held: Any, true: Any, deadband: Decimal) -> bool:
    """The same state, and a price less than `deadband` percent of the held one away from it."""
    if held.get("state") != true.get("state") or held.keys() != true.keys():
        return False
    one, other = held.get("price"), true.get("price")
    if one is None or other is None:
        return one == other
    return abs(Decimal(other) - Decimal(one)) * 100 < deadband * Decimal(one)


def in_order(fields: Iterable[str]) -> tuple[str, ...]:
    """As terms have them."""
    return tuple(field for field in FIELDS if field in set(fields))


# Strategies

names = st.sampled_from(("ann", "bob", "cyd"))
some_assets = st.sets(st.sampled_from(sorted(PAIRS)), min_size=1)
some_fields = st.sampled_from(
    [(), ("price",), ("price", "state"), ("state",), ("symbol", "name"), ("sources", "confidence")]
) | st.sets(st.sampled_from(FIELDS), min_size=1).map(in_order)
prices = st.lists(st.tuples(st.sampled_from(sorted(PAIRS)), st.integers(1, 5)), max_size=3)
