"""The built-in assets: enough exchanges for each, in the venues' own spelling, within what they allow."""

from __future__ import annotations

from ticker.config import load
from ticker.market.market import VENUES as MARKETS
from ticker.model import Pair
from ticker.sources import VENUES


def test_each_large_asset_has_four_exchanges_and_a_referee() -> None:
    _talus, *large = load(None, {}).identified()
    for asset in large:
        venues = [pair.venue for pair in asset.pairs]
        aggregators = [venue for venue in venues if VENUES[venue].aggregator]
        assert len(set(venues)) == len(venues), asset.id
        assert len(venues) - len(aggregators) >= 4, asset.id
        assert aggregators == ["coingecko"], asset.id


def test_the_rate_of_usdt_is_from_pairs_in_usd_on_several_exchanges() -> None:
    [tether] = [asset for asset in load(None, {}).identified() if asset.id == "tether"]
    assert {pair.quote for pair in tether.pairs} == {"USD"}
    assert {"coinbase", "kraken", "bitstamp"} < {pair.venue for pair in tether.pairs}


def test_pairs_are_the_markets_own_spelling_and_token() -> None:
    for asset in load(None, {}).identified():
        for pair in asset.pairs:
            listing = MARKETS[pair.venue].listings[pair.symbol]
            assert listing.token.symbol == asset.symbol == pair.base, pair.ref


def test_the_list_needs_no_key_and_half_of_each_venues_budget() -> None:
    asked: dict[str, list[Pair]] = {}
    for asset in load(None, {}).identified():
        for pair in asset.pairs:
            asked.setdefault(pair.venue, []).append(pair)
    for name, pairs in asked.items():
        venue = VENUES[name]
        requests = venue.requests(pairs)
        assert not venue.needs_key
        assert len(requests) <= 3, name
        rounds = max(1.0, venue.budget.seconds / venue.interval)
        assert 2 * rounds * sum(request.weight for request in requests) <= venue.budget.limit, name
