"""The chart as markup and as a picture: what is drawn, what is written about it, and what is not claimed."""

from __future__ import annotations

import re
from decimal import Decimal
from html import unescape

import pytest

from tests.boards import Board
from tests.clocks import NOW, StillClock
from ticker.model import Candle, State
from widgets.kinds import KINDS, Need
from widgets.rendering import Rendering

SECONDS = NOW // 1000
NEWEST = SECONDS - SECONDS % 300
PATH = re.compile(r'class="line" d="([^"]*)"')


def candle(
    age: int, opened: str, close: str, *, interval: int = 300, low: str = "", high: str = ""
) -> Candle:
    """The candle that began so many intervals before the one that goes on."""
    start = (SECONDS - SECONDS % interval - age * interval) * 1000
    lowest, highest = sorted((Decimal(opened), Decimal(close)))
    low_, high_ = Decimal(low or lowest), Decimal(high or highest)
    return Candle("talus", "USD", interval, start, Decimal(opened), high_, low_, Decimal(close))


class Past:
    """Candles by their interval."""

    def __init__(self, *candles: Candle) -> None:
        self.all = candles
        self.asked: list[tuple[int, int]] = []

    async def candles(
        self, asset: str, currency: str, interval: int, start: int, end: int, limit: int
    ) -> list[Candle]:
        self.asked.append((interval, (end - start) // 1000))
        return [one for one in self.all if one.interval == interval and one.start >= start][-limit:]


DAY = [candle(3, "0.0100", "0.0101"), candle(2, "0.0101", "0.0099"), candle(1, "0.0099", "0.0102")]


def rendering(*candles: Candle, past: bool = True, price: str = "0.01021") -> Rendering:
    board = Board()
    if price:
        board.set("talus", price, "0.19")
    return Rendering(board, StillClock(), Past(*candles) if past else None)


async def html(made: Rendering, **query: str) -> str:
    asked = made.read("chart", {"asset": "talus", **query})
    return (await made.markup(asked, "..")).text


def visible(text: str) -> str:
    text = re.sub(r"<svg.*?</svg>|<table.*?</table>", "", text, flags=re.DOTALL)
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text)))


def said(text: str, name: str) -> str:
    (found,) = re.findall(f'data-{name}="([^"]*)"', text)
    return unescape(found)


async def test_chart_says_price_change_of_the_range_low_high_and_how_high_it_is():
    text = visible(await html(rendering(*DAY)))
    for part in ("Talus", "(US)", "$0.01021", "USD", "+2.10%", "1D", "14:13 UTC"):
        assert part in text
    assert "Low $0.009900 High $0.01021 ↕ 3.13%" in text


async def test_the_newest_price_is_the_end_of_the_line_and_of_what_can_be_read():
    text = await html(rendering(*DAY))
    start, step, slots, low, high = said(text, "plot").split()
    assert (int(start) + int(slots) * int(step), step, slots) == (NEWEST + 300, "300", "288")
    assert Decimal(low) < Decimal("0.0099")
    assert Decimal(high) > Decimal("0.01021")
    closes = said(text, "series").split("|")
    assert len(closes) == 288
    assert closes[-4:] == ["$0.01010", "$0.009900", "$0.01020", "$0.01021"]
    assert not any(closes[:-4])
    (line,) = PATH.findall(text)
    assert re.fullmatch(r"M284 \d+l(1-?[\d ]+)+L287\.\d \d+", line)


async def test_a_price_after_a_time_without_any_is_not_joined_to_the_line():
    gone = [candle(50, "0.01", "0.0101"), candle(49, "0.0101", "0.0099")]
    (line,) = PATH.findall(await html(rendering(*gone)))
    assert re.fullmatch(r"M237 \d+l1[ \d-]+L239 \d+M287 (\d+)L287\.\d \1", line)


async def test_an_older_price_than_the_last_candle_changes_nothing():
    made = rendering(*DAY)
    made.board.set("talus", "0.02", state=State.STALE, as_of=NOW - 3_600_000)
    assert said(await html(made), "series").endswith("|$0.01020|")


async def test_without_history_it_says_so_and_keeps_the_price():
    for made in (rendering(), rendering(past=False)):
        text = await html(made)
        assert "No history yet" in text
        assert "$0.01021" in visible(text)
        assert "data-plot" not in text


async def test_without_a_price_the_past_is_still_there():
    made = rendering(*DAY, price="")
    text = await html(made)
    assert "unavailable" in visible(text)
    assert said(text, "series").endswith("|$0.01020|")


async def test_candles_are_hollow_or_filled_and_the_last_is_by_itself():
    text = await html(rendering(*DAY, candle(0, "0.0102", "0.0101")), type="candles")
    assert (
        len(re.search(r'class="rose" d="([^"]*)"', text)[1].split("z")) - 1 == 1
    )  # a quarter of an hour each
    assert 'class="last rose"' in text
    opened, high, low, close = said(text, "series").split("~")
    last = [column.split("|")[-2] for column in (opened, high, low, close)]
    assert last == ["$0.01000", "$0.01010", "$0.01000", "$0.01010"]
    assert said(text, "last") == "0.0101 0.01021 0.0099"


@pytest.mark.parametrize(
    ("query", "asked"),
    [
        ({}, [(300, 86_400)]),
        ({"range": "7D", "type": "candles"}, [(3600, 604_800)]),
        ({"range": "1M"}, [(10_800, 2_592_000)]),
        ({"range": "1Y"}, [(86_400, 31_536_000)]),
        ({"range": "Max"}, [(86_400, 946_080_000), (3600, 1_036_800)]),
    ],
)
async def test_each_range_asks_for_few_candles_and_both_types_for_the_same(query, asked):
    made = rendering()
    await html(made, **query)
    assert [(interval, round(span)) for interval, span in made._past.asked] == asked


async def test_all_there_is_of_a_young_asset_is_shown_by_the_hour():
    hours = [candle(age, "1", "1.1", interval=3600) for age in (3, 2, 1)]
    text = await html(rendering(candle(0, "1", "1.1", interval=86_400), *hours), range="Max")
    assert said(text, "plot").split()[1] == "3600"


async def test_all_there_is_of_an_old_asset_is_at_most_three_hundred_steps():
    days = [candle(age, "1", "1.1", interval=86_400) for age in range(2000, 0, -1)]
    text = await html(rendering(*days), range="Max")
    assert int(said(text, "plot").split()[2]) <= 301


async def test_ranges_and_types_are_links_that_keep_the_other_options():
    text = unescape(await html(rendering(*DAY), theme="dark", type="candles", form="fragment"))
    assert '<a data-go href="?asset=talus&range=7D&theme=dark&type=candles">7D</a>' in text
    assert '<a data-go href="?asset=talus&theme=dark&type=candles" aria-current="true">1D</a>' in text
    assert '<a data-go href="?asset=talus&theme=dark">' in text


async def test_candles_are_labelled_in_their_own_currency():
    text = await html(rendering(*DAY), currency="EUR")
    assert "€0.005105" in visible(text)
    assert re.search(r"↕ [\d.]+% USD", visible(text))
    assert said(text, "unit") == "USD"
    assert "$0.0102" in re.search(r'<svg class="levels".*?</svg>', text)[0]


async def test_tiny_prices_count_their_zeros_at_the_axis_with_the_same_decimals():
    tiny = [candle(2, "0.0000081", "0.0000088"), candle(1, "0.0000088", "0.0000094")]
    text = await html(rendering(*tiny, price="0.0000092"))
    axis = re.search(r'<svg class="levels".*?</svg>', text)[0]
    labels = re.findall(r'>\$0\.0<tspan class="sub" dy="3">5</tspan><tspan dy="-3">(\d+)<', axis)
    assert len(labels) >= 3
    assert {len(label) for label in labels} == {2}
    assert said(text, "series").endswith("|$0.0₅8800|$0.0₅9400|$0.0₅9200")
    plain = await html(rendering(*tiny, price="0.0000092"), notation="plain")
    assert said(plain, "series").endswith("|$0.000009200")


async def test_screen_readers_get_a_summary_and_a_short_table():
    text = unescape(await html(rendering(*DAY)))
    assert 'aria-label="Talus (US) price chart, 1D: +2.10%, Low $0.009900, High $0.01021"' in text
    rows = re.findall(r'<tr><th scope="row">(.*?)</th><td>(.*?)</td><td>(.*?)</td><td>(.*?)</td>', text)
    assert rows[0] == ("Sep 21 13:55", "$0.01000", "$0.01010", "$0.01010")
    assert len(rows) == 4
    long = [candle(age, "1", "1.1") for age in range(280, 0, -1)]
    assert (await html(rendering(*long))).count('scope="row"') <= 24


@pytest.mark.parametrize("size", ["small", "medium", "large"])
@pytest.mark.parametrize("style", ["line", "candles"])
async def test_the_picture_is_drawn_inside_its_size(size, style):
    made = rendering(*DAY)
    asked = made.read("chart", {"asset": "talus", "size": size, "type": style})
    drawn = (await made.picture(asked)).text
    wide, high, fluid = KINDS["chart"].size(asked.options)
    assert fluid
    assert f'viewBox="0 0 {wide} {high}"' in drawn
    assert "$0.01021" in drawn
    assert "<title" in drawn
    assert "var(" not in drawn
    xs = [float(x) for x in re.findall(r' x="([\d.]+)"', drawn)]
    assert max(xs) <= wide


async def test_a_picture_without_history_says_so():
    made = rendering()
    drawn = (await made.picture(made.read("chart", {"asset": "talus"}))).text
    assert "No history yet" in drawn


async def test_needs_are_named_by_the_asset():
    made = rendering()
    asked = made.read("chart", {"asset": "talus"})
    assert asked.kind.needs(made.board, asked.options) == (Need("talus", 300, 86_400),)


async def test_a_demo_says_so_and_hostile_names_are_text():
    made = rendering()
    made.board.set("evil", "1.5", demo=True)
    text = await html(made, asset="evil")
    assert "<img" not in text
    assert "Demo" in visible(text)
    assert "data-demo" in text
