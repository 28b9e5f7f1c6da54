"""The European Central Bank's euro reference rates, as the XML file it publishes each working day.

https://www.ecb.europa.eu/stats/policy_and_exchange_rates/euro_reference_exchange_rates/html/index.en.html
The file of 90 days holds the latest rates and those before, in the form of the daily one; both are read here.
Replaced about 16:00 in Frankfurt; no key, no stated limit. A document type is refused unread, and with it
every entity: these files have none.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from xml.parsers import expat

import msgspec

from ticker.currency import Fixing
from ticker.errors import BadAnswer
from ticker.sources.decode import Price, decode

CUBE = "http://www.ecb.int/vocabulary/2002-08-01/eurofxref Cube"
EURO = Decimal(1)
# A week back, and the longest run of days without rates before that; what is older is left unread.
KEPT = timedelta(days=14)

Figures = dict[date, dict[str, str]]


class Ecb:
    name = "ecb"
    title = "European Central Bank"
    section = "currency.rates"
    docs = "https://www.ecb.europa.eu/stats/policy_and_exchange_rates/euro_reference_exchange_rates/"
    base_url = "https://www.ecb.europa.eu/stats/eurofxref"
    accept = "application/xml, text/xml"

    def path(self, _today: date) -> str:
        return "/eurofxref-hist-90d.xml"

    def read(self, body: bytes) -> list[Fixing]:
        """The last two weeks of the file, in its order. BadAnswer."""
        figures: Figures = {}
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.StartDoctypeDeclHandler = _refuse
        parser.StartElementHandler = _Cubes(figures).begin
        try:
            parser.Parse(body, True)  # noqa: FBT003  # expat's parameter has no name
        except expat.ExpatError as wrong:
            raise BadAnswer(f"no XML: {wrong}") from wrong
        newest = max(figures, default=date.min)
        return [_fixing(day, figures[day]) for day in figures if newest - day <= KEPT]


class _Cubes:
    """A Cube with a time begins a day; one with a currency is a rate of that day."""

    def __init__(self, figures: Figures) -> None:
        self._figures = figures
        self._day: dict[str, str] | None = None

    def begin(self, name: str, said: dict[str, str]) -> None:
        if name == CUBE and "time" in said:
            self._day = self._figures[_date(said["time"])] = {}
        elif name == CUBE and "currency" in said:
            if self._day is None or "rate" not in said:
                raise BadAnswer(f"Cube currency={said['currency']!r:.20}: without a rate or a day")
            self._day[said["currency"]] = said["rate"]


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as wrong:
        raise BadAnswer(f"Cube time: {wrong}") from wrong


def _fixing(day: date, figures: dict[str, str]) -> Fixing:
    return Fixing(day, {"EUR": EURO, **{code: _rate(code, text) for code, text in figures.items()}})


def _rate(code: str, text: str) -> Decimal:
    try:
        return decode(Price, msgspec.json.encode(text))
    except BadAnswer as wrong:
        raise BadAnswer(f"Cube currency={code!r:.20} rate: {wrong}") from wrong


def _refuse(*_doctype: object) -> None:
    raise BadAnswer("a document type, which these files don't have")
