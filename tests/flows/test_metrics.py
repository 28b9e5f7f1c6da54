"""What an operator sees: figures that agree with what readers got, on an address that readers don't have."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from tests.flows.conftest import HandClock, Stand, standing
from ticker.market import Fault
from ticker.web.metrics import Options

HERE = Options(listen="127.0.0.1:0")


async def figures(stand: Stand) -> dict[str, float]:
    """Each sample by its name and labels, as in `name{code="4200"}`."""
    async with stand.http.get(f"{stand.service.metrics_url}/metrics") as response:
        assert response.status == 200
        assert response.headers["Content-Type"].startswith("text/plain")
        text = (await response.read()).decode()
    found = {}
    for family in text_string_to_metric_families(text):
        assert family.documentation
        for sample in family.samples:
            labels = ",".join(f'{name}="{value}"' for name, value in sample.labels.items())
            found[sample.name + (f"{{{labels}}}" if labels else "")] = sample.value
    return found


async def test_they_agree_with_what_readers_got(clock: HandClock) -> None:
    async with standing(clock, metrics=HERE) as stand:
        async with stand.reading("assets=talus") as one, stand.reading("assets=talus") as other:
            for reader in (one, other):
                await reader.message("snapshot")
            frames = 0
            for _ in range(3):
                await stand.tick()
                for reader in (one, other):
                    frames += 1
                    await reader.message("update")
            now = await figures(stand)
            assert (now["ticker_feed_sessions"], now["ticker_feed_cohorts"]) == (2, 1)
            assert now["ticker_feed_frames_total"] == frames
            assert now["ticker_feed_bytes_total"] > 250 * frames
            assert now["ticker_feed_tick_to_last_write_seconds_count"] == frames / 2
            assert now["ticker_feed_lagging_sessions"] == now["ticker_feed_skipped_frames_total"] == 0
            assert now["ticker_book_seq"] == stand.service.book.seq
            assert now['ticker_assets{state="live"}'] == 3
            await one.ask("snapshot", op="resync", id=1)
            assert (await figures(stand))['ticker_feed_resyncs_total{reason="asked"}'] == 1
        async with stand.reading("assets=nope") as refused:
            assert refused.status == 404
        after = await figures(stand)
        assert (after["ticker_feed_sessions"], after["ticker_feed_opened_sessions_total"]) == (0, 2)
        assert after['ticker_feed_closes_total{code="1000"}'] == 2
        assert after['ticker_feed_refused_total{reason="unknown_asset"}'] == 1


async def test_a_source_that_fails_grows_old(clock: HandClock) -> None:
    async with standing(clock, metrics=HERE) as stand:
        well = await figures(stand)
        assert well['ticker_source_up{source="mexc"}'] == 1
        assert (
            0
            < well['ticker_source_budget_used{source="mexc"}']
            <= well['ticker_source_budget_limit{source="mexc"}']
        )
        stand.market.fail("mexc", Fault.closed())
        await stand.tick()
        ill = await figures(stand)
        assert ill['ticker_source_up{source="mexc"}'] == 0
        assert (
            ill['ticker_source_age_seconds{source="mexc"}'] > well['ticker_source_age_seconds{source="mexc"}']
        )
        assert ill['ticker_source_up{source="binance"}'] == 1


async def test_readers_have_no_such_address(clock: HandClock) -> None:
    async with standing(clock, metrics=HERE) as stand:
        assert (await stand.get("/metrics"))[0].status == 404
        async with stand.http.get(f"{stand.service.metrics_url}/v1/quotes") as response:
            assert response.status == 404
    async with standing(HandClock()) as stand:
        assert stand.service.metrics_url is None
