"""Frankfurter: the reference rates of central banks as JSON, at its public address or one's own.

https://frankfurter.dev/v1/
No key and no stated limit; the rates change once a working day, about 16:00 in Frankfurt. Rates are asked for
in euros, as the ECB gives them: in another base they are rounded a second time.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from msgspec import Raw, Struct

from ticker.currency import Fixing
from ticker.errors import BadAnswer
from ticker.sources.decode import Price, decode

# A week back, and the longest run of days without rates before that.
DAYS = 14


class Series(Struct):
    """`rates` are what `amount` of the base is worth, by day and currency; the base isn't among them."""

    base: str
    rates: dict[date, dict[str, Raw]]
    amount: Price = Price(1)


class Frankfurter:
    name = "frankfurter"
    title = "Frankfurter"
    section = "currency.rates"
    docs = "https://frankfurter.dev/v1/"
    base_url = "https://api.frankfurter.dev/v1"
    accept = "application/json"

    def path(self, today: date) -> str:
        """One question for the latest rates and those before: a period that is open at its end."""
        return f"/{today - timedelta(days=DAYS)}.."

    def read(self, body: bytes) -> list[Fixing]:
        """The answer's fixings in any order. BadAnswer."""
        said = decode(Series, body)
        return [
            Fixing(
                day, {said.base: said.amount, **{code: _rate(day, code, raw) for code, raw in units.items()}}
            )
            for day, units in said.rates.items()
        ]


def _rate(day: date, code: str, raw: Raw) -> Decimal:
    try:
        return decode(Price, raw)
    except BadAnswer as wrong:
        raise BadAnswer(f"rates {day} {code!r:.20}: {wrong}") from wrong
