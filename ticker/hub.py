"""All subscribers, grouped by the bytes they get.

Readers with the same terms form a cohort and share every frame. Between two frames only the latest value of
an asset is kept. Synchronous: quotes go in, payloads with their readers come out. The hub opens no socket,
awaits nothing and knows no framing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any, Generic, NamedTuple, TypeVar

from ticker.messages import JSON, Encoding, Id
from ticker.model import Quote, Snapshot, State, Update

Reader = TypeVar("Reader")
View = Callable[[Quote, str], Quote]
ZERO = Decimal(0)
NOTHING: frozenset[str] = frozenset()


def as_it_is(quote: Quote, _currency: str) -> Quote:
    """The view of a hub whose readers all get each quote in its own currency."""
    return quote


class CohortKey(NamedTuple):
    """What decides a reader's bytes. `assets` by id; `interval` in ms; `fields` empty for all of them.

    `framing` is the transport's own affair. `deadband` in percent; a cohort that has one is of readers who
    began at the same version of the book, `base`, as it compares with what they hold.
    """

    assets: frozenset[str]
    currency: str
    interval: int
    encoding: Encoding = JSON
    framing: Any = None
    fields: tuple[str, ...] = ()
    deadband: Decimal = ZERO
    base: int = 0


class Shape:
    """What decides the bytes of one quote, and those bytes of each asset, while they hold.

    Where `fields` narrow them, a new version may have the old bytes: `news` holds, of each asset, the version
    at which its bytes were new, and the bytes; `same` the assets whose last version had the bytes of another.
    """

    __slots__ = ("currency", "encoding", "fields", "news", "pieces", "same", "users")

    def __init__(self, currency: str, fields: tuple[str, ...], encoding: Encoding) -> None:
        self.currency = currency
        self.fields = fields
        self.encoding = encoding
        self.pieces: dict[str, bytes] = {}
        self.news: dict[str, tuple[int, bytes]] = {}
        self.same: set[str] = set()
        self.users = 0

    def outdated(self, quote: Quote) -> None:
        """A quote is now another. In another currency it may be a rate, and so every piece is in doubt."""
        if quote.currency == self.currency:
            self.pieces.pop(quote.asset, None)
        else:
            self.pieces.clear()


class Told(NamedTuple):
    """What readers with a deadband hold of an asset, and at which price and state they were told."""

    price: Decimal | None
    state: State
    data: bytes

    def still(self, quote: Quote, deadband: Decimal) -> bool:
        """Whether the state is the same and the price less than `deadband` percent away."""
        if self.state is not quote.state or not self.price or not quote.price:
            return False
        return abs(quote.price - self.price) * 100 < deadband * self.price


class Cohort(Generic[Reader]):
    """Readers of identical bytes, the assets that changed since their last frame, and when that was.

    `since`: when the first of the changes came (ms); `heard`: when anything was last sent. `told`: what its
    readers hold of each asset, where there is a deadband.
    """

    __slots__ = ("changed", "heard", "key", "members", "sent", "seq", "shape", "since", "told")

    def __init__(self, key: CohortKey, seq: int, now: int, shape: Shape) -> None:
        self.key = key
        # In the order they came, which is how their memory lies: a tenth of a delivery's cost.
        self.members: dict[Reader, None] = {}
        self.changed = NOTHING
        self.shape = shape
        self.seq = seq
        self.sent = self.heard = self.since = now
        self.told: dict[str, Told] = {}


class Frame(NamedTuple, Generic[Reader]):
    """One payload for all of `readers`, who then hold version `seq`. `since`: when its first change came."""

    payload: bytes
    seq: int
    framing: Any
    since: int
    readers: Sequence[Reader]


class Hub(Generic[Reader]):
    """Takes each Update once, encodes it once a shape, and hands out one payload a cohort and interval.

    `quotes` are those that hold already; `view` shows a quote in a cohort's currency.
    """

    def __init__(self, *, seq: int = 0, quotes: Iterable[Quote] = (), view: View = as_it_is) -> None:
        self.seq = seq
        self._view = view
        self._quotes = {quote.asset: quote for quote in quotes}
        self._shapes: dict[tuple[str, tuple[str, ...], Encoding], Shape] = {}
        self._cohorts: dict[CohortKey, Cohort[Reader]] = {}
        self._by_asset: defaultdict[str, set[Cohort[Reader]]] = defaultdict(set)
        self._waiting: dict[Cohort[Reader], None] = {}
        # What was published and not yet handed out to cohorts, and when the first of it was.
        self._fresh: set[str] = set()
        self._since = 0

    def __len__(self) -> int:
        return sum(len(cohort.members) for cohort in self._cohorts.values())

    @property
    def cohorts(self) -> int:
        return len(self._cohorts)

    def publish(self, update: Update, now: int) -> None:
        """Keep the quote, for whoever reads it. `now` in ms."""
        quote = update.quote
        self.seq = quote.seq
        self._quotes[quote.asset] = quote
        for shape in self._shapes.values():
            shape.outdated(quote)
        if not self._fresh:
            self._since = now
        self._fresh.add(quote.asset)

    def join(self, key: CohortKey, reader: Reader, now: int) -> CohortKey:
        """Add a reader, who must be sent a snapshot of this moment before anything else. `now` in ms.

        The key to leave with is the one returned: with a deadband a cohort begins at a version of its own.
        """
        self._hand_out()
        if key.deadband:
            key = key._replace(base=self.seq)
        cohort = self._cohorts.get(key) or self._found(key, now)
        if key.fields or key.deadband:
            self._look(cohort)
        cohort.members[reader] = None
        return key

    def leave(self, key: CohortKey, reader: Reader) -> None:
        cohort = self._cohorts[key]
        cohort.members.pop(reader, None)
        if not cohort.members:
            self._dissolve(cohort)

    def due(self, now: int) -> Iterator[Frame[Reader]]:
        """One update for each cohort that has something to say and said nothing yet in this interval.

        Intervals are slots of wall time: a frame late in one doesn't push back the next. Cohorts may come and
        go, and quotes be published, between two frames; but the round must be gone through to its end.
        """
        fresh, since, seq = self._fresh, self._since, self.seq
        self._fresh = set()
        touched = set(self._waiting).union(*[self._by_asset.get(asset, ()) for asset in fresh])
        for cohort in touched:
            if self._fresh:  # published between two frames
                self._hand_out()
                seq = self.seq
            if not cohort.members:
                continue
            key, changed = cohort.key, cohort.changed
            if changed:
                changed |= key.assets & fresh
            else:
                cohort.since, changed = since, key.assets if key.assets <= fresh else key.assets & fresh
            if now // key.interval == cohort.sent // key.interval:
                cohort.changed = changed
                self._waiting[cohort] = None
                continue
            if cohort.changed:
                cohort.changed = NOTHING
                self._waiting.pop(cohort, None)
            pieces = self._news(cohort, changed)
            if pieces:
                prev, cohort.seq = cohort.seq, seq
                cohort.sent = cohort.heard = now
                payload = key.encoding.update(pieces, seq=seq, prev=prev, time=now)
                yield Frame(payload, seq, key.framing, cohort.since, tuple(cohort.members))

    def silent(self, now: int, silence: int) -> Iterator[tuple[CohortKey, int, Sequence[Reader]]]:
        """(key, seq, readers) of each cohort that was sent nothing for `silence` ms; they now are."""
        for cohort in tuple(self._cohorts.values()):
            if now - cohort.heard >= silence:
                cohort.heard = now
                yield cohort.key, cohort.seq, tuple(cohort.members)

    def snapshot(self, snapshot: Snapshot, key: CohortKey, *, ref: Id, now: int) -> bytes:
        """A snapshot's payload for a reader of a cohort, joined from pieces that are encoded once."""
        shape = self._cohorts[key].shape
        found = [self._bytes(shape, quote) for quote in snapshot.quotes]
        return key.encoding.snapshot(found, snapshot, ref=ref, time=now)

    def _hand_out(self) -> None:
        """Tell the cohorts what has changed. By sets, since with many cohorts this is most of their cost."""
        if not self._fresh:
            return
        fresh, self._fresh = self._fresh, set()
        for cohort in set[Cohort[Reader]]().union(*[self._by_asset.get(asset, ()) for asset in fresh]):
            changed = cohort.key.assets & fresh
            if cohort.changed:
                cohort.changed |= changed
            else:
                cohort.changed, cohort.since = changed, self._since
                self._waiting[cohort] = None

    def _found(self, key: CohortKey, now: int) -> Cohort[Reader]:
        parts = key.currency, key.fields, key.encoding
        shape = self._shapes.setdefault(parts, Shape(*parts))
        shape.users += 1
        cohort = self._cohorts[key] = Cohort(key, self.seq, now, shape)
        for asset in key.assets:
            self._by_asset[asset].add(cohort)
        return cohort

    def _look(self, cohort: Cohort[Reader]) -> None:
        """Encode what a newcomer holds, even what its snapshot leaves out: news is what differs from it."""
        for asset in cohort.key.assets:
            quote = self._quotes.get(asset)
            if quote is not None:
                data = self._bytes(cohort.shape, quote)
                if cohort.key.deadband:
                    seen = self._view(quote, cohort.key.currency)
                    cohort.told[asset] = Told(seen.price, seen.state, data)

    def _dissolve(self, cohort: Cohort[Reader]) -> None:
        key = cohort.key
        del self._cohorts[key]
        self._waiting.pop(cohort, None)
        for asset in key.assets:
            self._by_asset[asset].discard(cohort)
        cohort.shape.users -= 1
        if not cohort.shape.users:
            del self._shapes[key.currency, key.fields, key.encoding]

    def _news(self, cohort: Cohort[Reader], changed: frozenset[str]) -> list[bytes]:
        """What its readers don't have yet: of the assets that changed, those whose bytes or price did."""
        shape, quotes = cohort.shape, self._quotes
        if cohort.key.deadband:
            moved = (self._moved(cohort, quotes[asset]) for asset in changed)
            return [data for data in moved if data is not None]
        try:
            pieces = list(map(shape.pieces.__getitem__, changed))
        except KeyError:  # the first cohort of its shape to need them
            pieces = [self._bytes(shape, quotes[asset]) for asset in changed]
        if shape.same.isdisjoint(changed):
            return pieces
        news, seq = shape.news, cohort.seq
        return [data for asset, data in zip(changed, pieces, strict=True) if news[asset][0] > seq]

    def _moved(self, cohort: Cohort[Reader], quote: Quote) -> bytes | None:
        """New bytes, if the price has left the deadband around what the readers hold; a state always has.

        They are compared with what was told, not by version: these readers hold older ones than their seq.
        """
        told = cohort.told.get(quote.asset)
        now = self._view(quote, cohort.key.currency)
        if told is not None and told.still(now, cohort.key.deadband):
            return None
        data = self._bytes(cohort.shape, quote)
        cohort.told[quote.asset] = Told(now.price, now.state, data)
        return data if told is None or told.data != data else None

    def _bytes(self, shape: Shape, quote: Quote) -> bytes:
        """Of any quote; what is kept is only of those that were published here."""
        if self._quotes.get(quote.asset) is not quote:
            return shape.encoding.piece(self._view(quote, shape.currency), shape.fields)
        return shape.pieces.get(quote.asset) or self._encode(shape, quote)

    def _encode(self, shape: Shape, quote: Quote) -> bytes:
        data = shape.encoding.piece(self._view(quote, shape.currency), shape.fields)
        shape.pieces[quote.asset] = data
        if shape.fields:
            last = shape.news.get(quote.asset)
            if last is not None and last[1] == data:
                shape.same.add(quote.asset)
            else:
                # In another currency a quote is as new as its rate, which may have changed with any update.
                version = quote.seq if quote.currency == shape.currency else self.seq
                shape.news[quote.asset] = version, data
                shape.same.discard(quote.asset)
        return data
