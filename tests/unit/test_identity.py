"""Which asset a pair is of and what it is quoted in: told for certain, or an error that says what to do."""

from __future__ import annotations

import pytest

from ticker.errors import ConfigError
from ticker.identity import AssetOptions, PairOptions, identify, measured
from ticker.model import Asset, Pair
from ticker.sources import VENUES


def options(*pairs: str | PairOptions, symbol: str = "US") -> AssetOptions:
    return AssetOptions(symbol=symbol, name="Name", pairs=pairs)


def identified(**assets: AssetOptions) -> tuple[Asset, ...]:
    return identify(assets, VENUES)


def only(*pairs: str | PairOptions, symbol: str = "US") -> Pair:
    return identified(it=options(*pairs, symbol=symbol))[0].pairs[0]


def refusal(**assets: AssetOptions) -> str:
    with pytest.raises(ConfigError) as caught:
        identified(**assets)
    return str(caught.value)


def listed(name: str, symbol: str, *quotes: str) -> Asset:
    return Asset(name, symbol, name, tuple(Pair("v", f"{name}{quote}", symbol, quote) for quote in quotes))


@pytest.mark.parametrize(
    ("ref", "symbol", "expected"),
    [
        ("mexc:USUSDT", "US", Pair("mexc", "USUSDT", "US", "USDT")),
        ("binance:BTCUSDT", "BTC", Pair("binance", "BTCUSDT", "BTC", "USDT")),
        ("coingecko:talus", "US", Pair("coingecko", "talus", "US", "USD")),
        ("mexc:ETHBTC", "eth", Pair("mexc", "ETHBTC", "ETH", "BTC")),
    ],
)
def test_a_spelling_tells_its_currencies(ref: str, symbol: str, expected: Pair) -> None:
    assert only(ref, symbol=symbol) == expected


def test_the_table_form_says_what_the_spelling_does_not() -> None:
    written = PairOptions(pair="mexc:ODD", quote="usdt")
    assert only(written, symbol="ODD") == Pair("mexc", "ODD", "ODD", "USDT")


def test_a_symbol_may_hold_a_colon_of_its_own() -> None:
    assert only(PairOptions(pair="mexc:A:B", quote="USD")).symbol == "A:B"


@pytest.mark.parametrize("ref", ["USUSDT", "mexc:", "mexc", ""])
def test_what_is_no_pair_is_refused_with_an_example(ref: str) -> None:
    assert (
        refusal(talus=options(ref)) == f"assets.talus.pairs: {ref!r} is not venue:symbol, such as mexc:USUSDT"
    )


def test_an_unknown_venue_names_the_nearest_or_all() -> None:
    assert refusal(talus=options("bnance:USUSDT")).endswith("in 'bnance:USUSDT'; did you mean binance?")
    assert refusal(talus=options("zzz:USUSDT")).endswith(f"known are {', '.join(VENUES)}")


def test_a_currency_that_can_t_be_told_is_asked_for() -> None:
    said = refusal(talus=options("mexc:USXYZ"))
    assert said == (
        "assets.talus.pairs: can't tell in which currency mexc:USXYZ is quoted; "
        'write { pair = "mexc:USXYZ", quote = "USDT" }'
    )


def test_a_pair_belongs_to_one_asset_and_once() -> None:
    two = refusal(talus=options("mexc:USUSDT"), other=options("mexc:USUSDT"))
    assert two == "assets.other.pairs: mexc:USUSDT is talus's already; a pair belongs to one asset"
    assert "twice here" in refusal(talus=options("mexc:USUSDT", "mexc:USUSDT"))


def test_assets_keep_the_order_of_the_file() -> None:
    found = identified(b=options("mexc:BUSDT", symbol="B"), a=options("mexc:AUSDT", symbol="A"))
    assert [asset.id for asset in found] == ["b", "a"]


# What measures a currency


def test_a_currency_is_measured_by_the_one_asset_of_its_symbol_with_a_price_in_dollars() -> None:
    assets = [listed("talus", "US", "USDT"), listed("tether", "USDT", "USD", "EUR")]
    assert measured(assets, {}) == {"USDT": "tether"}


@pytest.mark.parametrize("tether", [(), ("USDC",)])
def test_an_asset_without_a_price_in_dollars_measures_nothing(tether: tuple[str, ...]) -> None:
    assert measured([listed("talus", "US", "USDT"), listed("tether", "USDT", *tether)], {}) == {}


def test_a_currency_nobody_quotes_in_is_not_measured() -> None:
    assert measured([listed("tether", "USDT", "USD"), listed("bitcoin", "BTC", "USD")], {}) == {}


def test_two_of_one_symbol_are_a_question_to_the_operator() -> None:
    assets = [listed("talus", "US", "USDT"), listed("tether", "USDT", "USD"), listed("fake", "USDT", "USD")]
    with pytest.raises(ConfigError) as caught:
        measured(assets, {})
    assert str(caught.value) == (
        "currency.measured: tether, fake all have the symbol USDT; "
        'write USDT = "tether" under [currency.measured]'
    )
    assert measured(assets, {"USDT": "fake"}) == {"USDT": "fake"}


@pytest.mark.parametrize("chosen", ["nope", "talus"])
def test_the_operator_s_measure_must_have_a_price_in_dollars(chosen: str) -> None:
    with pytest.raises(ConfigError) as caught:
        measured([listed("talus", "US", "USDT")], {"USDT": chosen})
    assert caught.value.key == "currency.measured.USDT"
    assert f"no asset {chosen!r} with a pair in USD" in str(caught.value)


def test_the_case_of_a_symbol_does_not_decide_what_measures_a_currency() -> None:
    assert measured([listed("talus", "US", "USDT"), listed("tether", "usdt", "USD")], {}) == {
        "USDT": "tether"
    }
