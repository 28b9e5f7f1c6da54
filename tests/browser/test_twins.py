"""format.py and the scripts' format.js write the same text."""

from __future__ import annotations

import random
from decimal import Decimal

import pytest

from widgets import format as write

pytestmark = pytest.mark.browser

CURRENCIES = (*write.SIGNS, "USDT", "CHF")
EDGES = (
    "0", "0.00", "1", "1.0", "0.99994", "0.99995", "0.99996", "9.99995", "99.99995", "999.99994", "999.99995",
    "1000", "999999.995", "0.00001", "0.000009999", "0.0000099996", "0.00000999949", "0.1", "0.099995", "1.5",
    "1.00005", "0.5", "850867136053.72", "999994", "999995", "999999", "999999999", "1e-18",
    "12345678901234567890.12345",
)  # fmt: skip
STATES = ("live", "delayed", "stale", "held", "disputed", "unavailable")


def values():
    """Edges, and numbers of every size whose digits are often nines, where rounding carries."""
    rng = random.Random(7)
    for edge in EDGES:
        yield f"{Decimal(edge):f}"
    for _ in range(4000):
        digits = "".join(rng.choices("0123456789" + "9" * rng.choice((0, 20)), k=rng.randint(1, 14)))
        yield f"{Decimal(int(digits)).scaleb(rng.randint(-16, 3)):f}"


async def test_every_text_is_the_same_in_python_and_in_the_browser(site, page):
    rng = random.Random(11)
    moments = [(rng.randint(0, 2_000_000_000_000), rng.randint(-10_000, 10**9)) for _ in range(500)]
    cases = [(value, rng.choice(CURRENCIES)) for value in values()]
    times = [(STATES[index % 6], at, at + later) for index, (at, later) in enumerate(moments)]
    await page.goto(f"{site.url}/favicon.svg")
    theirs = await page.evaluate(
        """async ([cases, times]) => {
          const { price, percent, status, iso } = await import("/static/format.js");
          const { compact } = await import("/static/amount.js");
          const row = (value, currency) => {
            const seen = price(value, currency), up = percent(value), down = percent("-" + value);
            const below = price(/[1-9]/.test(value) ? "-" + value : value, currency);
            return [seen.text, seen.head, seen.zeros, seen.tail, below.text,
              up.text, up.arrow, up.word, up.direction, down.text, down.direction, compact(value, currency)];
          };
          return [cases.map(([value, currency]) => row(value, currency)),
            times.map(([state, at, now]) => [status(state, at, now), iso(at)]),
            [price(null, "USD").text, price(null, "USD").head, percent(null).word, compact(null, "USD"),
              status("live", null, 0)]];
        }""",
        [cases, times],
    )
    ours = [
        [row(value, currency) for value, currency in cases],
        [[write.status(state, at, now), write.iso(at)] for state, at, now in times],
        [*write.price(None, "USD")[:2], write.percent(None).word, "—", write.status("live", None, 0)],
    ]
    differing = [pair for pair in zip(cases, ours[0], theirs[0], strict=True) if pair[1] != pair[2]]
    assert not differing[:5]
    assert ours[1:] == theirs[1:]


def row(text, currency):
    value = Decimal(text)
    up, down = write.percent(value), write.percent(-value)
    seen = [*write.price(value, currency), write.price(-value, currency).text]
    return [*seen, *up, down.text, down.direction, write.compact(value, currency)]
