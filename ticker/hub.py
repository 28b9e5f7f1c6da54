"""All subscribers, grouped by the bytes they get.

Readers with the same assets, currency and interval form a cohort and share every frame. Between two
frames only the latest value of an asset is kept. Synchronous: quotes go in, payloads with their readers
come out. The hub opens no socket, awaits nothing and knows no framing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Generic, NamedTuple, TypeVar

from ticker.model import Quote, Snapshot, Update
from ticker.wire import piece, snapshot_frame, update_frame

Reader = TypeVar("Reader")
View = Callable[[Quote, str], Quote]


def as_it_is(quote: Quote, _currency: str) -> Quote:
    """The view of a hub whose readers all get each quote in its own currency."""
    return quote


class CohortKey(NamedTuple):
    """What decides a reader's bytes. `assets` by id; `interval` in ms."""

    assets: frozenset[str]
    currency: str
    interval: int


class Cohort(Generic[Reader]):
    """Readers of identical bytes, the assets that changed since their last frame, and when that was."""

    __slots__ = ("changed", "key", "members", "sent", "seq")

    def __init__(self, key: CohortKey, seq: int, now: int) -> None:
        self.key = key
        self.members: set[Reader] = set()
        self.changed: dict[str, None] = {}
        self.seq = seq
        self.sent = now


class Frame(NamedTuple, Generic[Reader]):
    """One payload for all of `readers`, who then hold version `seq`."""

    payload: bytes
    seq: int
    readers: Sequence[Reader]


class Hub(Generic[Reader]):
    """Takes each Update once, encodes it once a currency, and hands out one payload a cohort and interval.

    `view` shows a quote in a cohort's currency.
    """

    def __init__(self, *, seq: int = 0, view: View = as_it_is) -> None:
        self.seq = seq
        self._view = view
        self._quotes: dict[str, Quote] = {}
        self._pieces: dict[tuple[str, str], tuple[int, bytes]] = {}
        self._cohorts: dict[CohortKey, Cohort[Reader]] = {}
        self._by_asset: defaultdict[str, set[Cohort[Reader]]] = defaultdict(set)

    def __len__(self) -> int:
        return sum(len(cohort.members) for cohort in self._cohorts.values())

    @property
    def cohorts(self) -> int:
        return len(self._cohorts)

    def publish(self, update: Update) -> None:
        """Keep the quote, and mark it changed wherever somebody reads it."""
        asset = update.quote.asset
        self.seq = update.quote.seq
        self._quotes[asset] = update.quote
        for cohort in self._by_asset.get(asset, ()):
            cohort.changed[asset] = None

    def join(self, key: CohortKey, reader: Reader, now: int) -> None:
        """Add a reader, who must be sent a snapshot of this moment before anything else. `now` in ms."""
        cohort = self._cohorts.get(key)
        if cohort is None:
            cohort = self._cohorts[key] = Cohort(key, self.seq, now)
            for asset in key.assets:
                self._by_asset[asset].add(cohort)
        cohort.members.add(reader)

    def leave(self, key: CohortKey, reader: Reader) -> None:
        cohort = self._cohorts[key]
        cohort.members.discard(reader)
        if not cohort.members:
            del self._cohorts[key]
            for asset in key.assets:
                self._by_asset[asset].discard(cohort)

    def due(self, now: int) -> Iterator[Frame[Reader]]:
        """One update for each cohort that has something to say and said nothing yet in this interval.

        Intervals are slots of wall time: a frame late in one doesn't push back the next.
        """
        for cohort in tuple(self._cohorts.values()):
            slot = cohort.key.interval
            if cohort.changed and now // slot != cohort.sent // slot:
                payload = update_frame(
                    (self._piece(self._quotes[asset], cohort.key.currency) for asset in cohort.changed),
                    seq=self.seq,
                    prev=cohort.seq,
                    time=now,
                )
                cohort.changed, cohort.seq, cohort.sent = {}, self.seq, now
                yield Frame(payload, self.seq, tuple(cohort.members))

    def silent(self, now: int, silence: int) -> Iterator[tuple[int, Sequence[Reader]]]:
        """(seq, readers) of each cohort that was sent nothing for `silence` ms; counts as sending."""
        for cohort in self._cohorts.values():
            if now - cohort.sent >= silence:
                cohort.sent = now
                yield cohort.seq, tuple(cohort.members)

    def snapshot(self, snapshot: Snapshot, currency: str, *, ref: int | str | None, now: int) -> bytes:
        """A snapshot's payload, joined from pieces that are encoded at most once each."""
        pieces = (self._piece(quote, currency) for quote in snapshot.quotes)
        return snapshot_frame(pieces, snapshot, ref=ref, time=now)

    def _piece(self, quote: Quote, currency: str) -> bytes:
        # In another currency a quote is as new as its rate, which may have changed with any update.
        version = quote.seq if quote.currency == currency else self.seq
        held = self._pieces.get((quote.asset, currency))
        if held is None or held[0] != version:
            held = self._pieces[quote.asset, currency] = (version, piece(self._view(quote, currency)))
        return held[1]
