"""What a venue is: a declaration of where it answers, what it allows, and how its answer reads.

A venue's own file says `requests` (what to ask for a set of pairs), its `row` and where the rows stand in an
answer, and `tick` (one row as a Tick), and nothing else. It opens no socket, keeps no state, waits for
nothing; the shared layers in rows.py, http.py and source.py do that for all of them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import urlsplit

from msgspec import UNSET, Meta, Raw, Struct
from msgspec.structs import asdict

from ticker.change import percent_between
from ticker.errors import BadAnswer, SourceError, UnknownSymbol
from ticker.model import Basis, Change, Pair, Tick, Window
from ticker.sources.decode import Doubt, decode
from ticker.sources.rows import Rows, lacking, layout

# Beyond this many percentage points the venue's own 24 h change and last/open can't be the same thing.
TOLERANCE = Decimal("0.5")
# Looked up once: a member of an enumeration takes longer to find than a change to make.
DAY, ROLLING = Window.DAY, Basis.ROLLING


class Options(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[sources.<venue>]` of the configuration. ValueError: an address or `key` can't be one."""

    base_url: Annotated[
        str | None,
        Meta(
            description="Where the venue answers: a mirror, a proxy, a paid host; unset: its public address"
        ),
    ] = None
    mode: Annotated[
        Literal["auto", "stream", "poll"],
        Meta(
            description="stream: prices as the venue pushes them; poll: ask for them; "
            "auto: stream where the venue has one, and ask whenever it falls behind"
        ),
    ] = "auto"
    stream_url: Annotated[
        str | None,
        Meta(
            description="Where the venue's websocket answers; unset: its public address, "
            "but in mode auto none beside a base_url of your own"
        ),
    ] = None
    interval: Annotated[
        Annotated[float, Meta(ge=0.1, le=86400)] | None,
        Meta(description="Seconds between two questions; unset: the venue's default"),
    ] = None
    timeout: Annotated[
        float, Meta(gt=0, le=300, description="Seconds an answer may take, from connecting to its last byte")
    ] = 10
    key: Annotated[
        str | None, Meta(description="API key, where the venue has them; never shown or logged")
    ] = None
    enabled: Annotated[bool, Meta(description="false: the venue is not asked")] = True

    def __post_init__(self) -> None:
        # It travels in a header, where a line's end would begin another one.
        if self.key is not None and not (self.key.isascii() and self.key.isprintable() and self.key.strip()):
            raise ValueError("key must be plain printable text")
        if self.base_url is not None:
            self._check_address("base_url", self.base_url, "https", "http")
        if self.stream_url is not None:
            self._check_address("stream_url", self.stream_url, "wss", "ws")

    @staticmethod
    def _check_address(name: str, address: str, *schemes: str) -> None:
        parts = urlsplit(address)
        # Reading the port is what refuses one that is no number.
        usable = parts.scheme in schemes and parts.hostname and parts.port != 0
        if not usable or parts.query or parts.fragment:
            raise ValueError(f"{name} must look like {schemes[0]}://host or {schemes[0]}://host/path")

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        shown = asdict(self)
        return list({**shown, "key": self.key and "***"}.items())

    def __repr__(self) -> str:
        return f"Options({', '.join(f'{name}={value!r}' for name, value in self.__rich_repr__())})"


class Budget(Struct, frozen=True):
    """What a venue allows one address: `limit` units of weight in any `seconds`."""

    limit: int
    seconds: float


class Request(Struct, frozen=True):
    """One GET for some pairs: path below the base address, query in order, cost in the budget's units."""

    path: str
    query: tuple[tuple[str, str], ...]
    pairs: tuple[Pair, ...]
    weight: int = 1


# What came of one pair in one round.
Outcome = Tick | SourceError


class Reading(Struct, frozen=True):
    """What an answer says of each pair asked for, in their order.

    `missing` names the fields, in the venue's words, that none of its rows has though the venue gives them;
    None where there was no price, from which nothing can be told.
    """

    outcomes: dict[Pair, Outcome]
    missing: frozenset[str] | None


class Venue(ABC):
    """The declaration. One instance a venue, without state; `name` is the configuration's word for it.

    `row` is a row's type: a field that each row has, if only as null, has the default UNSET, one that the
    venue gives only sometimes None. `within`, `key` and `time` say where rows stand; see rows.Layout.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    docs: ClassVar[str]
    base_url: ClassVar[str]
    interval: ClassVar[float]
    budget: ClassVar[Budget]
    keyed_budget: ClassVar[Budget | None] = None
    aggregator: ClassVar[bool] = False
    separator: ClassVar[str] = ""
    quotes: ClassVar[tuple[str, ...]] = ()
    used_weight_header: ClassVar[str | None] = None
    needs_key: ClassVar[bool] = False
    row: type[Struct]
    within: ClassVar[str] = ""
    key: ClassVar[str | None] = None
    time: ClassVar[str] = ""

    @property
    def section(self) -> str:
        """Where its settings are."""
        return f"sources.{self.name}"

    def currencies(self, symbol: str, base_hint: str | None) -> tuple[str, str] | None:
        """Base and quote currency of the venue's spelling; None where they can't be told for certain.

        They stand on either side of `separator` where the venue has one. `base_hint` is the asset's symbol.
        Where two known quote currencies end the symbol only the hint
        settles it: BTCBUSD may be BTC in BUSD or BTCB in USD.
        """
        if self.separator:
            base, _, quote = symbol.partition(self.separator)
            return (base, quote) if base and quote.isalnum() else None
        splits = [(symbol.removesuffix(quote), quote) for quote in self.quotes if symbol.endswith(quote)]
        splits = [split for split in splits if split[0]]
        hinted = [split for split in splits if base_hint and split[0] == base_hint.upper()]
        certain = hinted or splits
        return certain[0] if len(certain) == 1 else None

    def address(self, options: Options) -> str:
        """The base address in use, without a slash at its end."""
        return (options.base_url or self.base_url).rstrip("/")

    def budget_for(self, options: Options) -> Budget:
        """What applies with these options: a key may bring a larger budget."""
        return self.keyed_budget if options.key and self.keyed_budget else self.budget

    def headers(self, options: Options) -> Mapping[str, str]:
        """Headers of every request; where a key goes."""
        return {}

    @abstractmethod
    def requests(self, pairs: Sequence[Pair]) -> list[Request]:
        """As few requests as the venue needs for these pairs; none for none."""

    def rows(self, body: bytes, request: Request, *, quick: bool) -> Rows:
        """The answer cut up by the pairs' symbols. BadAnswer when it hasn't the shape at all."""
        return layout(self.row, self.within, self.key, self.time).rows(body, quick=quick)

    @abstractmethod
    def tick(self, pair: Pair, row: Any, as_of: int, seen: int) -> Tick:  # noqa: ANN401  # a `row`
        """One row as a Tick, dated `as_of` unless it has a time of its own. BadAnswer, Doubt."""

    def error(self, status: int, headers: Mapping[str, str], body: bytes) -> SourceError | None:
        """What the venue's own words for an error mean, whatever the HTTP status; None when it said none."""
        return None

    def read(self, body: bytes, request: Request, seen: int) -> Reading:
        """What the venue says about each pair asked for; a pair's trouble stays its own.

        `seen` is when the answer arrived (ms). BadAnswer when the body as a whole can't be read.
        """
        try:
            rows = self.rows(body, request, quick=True)
            outcomes, doubtful = self._outcomes(rows, request.pairs, seen)
            if doubtful:
                careful = self.rows(body, request, quick=False)
                outcomes |= self._outcomes(careful, doubtful, seen)[0]
        except BadAnswer as wrong:
            raise BadAnswer(f"{self.title} sent an answer that can't be read: {wrong}") from wrong
        return Reading(outcomes, self._missing(rows, outcomes))

    def _outcomes(
        self, rows: Rows, pairs: Sequence[Pair], seen: int
    ) -> tuple[dict[Pair, Outcome], list[Pair]]:
        """What came of each pair, and those of them that are to be read the careful way."""
        as_of, by_symbol = rows.time or seen, rows.by_symbol
        outcomes: dict[Pair, Outcome] = {}
        doubtful: list[Pair] = []
        for pair in pairs:
            row = by_symbol.get(pair.symbol)
            try:
                outcomes[pair] = self.unknown(pair) if row is None else self._tick(pair, row, as_of, seen)
            except Doubt:
                doubtful.append(pair)
                # Its place among the others.
                outcomes[pair] = self.unknown(pair)
            except BadAnswer as wrong:
                outcomes[pair] = BadAnswer(f"{self.title} {pair.symbol}: {wrong}")
        return outcomes, doubtful

    def _tick(self, pair: Pair, row: Any, as_of: int, seen: int) -> Tick:  # noqa: ANN401  # a `row`, or Raw
        return self.tick(pair, self.decoded(row) if type(row) is Raw else row, as_of, seen)

    def decoded(self, row: Raw) -> Struct:
        """A row by itself, each figure a number. BadAnswer names the field."""
        return decode(self.row, row)

    def _missing(self, rows: Rows, outcomes: Mapping[Pair, Outcome]) -> frozenset[str] | None:
        if not any(isinstance(outcome, Tick) for outcome in outcomes.values()):
            return None
        absent = {self.time} if rows.time is UNSET else set()
        return frozenset(absent | lacking(self.row, rows.by_symbol.values()))

    def unknown(self, pair: Pair) -> UnknownSymbol:
        return UnknownSymbol(f"{self.title} doesn't know {pair.symbol}; check the spelling of {pair.ref}")


def change_24h(
    price: Decimal, opened: Decimal | None, said: Decimal | None
) -> tuple[Change | None, str | None]:
    """The rolling 24 h change, and a note where the venue contradicts itself.

    Counted from `opened`, the price 24 hours ago, where there is one above zero; else `said`, the venue's own
    figure in percent, is taken at its word.
    """
    if opened is None or opened <= 0:
        return (None if said is None else Change(said, DAY, ROLLING)), None
    counted = percent_between(opened, price)
    note = None
    if said is not None and abs(said - counted) > TOLERANCE:
        note = f"venue's own change {said:+.2f} % differs from last/open {counted:+.2f} %"
    return Change(counted, DAY, ROLLING), note
