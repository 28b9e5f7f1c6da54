"""When what was rendered is still true, and when it is rendered anew."""

from __future__ import annotations

from typing import Any

import pytest

from tests.boards import Board
from tests.clocks import StillClock
from ticker.errors import RequestError
from ticker.model import Asset, Candle, State
from widgets.embed import STATIC
from widgets.kinds import KINDS, Need
from widgets.rendering import MANY, MANY_MS, Rendering


class Store:
    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []

    async def candles(self, *asked: Any) -> list[Candle]:
        self.asked.append(asked)
        return []


@pytest.fixture
def board() -> Board:
    board = Board()
    board.set("talus", "0.01021")
    return board


@pytest.fixture
def rendering(board: Board) -> Rendering:
    return Rendering(board, StillClock(), Store())


def test_options_that_mean_the_same_have_one_key(rendering):
    plain = rendering.read("quote", {"asset": "talus"})
    said = {"asset": "talus", "theme": "auto", "currency": "usd", "locale": "en-US", "utm_source": "x"}
    assert rendering.read("quote", said).key == plain.key == "quote?asset=talus"
    assert rendering.read("quote", said | {"theme": "dark"}).key != plain.key


def test_a_live_price_stays_rendered_however_long_until_it_changes(rendering, board):
    asked = rendering.read("quote", {"asset": "talus"})
    before = rendering.stamp(asked)
    rendering.clock.time += 3_600_000
    board.set("quiet", state=State.UNAVAILABLE)
    assert rendering.stamp(asked) == before
    board.set("talus", "0.01022")
    assert rendering.stamp(asked) != before


def test_many_prices_are_looked_at_once_a_second():
    board = Board([Asset(f"a{at}", f"A{at}", "A") for at in range(MANY + 1)])
    rendering = Rendering(board, StillClock())
    asked = rendering.read("table", {"rows": "5", "sort": "-price"})
    assert len(asked.ids) == MANY + 1
    before = rendering.stamp(asked)
    board.set("a7", "5")
    rendering.clock.time += MANY_MS - 1
    assert rendering.stamp(asked) == before
    rendering.clock.time += 1
    assert rendering.stamp(asked) != before


@pytest.mark.parametrize("state", [State.STALE, State.DELAYED, State.HELD, State.DISPUTED])
def test_an_old_price_is_rendered_anew_each_second_for_its_age(rendering, board, state):
    board.set("talus", state=state)
    asked = rendering.read("quote", {"asset": "talus"})
    before = rendering.stamp(asked)
    rendering.clock.time += 800
    assert rendering.stamp(asked) == before
    rendering.clock.time += 1000
    assert rendering.stamp(asked) != before


def test_without_a_price_there_is_no_age_to_renew(rendering):
    asked = rendering.read("quote", {"asset": "quiet"})
    before = rendering.stamp(asked)
    rendering.clock.time += 3_600_000
    assert rendering.stamp(asked) == before


def test_a_converted_price_follows_its_rate(rendering):
    asked = rendering.read("quote", {"asset": "talus", "currency": "EUR"})
    before = rendering.stamp(asked)
    rendering.clock.time += 5000
    assert rendering.stamp(asked) != before


@pytest.mark.parametrize(
    ("name", "query", "code"),
    [
        ("clock", {"asset": "talus"}, "unknown_kind"),
        ("quote", {"asset": "nobody"}, "unknown_asset"),
        ("quote", {"asset": "talus", "currency": "XYZ"}, "unknown_currency"),
        ("quote", {"asset": "talus", "locale": "tlh"}, "bad_option"),
        ("quote", {"asset": "talus", "link": "javascript:alert(1)"}, "bad_option"),
        ("quote", {"asset": "talus", "link": "//evil.example"}, "bad_option"),
        ("quote", {"asset": "talus", "size": "huge"}, "bad_option"),
    ],
)
def test_what_there_is_not_is_refused_by_name(rendering, name, query, code):
    with pytest.raises(RequestError) as caught:
        rendering.read(name, query)
    assert caught.value.code == code


async def test_a_crowd_of_charts_asks_the_store_once_in_a_while(rendering):
    need = Need("talus", 300, 86400)
    for _ in range(3):
        assert await rendering.candles(need) == []
    assert len(rendering._past.asked) == 1
    rendering.clock.time += 60_000
    await rendering.candles(need)
    end = rendering.clock.time + 1
    assert rendering._past.asked[1] == ("talus", "USD", 300, end - 1 - 86_400_000, end, 290)


def test_every_kind_has_its_files_and_says_what_it_is():
    for name, kind in KINDS.items():
        assert kind.name == name
        assert kind.says.endswith(".")
        assert (STATIC / f"kinds/{name}.css").exists()
        for form in ("html", "svg"):
            assert (STATIC.parent / f"templates/kinds/{name}.{form}").exists()
