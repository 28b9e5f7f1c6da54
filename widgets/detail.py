"""What an asset's page says beside its widgets: changes, the day's range, sources, and what machines read.

Pure. A figure that isn't known is left out or is a dash; a made-up price is never told to a search engine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from ticker.change import percent_between, rounded
from ticker.model import Asset, Candle, Confidence, Observation, Quote
from widgets import format as write
from widgets.kinds import Need
from widgets.view import ChangeView, ObservationView, QuoteView, observation_view

CONFIDENCE = {
    Confidence.NONE: ("None", "there is no price to be sure of"),
    Confidence.SINGLE: ("One source", "nobody to compare it with"),
    Confidence.LOW: ("Low", "the sources don't agree, or the price has just jumped"),
    Confidence.MEDIUM: ("Medium", "few sources, or a little apart"),
    Confidence.HIGH: ("High", "three or more sources, within 1% of each other"),
}


class Span(NamedTuple):
    """A window that only history covers."""

    label: str
    days: int
    interval: int


# The steps of the chart's own ranges, so that both read the same candles and say the same.
SPANS = (Span("30d", 30, 10_800), Span("1y", 365, 86_400))


class Moved(NamedTuple):
    """A change and its name in the feed; empty for one that the feed doesn't tell."""

    field: str
    change: ChangeView


class DayRange(NamedTuple):
    """Where the price is between the day's low and high, in percent of the way, as an attribute has it."""

    at: str
    says: str


class Detail(NamedTuple):
    """`spread` is how far apart the sources that count are, in percent, written."""

    as_of: str
    moves: Sequence[Moved]
    range: DayRange | None
    confidence: str
    because: str
    used: int
    said: Sequence[ObservationView]
    spread: str
    notes: Sequence[str]


def needs(quote: Quote) -> Mapping[str, Need]:
    """The candles that tell the changes of longer windows, by the window's label."""
    return {span.label: Need(quote.asset, span.interval, span.days * 86_400) for span in SPANS}


def detail(
    quote: Quote,
    view: QuoteView,
    observations: Sequence[Observation],
    spread: Decimal | None,
    past: Mapping[str, Sequence[Candle]],
    now: int,
) -> Detail:
    """`past` has the candles of `needs`, their starts in seconds; `now` is in ms UTC."""
    word, because = CONFIDENCE[quote.confidence]
    used = len({one.source for one in observations if one.used})
    return Detail(
        as_of="" if quote.as_of is None else write.iso(quote.as_of)[:19].replace("T", " ") + " UTC",
        moves=_moves(quote, view, past, now),
        range=_range(quote),
        confidence=word,
        because=because,
        used=used,
        said=[observation_view(one, now) for one in sorted(observations, key=lambda one: not one.used)],
        spread="" if spread is None or used < 2 else f"{rounded(spread)}%",
        notes=_notes(quote, view),
    )


def linked(asset: Asset, quote: Quote, url: str, title: str) -> dict[str, object]:
    """The page as schema.org has it, for JSON-LD. A price is an exchange rate: what one unit of the asset is
    in the currency, with the time it is of; one that is unknown or made up is left out."""
    page = f"{url}/assets/{asset.id}"
    said: dict[str, object] = {
        "@context": "https://schema.org",
        "@type": "WebPage",
        "url": page,
        "name": title,
        "breadcrumb": {
            "@type": "BreadcrumbList",
            "itemListElement": [
                {"@type": "ListItem", "position": 1, "name": "Prices", "item": f"{url}/"},
                {"@type": "ListItem", "position": 2, "name": f"{asset.name} ({asset.symbol})", "item": page},
            ],
        },
    }
    if quote.price is None or quote.as_of is None or quote.demo:
        return said
    rate = {
        "@type": "UnitPriceSpecification",
        "price": f"{quote.price:f}",
        "priceCurrency": quote.currency,
        "validFrom": write.iso(quote.as_of),
    }
    about = {"@type": "ExchangeRateSpecification", "name": title, "currency": asset.symbol}
    return said | {
        "dateModified": write.iso(quote.as_of),
        "mainEntity": about | {"currentExchangeRate": rate},
    }


def _moves(quote: Quote, view: QuoteView, past: Mapping[str, Sequence[Candle]], now: int) -> Sequence[Moved]:
    told = [
        Moved("change_1h", view.change_1h),
        Moved("change_24h", view.change_24h),
        Moved("change_7d", view.change_7d),
    ]
    longer = [(span.label, _since(quote, span, past.get(span.label, ()), now)) for span in SPANS]
    return told + [
        Moved("", ChangeView(write.percent(percent), label))
        for label, percent in longer
        if percent is not None
    ]


def _since(quote: Quote, span: Span, candles: Sequence[Candle], now: int) -> Decimal | None:
    """Percent from the first candle of the span to now; None where history doesn't go back so far."""
    if quote.price is None or not candles or candles[0].open <= 0 or candles[0].currency != quote.currency:
        return None
    if candles[0].start > now // 1000 - span.days * 86_400 + span.interval:
        return None
    return rounded(percent_between(candles[0].open, quote.price))


def _range(quote: Quote) -> DayRange | None:
    low, high, price = quote.low_24h, quote.high_24h, quote.price
    if low is None or high is None or price is None or not low < high:
        return None
    part = min(max((price - low) / (high - low), Decimal(0)), Decimal(1))
    return DayRange(f"{part * 100:.1f}%", f"{part * 100:.0f}% of the way from low to high")


def _notes(quote: Quote, view: QuoteView) -> Sequence[str]:
    """What the reader has to know about the currency."""
    notes = []
    if quote.rate_date:
        notes.append(f"Converted to {quote.currency} at the reference rate of {quote.rate_date}.")
    if quote.change_currency:
        notes.append(f"Its changes are counted in {quote.change_currency}.")
    if quote.assumed:
        notes.append(f"The operator of this service {view.peg or 'asserts a rate'}.")
    if quote.demo:
        notes.append("Made up by the built-in market for a demonstration. It is not a real price.")
    return notes
