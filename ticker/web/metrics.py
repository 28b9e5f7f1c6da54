"""What an operator watches, for Prometheus: on an address of its own, which readers never see.

Everything is read from plain numbers when it is asked for; nothing is counted here.
https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Annotated, Protocol

from aiohttp import web
from msgspec import Meta, Struct
from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from ticker.book import QuoteBook
from ticker.clock import Clock
from ticker.feed.counters import BUCKETS, Counters
from ticker.model import SourceHealth
from ticker.poller import SourceStatus


class Options(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Metrics for the operator's own eyes."""

    listen: Annotated[
        str | None,
        Meta(description="Address and port of /metrics for Prometheus, such as 127.0.0.1:9464; unset: none."),
    ] = None


class Delivery(Protocol):
    """What is read of the feed."""

    counters: Counters

    def __len__(self) -> int: ...

    @property
    def lagging(self) -> int: ...

    @property
    def cohorts(self) -> int: ...


class Metrics(Collector):
    """One scrape: every figure as it is at that moment."""

    def __init__(
        self,
        feed: Delivery,
        book: QuoteBook,
        statuses: Callable[[], Sequence[SourceStatus]],
        clock: Clock,
    ) -> None:
        self._feed = feed
        self._book = book
        self._statuses = statuses
        self._clock = clock

    def collect(self) -> Iterator[Metric]:
        counters = self._feed.counters
        yield _gauge("ticker_feed_sessions", "Open sessions.", len(self._feed))
        yield _gauge("ticker_feed_cohorts", "Groups of sessions that share their frames.", self._feed.cohorts)
        yield _gauge("ticker_feed_lagging_sessions", "Sessions that don't keep up.", self._feed.lagging)
        yield _counter("ticker_feed_opened_sessions", "Sessions since the start.", counters.opened)
        yield _counter("ticker_feed_frames", "Update frames written.", counters.frames)
        yield _counter("ticker_feed_bytes", "Bytes of update frames written.", counters.bytes)
        yield _counter("ticker_feed_skipped_frames", "Frames that lagging sessions missed.", counters.skipped)
        yield _counted("ticker_feed_resyncs", "Snapshots in mid-session.", "reason", counters.resyncs)
        yield _counted("ticker_feed_closes", "Sessions ended, by close code.", "code", counters.closes)
        yield _counted("ticker_feed_refused", "Handshakes refused.", "reason", counters.refused)
        yield self._latency()
        yield _gauge("ticker_book_seq", "Version of the book.", self._book.seq)
        states = Counter(quote.state.value for quote in self._book.quotes())
        yield _labelled("ticker_assets", "Assets, by the state of their price.", "state", states)
        yield from self._sources()

    def _latency(self) -> Metric:
        durations = self._feed.counters.latency
        bounds = [*(str(bound) for bound in BUCKETS), "+Inf"]
        buckets = list(zip(bounds, accumulate(durations.counts), strict=True))
        name = "ticker_feed_tick_to_last_write_seconds"
        help_text = "From a change to the write to its cohort's last reader, the interval's wait included."
        return HistogramMetricFamily(name, help_text, buckets=buckets, sum_value=durations.sum)

    def _sources(self) -> Iterator[Metric]:
        now, statuses = self._clock.now(), self._statuses()
        up = {status.source: status.health is SourceHealth.UP for status in statuses}
        yield _labelled("ticker_source_up", "Whether a source answers.", "source", up)
        ages = {s.source: (now - s.last_answer) / 1000 for s in statuses if s.last_answer is not None}
        yield _labelled("ticker_source_age_seconds", "Since a source's last price.", "source", ages)
        spent = {status.source: status.budget.used for status in statuses}
        yield _labelled("ticker_source_budget_used", "Weight spent in the window.", "source", spent)
        limits = {status.source: status.budget.limit for status in statuses}
        yield _labelled("ticker_source_budget_limit", "Weight the window holds.", "source", limits)


def _gauge(name: str, help_text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, help_text, value)


def _counter(name: str, help_text: str, value: float) -> Metric:
    return CounterMetricFamily(name, help_text, value)


def _counted(name: str, help_text: str, label: str, values: Mapping[str, int] | Mapping[int, int]) -> Metric:
    family = CounterMetricFamily(name, help_text, labels=[label])
    for key, value in values.items():
        family.add_metric([str(key)], value)
    return family


def _labelled(name: str, help_text: str, label: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(name, help_text, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family


def route(metrics: Metrics) -> web.RouteDef:
    """`/metrics`, with the process's own figures beside ours."""
    registry = CollectorRegistry()
    registry.register(metrics)
    ProcessCollector(registry=registry)

    async def scrape(_: web.Request) -> web.Response:
        return web.Response(body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    return web.get("/metrics", scrape)
