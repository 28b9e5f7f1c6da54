"""Quotes for tests of the wire and of the feed: any at all, one in particular; how the wire is read."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any, NoReturn

from hypothesis import strategies as st

from tests.unit.conftest import NOW, day
from ticker.model import Confidence, Quote, State

numbers = st.builds(
    lambda digits, exponent: Decimal(digits).scaleb(exponent),
    st.integers(-(10**20), 10**20),
    st.integers(-40, 40),
)
known = st.none() | numbers.map(abs)
changes = st.none() | numbers.filter(lambda n: abs(n) < 10**20).map(lambda n: day(str(n)))
quotes = st.builds(
    Quote,
    asset=st.from_regex(r"[a-z0-9]+(-[a-z0-9]+)*", fullmatch=True),
    symbol=st.text(min_size=1, max_size=24),
    name=st.text(min_size=1, max_size=80),
    currency=st.sampled_from(("USD", "USDT")),
    price=known,
    change_1h=changes,
    change_24h=changes,
    change_7d=changes,
    high_24h=known,
    low_24h=known,
    volume_24h=known,
    market_cap=known,
    as_of=st.none() | st.integers(0, 2**50),
    state=st.sampled_from(State),
    confidence=st.sampled_from(Confidence),
    sources=st.integers(0, 9),
    seq=st.integers(0, 2**50),
    assumed=st.booleans(),
    demo=st.booleans(),
    rate_date=st.none() | st.dates().map(str),
    change_currency=st.none() | st.sampled_from(("USD", "EUR")),
)
# Ids that a command may have and both encodings can echo.
refs = st.none() | st.integers(-(2**63), 2**64 - 1) | st.text(max_size=64)
TALUS = Quote(
    asset="talus",
    symbol="US",
    name="Talus",
    currency="USD",
    price=Decimal("0.01021"),
    change_1h=day("0.05"),
    change_24h=day("0.19"),
    change_7d=day("-3.41"),
    high_24h=Decimal("0.0104"),
    low_24h=Decimal("0.01"),
    volume_24h=Decimal("1234567.8"),
    as_of=NOW,
    state=State.LIVE,
    confidence=Confidence.SINGLE,
    sources=1,
    seq=812349,
)


def refuse(number: str) -> NoReturn:
    raise AssertionError(f"{number} is a JSON number with a fraction or exponent")


def read(body: bytes) -> Any:
    """JSON whose numbers are all integers."""
    return json.loads(body, parse_float=refuse, parse_constant=refuse)
