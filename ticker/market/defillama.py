"""DefiLlama's coin prices, as https://api-docs.defillama.com/ describes them.

Coins are asked for in the path, by `coingecko:` and an id here. Numbers are JSON numbers, time is in seconds,
and a coin it doesn't know is absent without a word.
"""

from __future__ import annotations

from decimal import Decimal

from ticker.errors import RequestError
from ticker.market import aggregate
from ticker.market.aggregate import number
from ticker.market.faults import Fault
from ticker.market.venue import Listing, Params, Reply, Venue, View

REFRESH = 30
# Tokens whose pools are thin, and what the venue then says of its own price.
_DOUBTFUL = {"coingecko:talus": Decimal("0.83")}
_CONFIDENT = Decimal("0.99")


def current(view: View, params: Params) -> Reply:
    asked = params["coins"].split(",")
    coins = {coin: _coin(view, view.listings[coin]) for coin in asked if coin in view.listings}
    return Reply({"coins": coins})


def refuse(fault: Fault, _now: int) -> Reply:
    return aggregate.refuse(fault, lambda _status, text: {"message": text})


def error(problem: RequestError) -> object:
    return {"message": str(problem)}


def _coin(view: View, listing: Listing) -> dict[str, object]:
    return {
        "price": number(view.day(listing).close),
        "symbol": listing.token.symbol,
        "timestamp": view.second,
        "confidence": number(_DOUBTFUL.get(listing.symbol, _CONFIDENT)),
    }


VENUE = Venue(
    name="defillama",
    title="DefiLlama",
    listings=aggregate.listings("defillama", lambda token: f"coingecko:{token.id}"),
    routes={"/prices/current/{coins}": current},
    refuse=refuse,
    error=error,
    headers={"Content-Type": "application/json", "Server": "cloudflare"},
    price_fields=frozenset({"price"}),
    refresh=REFRESH,
)
