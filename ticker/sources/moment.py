"""Moments as venues write them, into milliseconds since the Unix epoch. No clock is read here."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from ticker.sources.decode import Moment

EPOCH = datetime.fromtimestamp(0, UTC)


def ms(moment: Moment) -> int | None:
    """ISO 8601, decoded, as milliseconds; without an offset it is UTC. None where there is none."""
    if not isinstance(moment, datetime):
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (aware - EPOCH) // timedelta(milliseconds=1)
