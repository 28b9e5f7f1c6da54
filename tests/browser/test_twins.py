"""format.py and the scripts' format.js write the same text in every locale, and so does Intl."""

from __future__ import annotations

import json
import random
import re
from decimal import Decimal

import pytest

from widgets import format as write
from widgets.locales import TAGS, find, money

pytestmark = pytest.mark.browser

CURRENCIES = ("USD", "EUR", "JPY", "KRW", "GBP", "INR", "BRL", "BTC", "USDT", "CHF")
EDGES = (
    "0", "0.00", "1", "1.0", "0.99994", "0.99995", "0.99996", "9.99995", "99.99995", "999.99994", "999.99995",
    "1000", "999999.995", "0.00001", "0.000009999", "0.0000099996", "0.00000999949", "0.1", "0.099995", "1.5",
    "1.00005", "0.5", "850867136053.72", "999994", "999995", "999999", "999999999", "1e-18",
    "12345678901234567890.12345", "0.01021", "0.000000001234", "67432.1", "10123456", "1234.5",
)  # fmt: skip
IN_EVERY_LOCALE = [f"{Decimal(edge):f}" for edge in EDGES]
PRICES = ("0.01021", "0.000000001234", "67432.1", "10123456", "0")
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
    cases = [(value, rng.choice(CURRENCIES), "en") for value in values()]
    cases += [(value, code, tag) for tag in TAGS for code in CURRENCIES for value in IN_EVERY_LOCALE]
    moments = [(rng.randint(0, 2_000_000_000_000), rng.randint(-10_000, 10**9)) for _ in range(500)]
    times = [
        (STATES[index % 6], at, at + later, TAGS[index // 6 % len(TAGS)])
        for index, (at, later) in enumerate(moments)
    ]
    notations, plains = (
        {tag: {code: write.notation(code, find(tag), plain=plain) for code in CURRENCIES} for tag in TAGS}
        for plain in (False, True)
    )
    await page.goto(f"{site.url}/favicon.svg")
    theirs = await page.evaluate(
        """async ([cases, times, notations, plains]) => {
          const { price, percent, status, moment, word } = await import("/static/format.js");
          const { compact } = await import("/static/amount.js");
          const row = (value, currency, tag) => {
            const how = notations[tag][currency], minus = /[1-9]/.test(value) ? "-" + value : value;
            const [text, head = "", zeros = "", tail = ""] = price(value, currency, how);
            return [text, head, zeros, tail, price(minus, currency, how)[0], ...percent(value, how),
              ...percent("-" + value, how), compact(value, currency, how),
              ...price(minus, currency, plains[tag][currency])];
          };
          const unknown = (how) =>
            [price(null, "USD", how), percent(null, how), status("live", null, 0, how)];
          return [cases.map((one) => row(...one)),
            times.map(([state, at, now, tag]) => [status(state, at, now, notations[tag].USD),
              moment(at, notations[tag].USD), word(state, notations[tag].USD)]),
            Object.values(notations).map(({ USD }) => unknown(USD)),
            compact(null, "USD", notations.en.USD)];
        }""",
        [cases, times, notations, plains],
    )
    ours = [row(*case) for case in cases]
    differing = [pair for pair in zip(cases, ours, theirs[0], strict=True) if pair[1] != pair[2]]
    assert not differing[:5]
    assert theirs[1:] == [[clock(*time) for time in times], [unknown(find(tag)) for tag in TAGS], "—"]


def row(text, currency, tag):
    value, locale = Decimal(text), find(tag)
    seen = [*write.price(value, currency, locale), write.price(-value, currency, locale).text]
    moved = [*write.percent(value, locale), *write.percent(-value, locale)]
    plain = write.price(-value, currency, locale, plain=True)
    assert plain[1:] == ("", "", "")
    return [*seen, *moved, write.compact(value, currency, locale), plain.text]


def clock(state, at, now, tag):
    locale = find(tag)
    return [write.status(state, at, now, locale), write.moment(at, locale), write.word(state, locale)]


def unknown(locale):
    lost = write.price(None, "USD", locale)
    return [[lost.text, lost.head], [*write.percent(None, locale)], write.status("live", None, 0, locale)]


@pytest.mark.parametrize("plain", [False, True])
async def test_browser_writes_the_prices_of_every_locale_as_the_server_does(site, page, plain):
    notations = [write.notation("USD", find(tag), plain=plain) for tag in TAGS]
    await page.goto(f"{site.url}/favicon.svg")
    theirs = await page.evaluate(
        """async ([prices, notations]) => {
          const { price } = await import("/static/format.js");
          return notations.map((how) => prices.map((value) => price(value, "USD", how)));
        }""",
        [PRICES, notations],
    )
    ours = [[write.price(Decimal(value), "USD", find(tag), plain=plain) for value in PRICES] for tag in TAGS]
    assert theirs == [[[*row] if row.head else [row.text] for row in rows] for rows in ours]
    assert [row.head != "" for row in ours[0]] == [False, not plain, False, False, False]


@pytest.mark.parametrize("notation", ["subscript", "plain"])
async def test_widgets_of_every_locale_show_the_price_as_the_server_writes_it(site, page, notation):
    """Each is a widget of its own, all in sight; what is seen and what is read aloud are compared."""
    await page.set_viewport_size({"width": 400, "height": 100 * len(TAGS)})
    more = f'asset="talus" notation="{notation}"'
    tickers = "".join(f'<price-ticker {more} locale="{tag}"></price-ticker>' for tag in TAGS)
    site.hosted["page"] = f'<!doctype html><script type="module" src="{site.url}/embed.js"></script>{tickers}'
    await page.goto(f"{site.url}/host/page")
    as_of = site.clock.now()
    await page.wait_for_function(SHOWN, arg=seen("0.01021", notation))
    await site.until(lambda: site.sockets)
    for value in (*PRICES[1:], PRICES[0]):
        await site.publish("talus", price=value, as_of=as_of)
        await page.wait_for_function(SHOWN, arg=seen(value, notation))


SHOWN = """(texts) => {
  const parts = [...document.querySelectorAll("price-ticker")].map((one) =>
    one.shadowRoot?.querySelector("[data-f=price]"));
  return JSON.stringify(parts.map((part) => part &&
    [...part.childNodes].filter((node) => node.textContent).map((node) => node.textContent))) === texts;
}"""


def seen(value, notation):
    plain = notation == "plain"
    prices = [write.price(Decimal(value), "USD", find(tag), plain=plain) for tag in TAGS]
    shown = [[one.head + one.zeros + one.tail, one.text] if one.head else [one.text] for one in prices]
    return json.dumps(shown, ensure_ascii=False, separators=(",", ":"))


async def test_days_hours_and_years_are_as_the_browsers_cldr_has_them(page):
    """But for those in which Babel's release of CLDR and Chromium's differ.

    Months alone are not: Babel can't be asked for the names that stand alone (see locales.dated). An hour may
    have a zero before it.
    """
    moments = [1_768_435_200_000 + turn * 2_703_725_000 for turn in range(12)]
    forms = [
        {"month": "short", "day": "numeric"},
        {"hour": "numeric", "minute": "2-digit", "hourCycle": "h23"},
        {"year": "numeric"},
    ]
    theirs = await page.evaluate(
        """([tags, moments, forms]) => tags.map((tag) => forms.map((form) => moments.map((at) =>
          new Intl.DateTimeFormat(tag, { ...form, calendar: "gregory", timeZone: "UTC" }).format(at))))""",
        [TAGS, moments, forms],
    )
    differing = {
        tag: (ours, said)
        for tag, columns in zip(TAGS, theirs, strict=True)
        for text, column in zip((write.day_month, write.clock, write.year), columns, strict=True)
        for at, said in zip(moments, column, strict=True)
        for ours in [text(at, find(tag))]
        if blankless(ours).lstrip("0۰০") != blankless(said).lstrip("0۰০")
    }
    assert differing.keys() <= {"bg", "pt-PT"}, differing


async def test_numbers_and_currencies_are_as_the_browsers_cldr_has_them(page):
    """Apart from the real minus, from codes, which stand beside the number with us, and from blanks: Persian
    has one after the currency's sign in Babel's release of CLDR and none in Chromium's."""
    numbers, codes = [Decimal("67432.1"), Decimal(10123456), Decimal("-1234.5")], CURRENCIES[:7]
    theirs = await page.evaluate(
        """([tags, codes, numbers]) => tags.map((tag) => [
          codes.map((currency) => numbers.map((number) =>
            new Intl.NumberFormat(tag, { style: "currency", currency }).format(number))),
          numbers.map((number) => new Intl.NumberFormat(tag,
            { style: "percent", signDisplay: "always", minimumFractionDigits: 2 }).format(number / 100))])""",
        [TAGS, codes, [float(number) for number in numbers]],
    )
    differing = []
    for tag, (amounts, percents) in zip(TAGS, theirs, strict=True):
        locale = find(tag)
        pairs = [
            (write.percent(number, locale).text, said)
            for number, said in zip(numbers[::2], percents[::2], strict=True)
        ]
        for code, row in zip(codes, amounts, strict=True):
            if money(locale, code).above != "#" and code not in write.WHOLE:
                written = [write.price(number, code, locale).text for number in numbers]
                pairs += zip(written, row, strict=True)
        differing += [(tag, *pair) for pair in pairs if blankless(pair[0]) != blankless(pair[1])]
    assert not differing


def blankless(text):
    return re.sub(r"\s", "", text).replace("-", "−")


@pytest.mark.parametrize("tag", ["de", "fa", "he"])
async def test_widget_goes_on_writing_as_the_server_began(site, page, tag):
    await page.goto(f"{site.url}/widgets/quote?asset=talus&locale={tag}")
    await site.until(lambda: site.sockets)
    shown = "[...document.querySelectorAll('[data-f]')].map((part) => [part.dataset.f, part.textContent])"
    before = await page.evaluate(shown)
    as_of = site.clock.now()
    await site.publish("talus", price="0.00000000999", as_of=as_of)
    full = write.price(Decimal("0.00000000999"), "USD", find(tag)).text
    await page.locator(".vh", has_text=full.strip("\u200e\u200f")).wait_for()
    await site.publish("talus", price="0.01021", as_of=as_of)
    text = write.price(Decimal("0.01021"), "USD", find(tag)).text
    await page.wait_for_function(
        "(text) => document.querySelector('[data-f=price]').textContent === text", arg=text
    )
    fields = [field for field in before if field[0] != "status"]
    assert [field for field in await page.evaluate(shown) if field[0] != "status"] == fields
    assert await page.evaluate("document.querySelector('.pt').dir") == find(tag).direction


async def test_box_of_a_language_written_from_the_right_is_mirrored(site, page):
    sides = {}
    for tag in ("en", "he"):
        await page.goto(f"{site.url}/widgets/quote?asset=talus&live=0&locale={tag}")
        sides[tag] = await page.evaluate("""() => {
          const side = (part) => document.querySelector(part).getBoundingClientRect().left;
          const pairs = [[".logo", ".price"], [".status", ".change"], [".chg", ".win"]];
          return pairs.map(([first, second]) => side(first) < side(second));
        }""")
    assert sides == {"en": [True] * 3, "he": [False] * 3}
