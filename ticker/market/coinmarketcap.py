"""CoinMarketCap's API v3, as https://pro.coinmarketcap.com/api/documentation describes it.

Ids are integers, rows and their quotes are lists, percent is in percent, times are ISO 8601. Every answer
carries a `status`, whose `error_code` is 0 when all is well.
"""

from __future__ import annotations

from ticker.errors import RequestError
from ticker.market import aggregate
from ticker.market.aggregate import iso, number
from ticker.market.faults import Fault
from ticker.market.venue import Listing, Params, Reply, Venue, View
from ticker.market.walk import HOUR

REFRESH = 60
_PER_MINUTE = 1008
_DOLLAR = 2781
_TABLE = """
talus 39999  bitcoin 1  ethereum 1027  tether 825  ripple 52  binancecoin 1839  solana 5426  usd-coin 3408
dogecoin 74  cardano 2010  tron 1958  avalanche-2 5805  chainlink 1975  the-open-network 11419  stellar 512
shiba-inu 5994  sui 20947  bitcoin-cash 1831  polkadot 6636  litecoin 2  pepe 24478  hedera-hashgraph 4642
uniswap 7083  near 6535  aptos 21794  internet-computer 8916  ethereum-classic 1321  aave 7278  cosmos 3794
"""
_WORDS = _TABLE.split()
_IDS = dict(zip(_WORDS[::2], _WORDS[1::2], strict=True))


def quotes(view: View, params: Params) -> Reply:
    """`id` is a list with commas; `skip_invalid` leaves unknown ones out, unless all of them are."""
    asked = params.get("id", "").split(",")
    if not all(number.isascii() and number.isdigit() for number in asked):
        raise RequestError("400", '"id" should only include comma-separated numeric ids', status=400)
    known = [view.listings[number] for number in asked if number in view.listings]
    unknown = [number for number in asked if number not in view.listings]
    if unknown and (not known or params.get("skip_invalid") != "true"):
        raise RequestError("400", f'Invalid value for "id": "{",".join(unknown)}"', status=400)
    data = [_coin(view, listing) for listing in known]
    return Reply({"data": data, "status": _status(0, None, view.second)})


def refuse(fault: Fault, now: int) -> Reply:
    def worded(status: int, text: str) -> object:
        return {"status": _status(_PER_MINUTE if status == 429 else status, text, now // 1000)}

    return aggregate.refuse(fault, worded)


def error(problem: RequestError) -> object:
    return {"status": _status(int(problem.code), str(problem), 0)}


def _status(code: int, message: str | None, second: int) -> dict[str, object]:
    return {
        "timestamp": iso(second),
        "error_code": code,
        "error_message": message,
        "elapsed": 12,
        "credit_count": 0 if code else 1,
        "notice": None,
    }


def _coin(view: View, listing: Listing) -> dict[str, object]:
    token, day = listing.token, view.day(listing)
    hour = view.bar(listing, view.second - HOUR, view.second)
    return {
        "id": int(listing.symbol),
        "name": token.id.replace("-", " ").title(),
        "symbol": token.symbol,
        "slug": token.id,
        "circulating_supply": number(token.supply),
        "last_updated": iso(view.second),
        "quote": [
            {
                "id": _DOLLAR,
                "symbol": "USD",
                "price": number(day.close),
                "volume_24h": number(day.turnover),
                "percent_change_1h": number(hour.change * 100),
                "percent_change_24h": number(day.change * 100),
                "market_cap": number(day.close * token.supply),
                "last_updated": iso(view.second),
            }
        ],
    }


VENUE = Venue(
    name="coinmarketcap",
    title="CoinMarketCap",
    listings=aggregate.listings("coinmarketcap", lambda token: _IDS[token.id]),
    routes={"/v3/cryptocurrency/quotes/latest": quotes},
    refuse=refuse,
    error=error,
    headers={"Content-Type": "application/json; charset=utf-8", "Server": "cloudflare"},
    price_fields=frozenset({"price"}),
    refresh=REFRESH,
)
