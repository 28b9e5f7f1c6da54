"""The hosted pages behind a real server, for the tests of the pages."""

from __future__ import annotations

import re
from collections import Counter
from contextlib import AsyncExitStack
from decimal import Decimal
from html import unescape

import pytest

from tests.boards import Board, served
from tests.clocks import StillClock
from ticker.errors import HistoryError
from ticker.model import Asset, Candle, Confidence, Pair

SEVERAL = (
    Asset("talus", "US", "Talus", (Pair("mexc", "USUSDT", "US", "USDT"),)),
    Asset("bitcoin", "BTC", "Bitcoin"),
    Asset("bitcoin-cash", "BCH", "Bitcoin Cash"),
    Asset("coinyé", "YE", "Coinyé"),
    Asset("quiet", "QT", "Quiet"),
)


class Past:
    """A price that rose by one each step, for as long as was asked, or only for `days`."""

    def __init__(self, days: float = 1000) -> None:
        self.asked: Counter[str] = Counter()
        self.days = days
        self.broken = False

    async def candles(self, asset, currency, interval, start, end, limit):
        if self.broken:
            raise HistoryError("the disk is full")
        self.asked[asset] += 1
        step = interval * 1000
        first = max(start, end - int(self.days * 86_400_000))
        starts = range(first + -first % step, end, step)
        return [
            Candle(
                asset, currency, interval, at, Decimal(n + 1), Decimal(n + 2), Decimal(n + 1), Decimal(n + 2)
            )
            for n, at in enumerate(starts)
        ]


class Site:
    def __init__(self, session, board, clock, past):
        self.session, self.board, self.clock, self.past = session, board, clock, past

    async def get(self, path, status=200, **headers):
        async with self.session.get(path, headers={"Accept": "text/html", **headers}) as answer:
            text = await answer.text()
            assert answer.status == status, text
            return answer, text


@pytest.fixture
async def open_site():
    async with AsyncExitStack() as last:

        async def opens(board, past=None, public=None):
            clock, past = StillClock(), past or Past()
            session = await last.enter_async_context(served(board, clock, public_url=public, past=past))
            return Site(session, board, clock, past)

        yield opens


def several() -> Board:
    board = Board(SEVERAL)
    board.set("talus", "0.01021", "0.19", volume_24h=Decimal(451000), high_24h=Decimal("0.011"))
    board.set("talus", low_24h=Decimal("0.010"), confidence=Confidence.SINGLE)
    board.set("bitcoin", "73384.8", "-1.43", market_cap=Decimal("1.46e12"))
    board.set("bitcoin-cash", "482.64", "0.48", market_cap=Decimal("9.6e9"))
    board.set("coinyé", "0.000008412", "4.1")
    return board


def crowd(number: int) -> Board:
    board = Board([Asset(f"asset-{n}", f"A{n}", f"Asset number {n}") for n in range(number)])
    for n in range(number):
        board.set(f"asset-{n}", f"{n + 1}.5", "1.25", volume_24h=Decimal(1000 * n), market_cap=Decimal(n))
    return board


def rows(html):
    return re.findall(r'<tr data-price-ticker="([^"]+)"', html)


def said(html):
    html = re.sub(r"<(style|svg|script).*?</\1>", "", html, flags=re.DOTALL)
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html)))


def meta(html, name):
    found = re.search(rf'<meta (?:name|property)="{name}" content="([^"]*)"', html)
    return found and unescape(found[1])
