"""What sources of exchange rates answer: how it reads, and what is refused."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from tests.unit.rate_answers import BODIES, DAYS, FRIDAY, MONDAY, SERIES, cubes
from ticker.errors import BadAnswer
from ticker.rates import SOURCES

# What answers say


@pytest.mark.parametrize("name", SOURCES)
def test_an_answer_holds_every_days_rates_exactly(name: str):
    fixings = {fixing.date: fixing for fixing in SOURCES[name].read(BODIES[name])}
    assert fixings.keys() == {FRIDAY, MONDAY}
    monday = fixings[MONDAY]
    assert monday.units == {"EUR": 1, "USD": Decimal("1.0840"), "JPY": Decimal("162.7")}
    assert monday.rate("USD", "JPY") == Decimal("162.7") / Decimal("1.084")
    assert monday.rate("USD", "EUR") == 1 / Decimal("1.084")


def test_frankfurters_rates_count_for_the_amount_and_base_it_names():
    body = b'{"amount":10,"base":"USD","rates":{"2026-03-02":{"EUR":"9.2"}}}'
    [fixing] = SOURCES["frankfurter"].read(body)
    assert fixing.rate("USD", "EUR") == Decimal("0.92")


def test_the_ecbs_daily_file_reads_as_its_long_one_does():
    body = cubes("<Cube time='2026-03-02'><Cube currency='USD' rate='1.084'/></Cube>")
    [fixing] = SOURCES["ecb"].read(body)
    assert (fixing.date, fixing.units["USD"]) == (MONDAY, Decimal("1.084"))


def test_the_series_reaches_back_over_a_week_and_a_long_holiday():
    assert SOURCES["frankfurter"].path(date(2026, 3, 3)) == "/2026-02-17.."


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (b'{"amount":1.0,"base":"EUR","date":"2026-03-02"}', "rates: missing"),
        (b'{"rates":{}}', "base: missing"),
        (
            b'{"base":"EUR","rates":{"2026-03-02":{"USD":null}}}',
            "rates 2026-03-02 'USD': expected a number, got null",
        ),
        (
            b'{"base":"EUR","rates":{"2026-03-02":{"USD":0}}}',
            "rates 2026-03-02 'USD': expected a price above zero",
        ),
        (b'{"base":"EUR","rates":{"2026-03-02":{"USD":"nan"}}}', "rates 2026-03-02 'USD': expected a number"),
        (b'{"base":"EUR","rates":{"someday":{"USD":1}}}', "rates"),
        (SERIES[:90], "truncated"),
        (b"<!DOCTYPE html><title>Back soon</title>", "malformed"),
    ],
)
def test_what_frankfurter_cannot_mean_is_refused_by_field(body: bytes, named: str):
    with pytest.raises(BadAnswer) as caught:
        SOURCES["frankfurter"].read(body)
    assert named in str(caught.value)


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (
            cubes("<Cube time='2026-03-02'><Cube currency='USD' rate='N/A'/></Cube>"),
            "'USD' rate: expected a number",
        ),
        (
            cubes("<Cube time='2026-03-02'><Cube currency='USD' rate='0'/></Cube>"),
            "'USD' rate: expected a price",
        ),
        (cubes("<Cube time='2026-03-02'><Cube currency='USD'/></Cube>"), "'USD': without a rate"),
        (cubes("<Cube currency='USD' rate='1.08'/>"), "'USD': without a rate or a day"),
        (cubes("<Cube time='2.3.2026'/>"), "Cube time"),
        (BODIES["ecb"][:400], "no XML"),
        (b"Access denied", "no XML"),
        (b"", "no XML"),
        (b"<!DOCTYPE html><title>Back soon</title>", "document type"),
    ],
)
def test_what_the_ecb_cannot_mean_is_refused_by_field(body: bytes, named: str):
    with pytest.raises(BadAnswer) as caught:
        SOURCES["ecb"].read(body)
    assert named in str(caught.value)


@pytest.mark.parametrize(
    "doctype",
    [
        '<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;"><!ENTITY c "&b;&b;">]>',
        '<!DOCTYPE a [<!ENTITY a SYSTEM "file:///etc/hostname">]>',
        '<!DOCTYPE a SYSTEM "http://127.0.0.1/a.dtd">',
        '<!DOCTYPE a [<!ENTITY % a SYSTEM "http://127.0.0.1/a.dtd"> %a;]>',
    ],
)
def test_no_entity_is_ever_declared(doctype: str):
    body = cubes(DAYS).replace(b"<gesmes:Envelope", doctype.encode() + b"<gesmes:Envelope", 1)
    with pytest.raises(BadAnswer, match="a document type"):
        SOURCES["ecb"].read(body)


def test_a_cube_of_another_vocabulary_is_no_rate():
    foreign = "<x:Cube xmlns:x='urn:x' time='2026-03-03'><x:Cube currency='USD' rate='9'/></x:Cube>"
    assert {fixing.date for fixing in SOURCES["ecb"].read(cubes(DAYS + foreign))} == {FRIDAY, MONDAY}


def test_the_ecbs_older_days_are_left_unread():
    older = "<Cube time='2026-02-15'><Cube currency='USD' rate='N/A'/></Cube>"
    assert {fixing.date for fixing in SOURCES["ecb"].read(cubes(DAYS + older))} == {FRIDAY, MONDAY}
