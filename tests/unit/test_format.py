"""How prices, changes, amounts and ages are written."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticker.errors import RequestError
from widgets.format import (
    age,
    clock,
    compact,
    count,
    day_month,
    iso,
    month,
    notation,
    page,
    percent,
    price,
    status,
    year,
)
from widgets.locales import TAGS, find, money
from widgets.words import UNITS

MINUTE = 60_000
prices = st.decimals(min_value="1e-18", max_value="1e15", allow_nan=False, allow_infinity=False, places=None)
currencies = st.sampled_from(["USD", "EUR", "JPY", "KRW", "GBP", "INR", "BRL", "BTC", "USDT", "CHF"])
locales = st.sampled_from(TAGS).map(find)


def number_in(text, pattern, locale):
    """What a reader of the locale reads."""
    before, after = pattern.split("#")
    assert text.startswith(before)
    assert text.endswith(after)
    text = text[len(before) : len(text) - len(after)]
    for digit in range(10):
        text = text.replace(chr(ord(locale.zero) + digit), str(digit))
    return Decimal(text.replace(locale.group, "").replace(locale.decimal, "."))


@pytest.mark.parametrize(
    ("value", "currency", "text"),
    [
        ("73384.8", "USD", "$73,384.80"),
        ("1234567.891", "EUR", "€1,234,567.89"),
        ("1000", "USD", "$1,000.00"),
        ("999.99996", "USD", "$1,000.00"),
        ("3.98112", "USD", "$3.9811"),
        ("3.5", "GBP", "£3.50"),
        ("1.10000", "USD", "$1.10"),
        ("1", "USD", "$1.00"),
        ("0.99996", "USD", "$1.00"),
        ("0.99994", "USD", "$0.9999"),
        ("0.01021", "USD", "$0.01021"),
        ("0.5", "USD", "$0.5000"),
        ("0.099996", "USD", "$0.1000"),
        ("0.00001234", "USD", "$0.00001234"),
        ("0.00000999996", "USD", "$0.00001000"),
        ("1.234E-8", "USD", "$0.00000001234"),
        ("0.01021", "USDT", "0.01021"),
        ("1234.5", "JPY", "¥1,235"),
        ("1520", "KRW", "₩1,520"),
        ("0.0157", "JPY", "¥0.01570"),
        ("0", "USD", "$0.00"),
        ("-3.5", "USD", "−$3.50"),
        ("850867136053.72", "USD", "$850,867,136,053.72"),
    ],
)
def test_price_is_readable(value, currency, text):
    assert price(Decimal(value), currency).text == text


def test_tiny_price_counts_its_zeros_and_keeps_the_full_number_for_copying():
    written = price(Decimal("0.00000123449"), "USD")
    assert written == ("$0.000001234", "$0.0", "5", "1234")


@given(prices, currencies, locales)
def test_plain_price_has_all_of_its_digits_and_nothing_beside(value, currency, locale):
    written = price(value, currency, locale, plain=True)
    assert written == (price(value, currency, locale).text, "", "", "")


def test_script_is_told_that_zeros_are_not_counted():
    plain, counted = notation("USD", plain=True), notation("USD")
    assert plain[1] == (*counted[1], "plain")
    assert (plain[0], plain[2:]) == (counted[0], counted[2:])


def test_unknown_price_says_so_in_words_and_shows_a_dash():
    assert price(None, "USD")[:2] == ("unavailable", "—")


@given(prices, currencies, locales, st.booleans())
def test_price_reads_back_within_half_a_unit_of_its_last_digit_in_every_locale(
    value, currency, locale, below
):
    text = price(-value if below else value, currency, locale).text
    number = number_in(text, money(locale, currency)[below], locale)
    assert abs(number - value) <= Decimal(1).scaleb(number.as_tuple().exponent) / 2


@given(prices)
def test_price_below_one_shows_four_significant_digits(value):
    text = price(value, "USDT").text
    if text.startswith("0."):
        assert len(text.replace(".", "").lstrip("0")) == 4


@given(prices)
def test_counted_zeros_are_the_zeros_of_the_full_number(value):
    written = price(value, "USDT")
    if written.head:
        assert written.text == f"0.{'0' * int(written.zeros)}{written.tail}"
        assert Decimal(written.text) < Decimal("0.00001")


@pytest.mark.parametrize(
    ("value", "text", "direction"),
    [
        ("0.19", "+0.19%", "up"),
        ("-0.7", "−0.70%", "down"),
        ("0", "0.00%", "flat"),
        ("-0.004", "0.00%", "flat"),
        ("0.005", "+0.01%", "up"),
        ("1234.5", "+1,234.50%", "up"),
    ],
)
def test_percent_has_sign_and_two_decimals(value, text, direction):
    written = percent(Decimal(value))
    assert (written.text, written.direction) == (text, direction)


def test_percent_names_its_direction_beside_the_arrow():
    assert (percent(Decimal(1)).arrow, percent(Decimal(1)).word) == ("▲", "up")
    assert (percent(Decimal(-1)).arrow, percent(Decimal(-1)).word) == ("▼", "down")
    assert (percent(None).text, percent(None).word) == ("—", "unknown")


@pytest.mark.parametrize(
    ("value", "currency", "text"),
    [
        ("999.994", "USD", "$999.99"),
        ("1234567.8", "USD", "$1.23M"),
        ("999999", "USD", "$1.00M"),
        ("12345678901", "USDT", "12.35B USDT"),
        ("1234567890123456", "EUR", "€1,234.57T"),
        ("0.5", "USD", "$0.50"),
    ],
)
def test_large_amount_is_short(value, currency, text):
    assert compact(Decimal(value), currency) == text


@pytest.mark.parametrize(
    ("tag", "currency", "text"),
    [
        ("de", "EUR", "1,23M\u00a0€"),
        ("fa", "USD", "\u200e$\u00a0۱٫۲۳M"),
        ("hi", "INR", "₹1.23M"),
        ("nl", "EUR", "€\u00a01,23M"),
        ("pl", "USD", "1,23M USD"),
        ("ja", "USDT", "1.23M USDT"),
    ],
)
def test_large_amount_is_written_as_its_locale_writes(tag, currency, text):
    assert compact(Decimal("1234567.8"), currency, find(tag)) == text


@given(st.decimals(min_value=0, max_value="1e18", places=4), currencies, locales)
def test_large_amount_reads_back_within_half_a_unit_of_its_last_digit(value, currency, locale):
    text = compact(value, currency, locale)
    pattern = money(locale, currency).above
    before, after = (f"# {currency}" if pattern == "#" else pattern).split("#")
    number = text[len(before) : len(text) - len(after)]
    scale = "KMBT".find(number[-1]) + 1
    read = number_in(number.rstrip("KMBT"), "#", locale)
    assert abs(read.scaleb(3 * scale) - value) <= Decimal("0.005").scaleb(3 * scale)
    assert read < 1000 or scale == 4


def test_unknown_amount_is_a_dash():
    assert compact(None, "USD") == "—"


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (-5, "0 s"),
        (59_999, "59 s"),
        (60_000, "1 min"),
        (6 * MINUTE, "6 min"),
        (60 * MINUTE, "1 h"),
        (47 * 60 * MINUTE, "47 h"),
        (48 * 60 * MINUTE, "2 d"),
    ],
)
def test_age_is_told_in_its_largest_whole_unit(milliseconds, text):
    assert age(milliseconds) == text


def test_status_of_a_live_price_is_its_time_and_of_any_other_its_age():
    at = 1_790_000_000_123
    assert iso(at) == "2026-09-21T14:13:20Z"
    assert status("live", at, at + 6 * MINUTE) == "14:13 UTC"
    assert status("delayed", at, at + 6 * MINUTE) == "6 min old"
    assert status("stale", at, at + 6 * MINUTE) == "6 min old"
    assert status("held", at, at + 6 * MINUTE) == "held 6 min"
    assert status("unavailable", None, at) == "unavailable"


@pytest.mark.parametrize(
    ("tag", "value", "currency", "text"),
    [
        ("de", "67432.1", "EUR", "67.432,10\u00a0€"),
        ("fr", "67432.1", "EUR", "67\u202f432,10\u00a0€"),
        ("es", "1234.5", "EUR", "1234,50\u00a0€"),
        ("es", "12345.6", "EUR", "12.345,60\u00a0€"),
        ("hi", "10123456", "INR", "₹1,01,23,456.00"),
        ("nl", "-3.5", "EUR", "€\u00a0−3,50"),
        ("fa", "67432.1", "USD", "\u200e$\u00a0۶۷٬۴۳۲٫۱۰"),
        ("bn", "0.01021", "USD", "০.০১০২১\u00a0US$"),
        ("he", "-3.5", "USD", "\u200f\u200e−3.50\u00a0\u200f$"),
        ("pl", "0.01021", "USD", "0,01021"),  # its sign would be the code that stands beside it
        ("ja", "10123456", "JPY", "￥10,123,456"),
    ],
)
def test_price_is_written_as_its_locale_writes(tag, value, currency, text):
    assert price(Decimal(value), currency, find(tag)).text == text


def test_tiny_price_is_counted_in_the_digits_of_its_locale():
    written = price(Decimal("0.000000001234"), "EUR", find("de"))
    assert written == ("0,000000001234\u00a0€", "0,0", "8", "1234\u00a0€")
    assert price(Decimal("0.000000001234"), "USDT", find("fa"))[1:] == ("۰٫۰", "۸", "۱۲۳۴")


@given(prices, locales)
def test_percent_has_a_real_sign_and_reads_back_in_every_locale(value, locale):
    for moved, sign in ((value, locale.plus), (-value, locale.minus)):
        written = percent(moved, locale)
        assert "-" not in written.text
        flat = written.direction == "flat"
        number = number_in(written.text, ("" if flat else sign) + locale.percent, locale)
        assert abs(number - value) <= Decimal("0.005")


@pytest.mark.parametrize(
    ("tag", "text"),
    [
        ("de", "vor 6 Min."),
        ("fr", "il y a 6 min"),
        ("ru", "6 мин назад"),
        ("ja", "6分前"),
        ("fa", "۶ دقیقه پیش"),
    ],
)
def test_age_is_told_in_the_words_of_its_locale(tag, text):
    assert status("stale", 0, 6 * MINUTE, find(tag)) == text


@pytest.mark.parametrize("tag", TAGS)
def test_every_locale_has_all_of_its_words_and_units(tag):
    words = find(tag).words
    assert all([words.title, words.chart, words.demo, words.day, words.utc_day, *words.said.values()])
    assert len(UNITS[tag].split()) == 4


@pytest.mark.parametrize(
    ("tag", "written"),
    [
        ("en", ("Nov 12", "Nov", "14:00", "2026")),
        ("de", ("12. Nov.", "Nov.", "14:00", "2026")),
        ("cs", ("12. 11.", "lis", "14:00", "2026")),
        ("lt", ("11-12", "lapkr.", "14:00", "2026")),
        ("da", ("12. nov.", "nov.", "14.00", "2026")),
        ("bg", ("12.11.", "ное", "14:00", "2026\u202fг.")),
        ("sk", ("12. 11.", "nov", "14:00", "2026")),
        ("th", ("12 พ.ย.", "พ.ย.", "14:00", "2026")),
        ("he", ("12 בנוב׳", "נוב׳", "14:00", "2026")),
        ("fa", ("۱۲ نوامبر", "نوامبر", "۱۴:۰۰", "۲۰۲۶")),
        ("ja", ("11月12日", "11月", "14:00", "2026年")),
    ],
)
def test_moment_of_an_axis_is_written_as_its_locale_writes(tag, written):
    at, locale = 1_794_492_000_000, find(tag)
    assert tuple(write(at, locale) for write in (day_month, month, clock, year)) == written


def test_month_alone_is_in_its_first_case():
    may = 1_778_594_400_000
    assert (day_month(may, find("ru")), month(may, find("ru"))) == ("12 мая", "май")


def test_no_locale_takes_the_months_of_one_that_was_asked_before():
    """In a process of its own: which locale was first decides what Babel answers to the others."""
    check = """
from babel import Locale
from widgets.format import day_month, month
from widgets.locales import find
at, asked = 1_794_492_000_000, Locale("he").months["stand-alone"]["abbreviated"][11]
written = [day_month(at, find("fa")), month(at, find("fa")), month(at, find("id"))]
assert written == ["۱۲ نوامبر", "نوامبر", "Nov"]
"""
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0  # noqa: S603


@pytest.mark.parametrize(
    ("tag", "text"),
    [
        ("en", "Page 3 of 1,234"),
        ("es", "Página 3 de 1234"),
        ("fa", "صفحهٔ ۳ از ۱٬۲۳۴"),
        ("zh-Hans", "第 3 页，共 1,234 页"),
        ("hu", "3. oldal / 1234"),
    ],
)
def test_page_is_counted_in_the_digits_of_its_locale(tag, text):
    assert page(3, 1234, find(tag)) == text
    assert count(1234, find("hi")) == "1,234"
    assert count(0, find("fa")) == "۰"


@pytest.mark.parametrize(
    ("asked", "tag"),
    [
        ("de-CH", "de"),
        ("PT", "pt-BR"),
        ("zh_TW", "zh-Hant"),
        ("zh-Hant-HK", "zh-Hant"),
        ("no", "nb"),
        ("en-GB", "en"),
    ],
)
def test_locale_is_the_nearest_that_is_spoken(asked, tag):
    assert find(asked).tag == tag


@pytest.mark.parametrize("asked", ["", "tlh", "x" * 35, "-de", "../en"])
def test_language_that_is_not_spoken_is_refused_with_those_that_are(asked):
    with pytest.raises(RequestError, match="use en, de, fr"):
        find(asked)
