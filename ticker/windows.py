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
LENGTHS_MS = {window: (length * 1000, step * 1000) for window, (length, step) in LENGTHS.items()}
PLACES = {window: place for place, window in enumerate(Window)}
MINUTE_MS = 60_000
_SEEDED = {step: window for window, (_, step) in LENGTHS.items()}
# What stands for the price at a window's start: the last one of the step that had just ended, else of the
# step it lies in, else of the one before: never further off than three steps (3, 15 and 180 minutes).
NEIGHBOURS = (-1, 0, -2)
NEVER = -1
ROLLING = Basis.ROLLING


class Ring:
    """The last price of each of the newest steps of one window; 0 where there was none. Times are in ms."""

    __slots__ = ("_asked", "_exponents", "_mantissas", "_newest", "_then", "length", "step")

    def __init__(self, length: int, step: int) -> None:
        size = length // step + 3
        self.length = length
        self.step = step
        self._mantissas = array("q", bytes(8 * size))
        self._exponents = array("b", bytes(size))
        self._newest = 0
        # The last answer: it is asked for at every tick, and is the same throughout a step.
        self._asked = NEVER
        self._then: Decimal | None = None

    def put(self, at: int, mantissa: int, exponent: int) -> None:
        """The latest price of the step that holds `at`, which is not before any put earlier."""
        slot = at // self.step
        if slot > self._newest:
            self._forget(slot)
        if slot == self._newest:
            self._write(slot, mantissa, exponent)

    def fill(self, at: int, mantissa: int, exponent: int) -> None:
        """The last price of a step of the past, unless it is known or too old."""
        slot = at // self.step
        if slot > self._newest:
            self._forget(slot)
        size = len(self._mantissas)
        if self._newest - slot < size and not self._mantissas[slot % size]:
            self._write(slot, mantissa, exponent)

    def before(self, at: int) -> Decimal | None:
        """The price that stands for the moment `at`, None where there is none near it."""
        slot = at // self.step
        if slot != self._asked:
            self._asked, self._then = slot, self._near(slot)
        return self._then

    def _near(self, slot: int) -> Decimal | None:
        size = len(self._mantissas)
        for near in (slot + neighbour for neighbour in NEIGHBOURS):
            place = near % size
            if 0 <= self._newest - near < size and self._mantissas[place]:
                return Decimal(self._mantissas[place]).scaleb(self._exponents[place])
        return None

    def _write(self, slot: int, mantissa: int, exponent: int) -> None:
        place = slot % len(self._mantissas)
        self._mantissas[place] = mantissa
        self._exponents[place] = exponent
        self._asked = NEVER

    def _forget(self, slot: int) -> None:
        """Make `slot` the newest; the steps passed over hold nothing any more."""
        size = len(self._mantissas)
        for passed in range(max(self._newest + 1, slot - size + 1), slot + 1):
            self._mantissas[passed % size] = 0
        self._newest = slot
        self._asked = NEVER


class History:
    """The past of one asset in one currency: the rings, and the latest price, which they get once a minute.

    Every step begins with a minute, so that the last price of a minute is all that a step can end with.
    """

    __slots__ = ("_latest", "_minute", "_price", "_rings", "currency")

    def __init__(self, currency: str) -> None:
        self.currency = currency
        self._rings = tuple(Ring(*LENGTHS_MS[window]) for window in Window)
        self._latest = self._minute = 0
        self._price: Decimal | None = None

    def put(self, at: int, price: Decimal) -> None:
        """The latest price, unless there is a later one."""
        if at < self._latest:
            return
        minute = at // MINUTE_MS
        turns = minute != self._minute
        if turns:
            self._settle()
        self._latest, self._price, self._minute = at, price, minute
        if turns:
            self._settle()

    def fill(self, window: Window, at: int, price: Decimal) -> None:
        """The last price of a step of the past."""
        self._settle()
        self._rings[PLACES[window]].fill(at, *_packed(price))

    def before(self, window: Window, now: int) -> Decimal | None:
        """The price that stands for the moment a window before `now`, None where there is none near it."""
        ring = self._rings[PLACES[window]]
        at = now - ring.length
        if at > self._latest - ring.step:
            self._settle()
        return ring.before(at)

    def _settle(self) -> None:
        """Let the rings have the latest price."""
        if self._price is not None:
            mantissa, exponent = _packed(self._price)
            for ring in self._rings:
                ring.put(self._latest, mantissa, exponent)


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
        history.put(at_ms, price)

    def seed(self, candles: Iterable[Candle]) -> None:
        """Closes of candles of 60, 300 and 3600 s, each for the window of its size. What was seen stays.

        Those in another currency than the asset is quoted in are passed over.
        """
        for candle in candles:
            history = self._histories.get(candle.asset)
            if history is None:
                history = self._histories[candle.asset] = History(candle.currency)
            if history.currency == candle.currency:
                history.fill(_SEEDED[candle.interval], candle.start, candle.close)

    def change(self, asset: str, window: Window, now_ms: int, price: Decimal) -> Change | None:
        """The change from `window` ago to `price`, in percent; None where the window isn't covered."""
        history = self._histories.get(asset)
        then = None if history is None else history.before(window, now_ms)
        return None if then is None else Change(percent_between(then, price), window, ROLLING)


def _packed(price: Decimal) -> tuple[int, int]:
    """The price as an integer of at most 18 digits and a power of ten."""
    exponent = (rounded := _ROUNDED.plus(price)).adjusted() - DIGITS + 1
    return int(_ROUNDED.scaleb(rounded, -exponent)), exponent
