"""CoinPaprika's API v1, as https://docs.coinpaprika.com/api-reference/tickers describes it.

Numbers are JSON numbers, percent is in percent with two decimals, times are ISO 8601. One coin is an object,
all coins are a list, and an unknown id alone is 404.
"""

from __future__ import annotations

from decimal import Decimal

from ticker.errors import RequestError
from ticker.market import aggregate
from ticker.market.aggregate import iso, number
from ticker.market.faults import Fault
from ticker.market.venue import Listing, Params, Reply, Venue, View
from ticker.market.walk import HOUR

REFRESH = 60


def tickers(view: View, params: Params) -> Reply:
    _only_dollars(params)
    return Reply([_ticker(view, listing) for listing in view.listings.values()])


def ticker(view: View, params: Params) -> Reply:
    _only_dollars(params)
    listing = view.listings.get(params["id"])
    if listing is None:
        raise RequestError("not_found", "id not found", status=404)
    return Reply(_ticker(view, listing))


def refuse(fault: Fault, _now: int) -> Reply:
    return aggregate.refuse(fault, lambda _status, text: {"error": text.lower()})


def error(problem: RequestError) -> object:
    return {"error": str(problem)}


def _only_dollars(params: Params) -> None:
    """There are prices in US dollars alone here; without `quotes` they are what it sends."""
    if params.get("quotes", "USD") != "USD":
        raise RequestError("bad_parameter", "invalid quotes", status=400)


def _ticker(view: View, listing: Listing) -> dict[str, object]:
    token, day = listing.token, view.day(listing)
    return {
        "id": listing.symbol,
        "name": token.id.replace("-", " ").title(),
        "symbol": token.symbol,
        "rank": list(view.listings).index(listing.symbol) + 1,
        "total_supply": number(token.supply),
        "max_supply": number(token.supply),
        "beta_value": number(Decimal("1.01")),
        "first_data_at": "2010-07-17T00:00:00Z",
        "last_updated": iso(view.second),
        "quotes": {
            "USD": {
                "price": number(day.close),
                "volume_24h": number(day.turnover),
                "volume_24h_change_24h": 0,
                "market_cap": number(day.close * token.supply),
                "market_cap_change_24h": _percent(day.change),
                "percent_change_1h": _percent(view.bar(listing, view.second - HOUR, view.second).change),
                "percent_change_24h": _percent(day.change),
            }
        },
    }


def _percent(fraction: Decimal) -> object:
    return number((fraction * 100).quantize(Decimal("0.01")))


VENUE = Venue(
    name="coinpaprika",
    title="CoinPaprika",
    listings=aggregate.listings("coinpaprika", lambda token: f"{token.symbol.lower()}-{token.id}"),
    routes={"/tickers": tickers, "/tickers/{id}": ticker},
    refuse=refuse,
    error=error,
    headers={"Content-Type": "application/json", "Server": "cloudflare"},
    price_fields=frozenset({"price"}),
    refresh=REFRESH,
)
