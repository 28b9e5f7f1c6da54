"""CoinGecko's public API v3, as https://docs.coingecko.com/reference/simple-price describes it.

Numbers are JSON numbers, never strings; an unknown coin is missing from the answer and a listed one without
data is `{}`. Answers change every half minute and carry validators.
"""

from __future__ import annotations

from decimal import Context, Decimal

from msgspec import Raw

from ticker.errors import RequestError
from ticker.market import chart
from ticker.market.faults import Fault
from ticker.market.tokens import TOKENS
from ticker.market.venue import Bar, Listing, Params, Reply, Venue, View, page, phrase, retry_after

REFRESH = 30
WITHOUT_DATA = "untraded-coin"

_FULL = Context(prec=17)
_SIX_DIGITS = Context(prec=6)
_DECIMALS = frozenset(str(decimals) for decimals in range(19))


def simple_price(view: View, params: Params) -> Reply:
    """`ids` and `vs_currencies` are lists with commas; the one currency there are prices in is USD."""
    for name in ("ids", "vs_currencies"):
        if not params.get(name):
            raise RequestError("missing_parameter", f"Missing parameter {name}", status=422)
    dollars = "usd" in params["vs_currencies"].lower().split(",")
    body: dict[str, object] = {}
    for coin in params["ids"].split(","):
        listing = view.listings.get(coin)
        if coin == WITHOUT_DATA or (listing is not None and not dollars):
            body[coin] = {}
        elif listing is not None:
            body[coin] = _coin(view, listing, params)
    return Reply(body, fresh=REFRESH, modified=view.second)


def search(view: View, params: Params) -> Reply:
    """Coins whose id, symbol or name holds the query, the most valuable first."""
    text = params.get("query", "").lower()
    hits = [
        of for of in _ranked(view) if text in (of.token.id, of.token.symbol.lower()) or text in of.token.id
    ]
    coins = [
        {
            "id": of.symbol,
            "name": of.token.id.replace("-", " ").title(),
            "api_symbol": of.symbol,
            "symbol": of.token.symbol,
            "market_cap_rank": _ranked(view).index(of) + 1,
        }
        for of in hits
    ]
    return Reply({"coins": coins, "exchanges": [], "icos": [], "categories": [], "nfts": []})


def tickers(view: View, params: Params) -> Reply:
    """The exchanges of the embedded market that trade a coin against USDT."""
    listing = view.listings.get(params["id"])
    if listing is None:
        raise RequestError("not_found", "coin not found", status=404)
    symbol = listing.token.symbol
    markets = [("Binance", "binance"), ("MEXC", "mxc")] if symbol != "US" else [("MEXC", "mxc")]
    traded = [
        {"base": symbol, "target": "USDT", "market": {"name": name, "identifier": identifier}}
        for name, identifier in markets
        if symbol != "USDT"
    ]
    return Reply({"name": listing.token.id, "tickers": traded})


def market_chart(view: View, params: Params) -> Reply:
    return chart.prices(view, params, number)


def _ranked(view: View) -> list[Listing]:
    return sorted(view.listings.values(), key=lambda of: -of.token.price * of.token.supply)


def refuse(fault: Fault, _now: int) -> Reply:
    match fault.kind:
        case "rate_limited" if not fault.page:
            text = (
                "You've exceeded the Rate Limit. Please visit https://www.coingecko.com/en/api/pricing "
                "to subscribe to our API plans for higher rate limits."
            )
            body = {"status": {"error_code": 429, "error_message": text}}
            return Reply(body, 429, retry_after(fault))
        case "rate_limited":
            return Reply(page("Too Many Requests", "You are being rate limited."), 429, retry_after(fault))
        case "banned" | "geo_blocked":
            text = "The owner of this website has banned you temporarily from accessing this website."
            return Reply(page("Access denied", text), 403, retry_after(fault))
        case _:
            title = f"{fault.status} {phrase(fault.status)}"
            return Reply(page(title, "The origin did not answer."), fault.status, retry_after(fault))


def error(problem: RequestError) -> object:
    return {"error": str(problem)}


def number(value: Decimal) -> Raw:
    """A JSON number as Ruby writes one, exponent and all under 0.0001: `8.412e-06`. No float is involved."""
    value = value.normalize(_FULL)
    if not value or value.adjusted() >= -4:
        return Raw(f"{value:f}".encode())
    mantissa, _, exponent = f"{value:e}".partition("e")
    return Raw(f"{mantissa}e{int(exponent):03d}".encode())


def _coin(view: View, listing: Listing, params: Params) -> dict[str, object]:
    day = view.day(listing)
    optional: dict[str, tuple[str, object]] = {
        "include_market_cap": ("usd_market_cap", number(day.close * listing.token.supply)),
        "include_24hr_vol": ("usd_24h_vol", number(day.turnover)),
        "include_24hr_change": ("usd_24h_change", number(day.change * 100)),
        "include_last_updated_at": ("last_updated_at", view.second),
    }
    asked = (entry for flag, entry in optional.items() if params.get(flag, "").lower() == "true")
    return {"usd": number(_rounded(day, params.get("precision"))), **dict(asked)}


def _rounded(day: Bar, precision: str | None) -> Decimal:
    """`precision` is `full` or a number of decimals; without it large prices are whole, others six digits."""
    match precision:
        case "full":
            return day.close
        case None:
            return day.close.quantize(Decimal(1)) if day.close >= 10_000 else _SIX_DIGITS.plus(day.close)
        case _ if precision in _DECIMALS:
            return day.close.quantize(Decimal(1).scaleb(-int(precision)))
        case _:
            raise RequestError("bad_parameter", "Invalid precision", status=422)


VENUE = Venue(
    name="coingecko",
    title="CoinGecko",
    # Fifteen decimals stand for the unrounded averages of an aggregator.
    listings={
        token.id: Listing.of("coingecko", token.id, token, decimals=15, share=Decimal(1)) for token in TOKENS
    },
    routes={
        "/simple/price": simple_price,
        "/search": search,
        "/coins/{id}/tickers": tickers,
        "/coins/{id}/market_chart/range": market_chart,
    },
    refuse=refuse,
    error=error,
    headers={"Content-Type": "application/json; charset=utf-8", "Server": "cloudflare"},
    price_fields=frozenset({"usd"}),
    refresh=REFRESH,
)
