"""Change over an hour, a day and a week of each asset, from the prices we said ourselves.

For each asset it keeps the last price of each minute of an hour, of each five minutes of a day and of each
hour of a week, in about 6 kB. It does no I/O, reads no clock and guesses nothing: a window whose beginning
wasn't seen has no change.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping
from decimal import Context, Decimal
from types import MappingProxyType

from ticker.change import percent_between
from ticker.model import Basis, Candle, Change, Window

# A price is kept to 18 digits, which fit 64 bits; a change is shown to hundredths of a percent.
DIGITS = 18
_ROUNDED = Context(prec=DIGITS)

# Length of a window and of the steps in which its past is kept, seconds.
LENGTHS: Mapping[Window, tuple[int, int]] = MappingProxyType(
    {Window.HOUR: (3600, 60), Window.DAY: (86400, 300), Window.WEEK: (7 * 86400, 3600)}
)
_SEEDED = {step: window for window, (_, step) in LENGTHS.items()}
# What stands for the price at a window's start: the last one of the step that had just ended, else of the
# step it lies in, else of the one before: never further off than three steps (3, 15 and 180 minutes).
NEIGHBOURS = (-1, 0, -2)


class Ring:
    """The last price of each of the newest steps of one window; 0 where there was none."""

    __slots__ = ("_exponents", "_mantissas", "_newest", "_step")

    def __init__(self, length: int, step: int) -> None:
        size = length // step + 3
        self._step = step * 1000
        self._mantissas = array("q", bytes(8 * size))
        self._exponents = array("b", bytes(size))
        self._newest = 0

    def put(self, at: int, mantissa: int, exponent: int) -> None:
        """The latest price of the step that holds `at`, which is not before any put earlier."""
        slot = at // self._step
        if slot > self._newest:
            self._forget(slot)
        if slot == self._newest:
            self._write(slot, mantissa, exponent)

    def fill(self, at: int, mantissa: int, exponent: int) -> None:
        """The last price of a step of the past, unless it is known or too old."""
        slot = at // self._step
        if slot > self._newest:
            self._forget(slot)
        size = len(self._mantissas)
        if self._newest - slot < size and not self._mantissas[slot % size]:
            self._write(slot, mantissa, exponent)

    def before(self, at: int) -> Decimal | None:
        """The price that stands for the moment `at`, None where there is none near it."""
        size = len(self._mantissas)
        for neighbour in NEIGHBOURS:
            slot = at // self._step + neighbour
            place = slot % size
            if 0 <= self._newest - slot < size and self._mantissas[place]:
                return Decimal(self._mantissas[place]).scaleb(self._exponents[place])
        return None

    def _write(self, slot: int, mantissa: int, exponent: int) -> None:
        place = slot % len(self._mantissas)
        self._mantissas[place] = mantissa
        self._exponents[place] = exponent

    def _forget(self, slot: int) -> None:
        """Make `slot` the newest; the steps passed over hold nothing any more."""
        size = len(self._mantissas)
        for passed in range(max(self._newest + 1, slot - size + 1), slot + 1):
            self._mantissas[passed % size] = 0
        self._newest = slot


class History:
    """The rings of one asset, in which currency, and when it was last seen (ms)."""

    __slots__ = ("currency", "latest", "rings")

    def __init__(self, currency: str) -> None:
        self.currency = currency
        self.latest = 0
        self.rings = {window: Ring(*lengths) for window, lengths in LENGTHS.items()}


class Windows:
    """The past of all assets, as far as changes need it; of each asset in the currency it is quoted in."""

    def __init__(self) -> None:
        self._histories: dict[str, History] = {}

    def seen(self, asset: str, currency: str, at_ms: int, price: Decimal) -> None:
        """A price above zero that counts, of a moment that has come; an older one than the last is too late.

        Another currency than before begins a new past.
        """
        history = self._histories.get(asset)
        if history is None or history.currency != currency:
            history = self._histories[asset] = History(currency)
        if at_ms < history.latest:
            return
        history.latest = at_ms
        mantissa, exponent = _packed(price)
        for ring in history.rings.values():
            ring.put(at_ms, mantissa, exponent)

    def seed(self, candles: Iterable[Candle]) -> None:
        """Closes of candles of 60, 300 and 3600 s, each for the window of its size. What was seen stays.

        Those in another currency than the asset is quoted in are passed over.
        """
        for candle in candles:
            history = self._histories.get(candle.asset)
            if history is None:
                history = self._histories[candle.asset] = History(candle.currency)
            if history.currency == candle.currency:
                history.rings[_SEEDED[candle.interval]].fill(candle.start, *_packed(candle.close))

    def change(self, asset: str, window: Window, now_ms: int, price: Decimal) -> Change | None:
        """The change from `window` ago to `price`, in percent; None where the window isn't covered."""
        history = self._histories.get(asset)
        then = history and history.rings[window].before(now_ms - LENGTHS[window][0] * 1000)
        return Change(percent_between(then, price), window, Basis.ROLLING) if then else None


def _packed(price: Decimal) -> tuple[int, int]:
    """The price as an integer of at most 18 digits and a power of ten."""
    exponent = (rounded := _ROUNDED.plus(price)).adjusted() - DIGITS + 1
    return int(_ROUNDED.scaleb(rounded, -exponent)), exponent
