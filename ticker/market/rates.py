"""The embedded market's exchange rates, as Frankfurter (https://frankfurter.dev/v1/) and the ECB's XML files
(https://www.ecb.europa.eu/stats/eurofxref/) publish them.

Made up, as its prices are: each day lies a little off a round figure, by a hash of currency and day. New ones
come on working days at 16:00 Central European Time; holidays there are none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Context, Decimal
from hashlib import blake2s

from msgspec import Raw

from ticker.errors import RequestError
from ticker.market.coingecko import number
from ticker.market.faults import Fault
from ticker.market.venue import Params, Reply, Venue, View, page, phrase, retry_after

# What a euro is worth, give or take what a day brings.
_TABLE = """
USD 1.08    JPY 162     CZK 25.1   DKK 7.46   GBP 0.852  HUF 396    PLN 4.29   RON 4.97   SEK 11.4   CHF 0.962
ISK 149     NOK 11.6    TRY 35.2   AUD 1.64   BRL 5.83   CAD 1.48   CNY 7.79   HKD 8.44   IDR 17400  ILS 4.01
INR 90.1    KRW 1478    MXN 19.2   MYR 5.04   NZD 1.78   PHP 62.3   SGD 1.45   THB 38.9
"""
_WORDS = _TABLE.split()
EURO = {code: Decimal(figure) for code, figure in zip(_WORDS[::2], _WORDS[1::2], strict=True)}

_HOUR = 15
_DIGITS = Context(prec=5)
_SPAN = timedelta(days=366)
_REFRESH = 300


def fixing(day: date) -> dict[str, Decimal]:
    """What a euro is worth on a day, to five digits as the ECB gives it."""
    return {code: _DIGITS.multiply(figure, _drift(code, day)) for code, figure in EURO.items()}


def days(view: View, first: date, last: date) -> Iterator[date]:
    """The working days from `first` to `last` whose rates are out, oldest first."""
    last = min(last, latest(view))
    for ahead in range((last - first).days + 1):
        if (day := first + timedelta(days=ahead)).weekday() < 5:
            yield day


def latest(view: View) -> date:
    """The day whose rates are the newest there are."""
    day = (datetime.fromtimestamp(view.now // 1000, UTC) - timedelta(hours=_HOUR)).date()
    return day - timedelta(days=max(0, day.weekday() - 4))


def _drift(code: str, day: date) -> Decimal:
    noise = int.from_bytes(blake2s(f"{code}:{day}".encode(), digest_size=2).digest(), "big")
    return 1 + Decimal(noise - 0x8000).scaleb(-7)


# Frankfurter


def frankfurter_latest(view: View, params: Params) -> Reply:
    """`base` is a currency, `symbols` a list with commas; a range is the other path."""
    day = latest(view)
    return _frankfurter(params, {"date": str(day)}, _against(fixing(day), params))


def frankfurter_period(view: View, params: Params) -> Reply:
    """`2026-11-02..` and `2026-11-02..2026-11-20`, from the rates in force on the first day."""
    begin, dots, end = params["period"].partition("..")
    if not dots:
        raise RequestError("not_found", "not found", status=404)
    first, last = _day(begin), _day(end) if end else latest(view)
    first -= timedelta(days=max(0, first.weekday() - 4))
    found = list(days(view, max(first, last - _SPAN), last))
    if not found:
        raise RequestError("not_found", "not found", status=404)
    rates = {str(day): _against(fixing(day), params) for day in found}
    return _frankfurter(params, {"start_date": str(found[0]), "end_date": str(found[-1])}, rates)


def _frankfurter(params: Params, dates: dict[str, str], rates: object) -> Reply:
    body = {"amount": Raw(b"1.0"), "base": params.get("base", "EUR"), **dates, "rates": rates}
    return Reply(body, fresh=_REFRESH)


def _against(euro: dict[str, Decimal], params: Params) -> dict[str, Raw]:
    base = params.get("base", "EUR")
    units = {"EUR": Decimal(1), **euro}
    if base not in units:
        raise RequestError("not_found", "not found", status=404)
    wanted = params.get("symbols", ",".join(sorted(units))).split(",")
    return {
        code: number(_DIGITS.divide(units[code], units[base]))
        for code in wanted
        if code != base and code in units
    }


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise RequestError("not_found", "not found", status=404) from None


def _error(problem: RequestError) -> object:
    return {"message": str(problem)}


def _refuse(fault: Fault, _now: int) -> Reply:
    match fault.kind:
        case "rate_limited":
            return Reply(page("Too Many Requests", "Slow down."), 429, retry_after(fault))
        case "banned" | "geo_blocked":
            return Reply(page("Forbidden", "Access denied."), 403, retry_after(fault))
        case _:
            title = f"{fault.status} {phrase(fault.status)}"
            return Reply(page(title, "The origin did not answer."), fault.status, retry_after(fault))


# The ECB


def ecb_daily(view: View, _params: Params) -> Reply:
    """eurofxref-daily.xml: the newest day."""
    return _ecb([latest(view)])


def ecb_90_days(view: View, _params: Params) -> Reply:
    """eurofxref-hist-90d.xml: the last 90 days, the newest first."""
    last = latest(view)
    return _ecb(reversed(list(days(view, last - timedelta(days=90), last))))


def _ecb(found: Iterable[date]) -> Reply:
    cubes = "".join(f"<Cube time='{day}'>{_cubes(fixing(day))}</Cube>" for day in found)
    text = (
        "<?xml version='1.0' encoding='UTF-8'?>\n"
        "<gesmes:Envelope xmlns:gesmes='http://www.gesmes.org/xml/2002-08-01' "
        "xmlns='http://www.ecb.int/vocabulary/2002-08-01/eurofxref'>"
        "<gesmes:subject>Reference rates</gesmes:subject>"
        "<gesmes:Sender><gesmes:name>European Central Bank</gesmes:name></gesmes:Sender>"
        f"<Cube>{cubes}</Cube></gesmes:Envelope>\n"
    )
    # Raw goes out as it is; plain text would be taken for a page.
    return Reply(Raw(text.encode()), headers={"Content-Type": "text/xml"}, fresh=_REFRESH)


def _cubes(units: dict[str, Decimal]) -> str:
    return "".join(f"<Cube currency='{code}' rate='{figure:f}'/>" for code, figure in units.items())


FRANKFURTER = Venue(
    name="frankfurter",
    title="Frankfurter",
    listings={},
    routes={"/latest": frankfurter_latest, "/{period}": frankfurter_period},
    refuse=_refuse,
    error=_error,
    headers={"Content-Type": "application/json; charset=utf-8"},
    price_fields=frozenset(("EUR", *EURO)),
)

ECB = Venue(
    name="ecb",
    title="European Central Bank",
    listings={},
    routes={"/eurofxref-daily.xml": ecb_daily, "/eurofxref-hist-90d.xml": ecb_90_days},
    refuse=_refuse,
    error=_error,
    headers={"Content-Type": "application/json; charset=utf-8"},
    price_fields=frozenset(),
)

VENUES = (FRANKFURTER, ECB)
