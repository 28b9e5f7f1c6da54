"""The recorder: what enters a candle and what a reader sees."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.clocks import StillClock
from ticker.history import Options, Recorder, Saved, Store, opening
from ticker.model import Candle, Quote, State

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
NOON = 1_789_992_000_000  # 2026-09-21T12:00:00Z
FOREVER = 1 << 50
MEMORY = Options(path=None)


def quote(
    price: str | None = "1", at: int | None = NOON, asset: str = "talus", currency: str = "USD",
    state: State = State.LIVE, seq: int = 1,
) -> Quote:  # fmt: skip
    value = None if price is None else Decimal(price)
    return Quote(
        asset=asset, symbol="US", name="Talus", currency=currency, price=value, as_of=at, state=state, seq=seq
    )


def candle(start: int, *prices: str, currency: str = "USD") -> Candle:
    seen = [Decimal(price) for price in prices]
    return Candle("talus", currency, 60, start, seen[0], max(seen), min(seen), seen[-1])


def recording(store: Store, clock: StillClock | None = None, saved: Saved | None = None) -> Recorder:
    return Recorder(store, clock or StillClock(NOON), MEMORY, epoch="k3f9", saved=saved or Saved())


async def minutes(recorder: Recorder, currency: str = "USD") -> list[Candle]:
    return await recorder.candles("talus", currency, 60, 0, FOREVER, 10_000)


@pytest.mark.parametrize("state", [State.LIVE, State.DELAYED])
async def test_reader_sees_the_open_minute_before_and_after_a_write(state: State) -> None:
    async with opening(MEMORY, StillClock(NOON)) as store:
        recorder = recording(store)
        for price in ("2", "5", "1", "3"):
            recorder.record(quote(price, state=state))
        assert await minutes(recorder) == [candle(NOON, "2", "5", "1", "3")]
        await recorder.flush()
        assert await minutes(recorder) == [candle(NOON, "2", "5", "1", "3")]
        recorder.record(quote("9", state=state))
        assert await minutes(recorder) == [candle(NOON, "2", "5", "1", "3", "9")]


@pytest.mark.parametrize("state", [State.STALE, State.HELD, State.DISPUTED, State.UNAVAILABLE])
async def test_price_that_does_not_count_is_saved_as_quote_but_enters_no_candle(state: State) -> None:
    async with opening(MEMORY, StillClock(NOON)) as store:
        recorder = recording(store)
        recorder.record(quote("67894269.22", state=state))
        await recorder.flush()
        assert await minutes(recorder) == []
        assert (await store.load()).quotes == (quote("67894269.22", state=state),)


@pytest.mark.parametrize("unknown", [quote(price=None), quote(at=None)], ids=["price", "time"])
async def test_quote_without_price_or_time_enters_no_candle(unknown: Quote) -> None:
    async with opening(MEMORY, StillClock(NOON)) as store:
        recorder = recording(store)
        recorder.record(unknown)
        assert await minutes(recorder) == []


async def test_candle_is_of_the_quotes_own_minute_not_of_the_clocks() -> None:
    async with opening(MEMORY, StillClock(NOON)) as store:
        recorder = recording(store)
        recorder.record(quote("1", NOON - 1))
        recorder.record(quote("2", NOON))
        recorder.record(quote("3", NOON + 59_999))
        assert await minutes(recorder) == [candle(NOON - MINUTE_MS, "1"), candle(NOON, "2", "3")]


async def test_currencies_of_an_asset_never_share_a_candle() -> None:
    async with opening(MEMORY, StillClock(NOON)) as store:
        recorder = recording(store)
        recorder.record(quote("1"))
        recorder.record(quote("150", currency="JPY"))
        assert await minutes(recorder) == [candle(NOON, "1")]
        assert await minutes(recorder, "JPY") == [candle(NOON, "150", currency="JPY")]


async def test_closed_minute_never_changes_and_late_quotes_are_counted() -> None:
    async with opening(MEMORY, StillClock(NOON)) as store:
        recorder = recording(store)
        recorder.record(quote("1", NOON - MINUTE_MS))
        recorder.record(quote("2", NOON))
        recorder.record(quote("9", NOON - 1))
        assert await minutes(recorder) == [candle(NOON - MINUTE_MS, "1"), candle(NOON, "2")]
        assert recorder.misdated == 1


async def test_quote_from_the_future_is_counted_and_shuts_nothing_out() -> None:
    async with opening(MEMORY, StillClock(NOON)) as store:
        recorder = recording(store)
        recorder.record(quote("9", NOON + DAY_MS))
        recorder.record(quote("1", NOON))
        assert await minutes(recorder) == [candle(NOON, "1")]
        assert recorder.misdated == 1


async def test_restart_within_a_minute_goes_on_with_its_candle() -> None:
    async with opening(MEMORY, StillClock(NOON)) as store:
        first = recording(store)
        first.record(quote("5", seq=41))
        await first.flush()
        second = recording(store, saved=await store.load())
        assert second.seq == 41
        second.record(quote("1", seq=42))
        assert await minutes(second) == [candle(NOON, "5", "1")]


async def test_candle_saved_under_a_clock_that_ran_ahead_shuts_nothing_out() -> None:
    async with opening(MEMORY, StillClock(NOON)) as store:
        recorder = recording(store, saved=Saved(candles=(candle(NOON + DAY_MS, "9"),)))
        recorder.record(quote("1"))
        assert await minutes(recorder) == [candle(NOON, "1")]


async def test_minutes_roll_up_to_whole_spans_and_the_newest_win() -> None:
    clock = StillClock(NOON)
    clock.time = NOON + HOUR_MS
    async with opening(MEMORY, clock) as store:
        recorder = recording(store, clock)
        for n in range(20):
            recorder.record(quote(str(n + 1), NOON + n * MINUTE_MS))
            if n == 12:
                await recorder.flush()
        found = await recorder.candles("talus", "USD", 300, NOON + 1, NOON + 16 * MINUTE_MS, 2)
        assert [(c.interval, c.start - NOON, str(c.open), str(c.close)) for c in found] == [
            (300, 10 * MINUTE_MS, "11", "15"),
            (300, 15 * MINUTE_MS, "16", "20"),
        ]
        assert len(await recorder.candles("talus", "USD", 300, NOON + 1, NOON + HOUR_MS, 99)) == 3


@pytest.mark.parametrize(("interval", "limit"), [(0, 1), (-60, 1), (90, 1), (60, 0)])
async def test_interval_that_is_no_number_of_minutes_is_refused(interval: int, limit: int) -> None:
    async with opening(MEMORY, StillClock(NOON)) as store:
        recorder = recording(store)
        with pytest.raises(ValueError, match="no candles of"):
            await recorder.candles("talus", "USD", interval, 0, FOREVER, limit)


steps = st.tuples(
    st.integers(-1, 3),  # minutes that pass
    st.decimals(min_value=Decimal("0.00000001"), max_value=Decimal(100000), places=8),
    st.sampled_from(["go on", "go on", "write", "restart"]),
)


@given(st.lists(steps, max_size=25))
@settings(max_examples=60, deadline=None)
def test_candles_are_the_same_whenever_writes_and_restarts_fall(walk: list[tuple[int, Decimal, str]]) -> None:
    expected: dict[int, list[str]] = {}

    async def recorded() -> list[Candle]:
        clock = StillClock(NOON)
        clock.time = NOON + DAY_MS
        async with opening(MEMORY, clock) as store:
            recorder, at = recording(store, clock), NOON
            for passed, price, then in walk:
                at += passed * MINUTE_MS
                if at >= max(expected, default=0):
                    expected.setdefault(at, []).append(str(price))
                recorder.record(quote(str(price), at))
                if then != "go on":
                    await recorder.flush()
                if then == "restart":
                    recorder = recording(store, clock, await store.load())
            return await minutes(recorder)

    assert asyncio.run(recorded()) == [candle(start, *prices) for start, prices in expected.items()]
