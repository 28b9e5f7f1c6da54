"""Moments as venues write them, into milliseconds since the Unix epoch. No clock is read here."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

EPOCH = datetime.fromtimestamp(0, UTC)


def ms(moment: datetime | None) -> int | None:
    """ISO 8601, decoded, as milliseconds; without an offset it is UTC. None stays None."""
    if moment is None:
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (aware - EPOCH) // timedelta(milliseconds=1)
