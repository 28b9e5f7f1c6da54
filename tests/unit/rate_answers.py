"""Answers of the sources of exchange rates, small and in their shapes, for the tests of both."""

from datetime import date

FRIDAY, MONDAY = date(2026, 2, 27), date(2026, 3, 2)

SERIES = b"""{"amount":1.0,"base":"EUR","start_date":"2026-02-27","end_date":"2026-03-02","rates":{
"2026-02-27":{"JPY":162.15,"USD":1.0803},"2026-03-02":{"JPY":162.7,"USD":1.0840}}}"""
HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01"
 xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref">
<gesmes:subject>Reference rates</gesmes:subject>
<gesmes:Sender><gesmes:name>European Central Bank</gesmes:name></gesmes:Sender>
<Cube>"""
TAIL = "</Cube></gesmes:Envelope>"
DAYS = """
<Cube time="2026-03-02"><Cube currency="USD" rate="1.0840"/><Cube currency="JPY" rate="162.70"/></Cube>
<Cube time="2026-02-27"><Cube currency="USD" rate="1.0803"/><Cube currency="JPY" rate="162.15"/></Cube>"""
BODIES = {"frankfurter": SERIES, "ecb": (HEAD + DAYS + TAIL).encode()}


def cubes(text: str) -> bytes:
    return (HEAD + text + TAIL).encode()
