"""The configuration: every setting from file, environment and flag; every mistake named, none passed over."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ticker.config import Config, built_in_assets, load, settings
from ticker.errors import ConfigError
from ticker.settings import PREFIX, Setting

TALUS = '[assets.talus]\nsymbol = "US"\nname = "Talus"\npairs = ["mexc:USUSDT"]\n'
DIGEST = "0f" * 32
KEY = f'[keys.partner]\nsha256 = "{DIGEST}"\n'
TETHER = '[assets.tether]\nsymbol = "USDT"\nname = "Tether"\npairs = ["coingecko:tether"]\n'
# For settings whose default is no value, or one of few: another that is allowed.
OTHERS: Mapping[str, tuple[str, Any]] = {
    "listen": ("0.0.0.0:9", "0.0.0.0:9"),
    "origins": ('["https://example.com", "null"]', ("https://example.com", "null")),
    "trusted_proxies": ('["10.0.0.0/8"]', ("10.0.0.0/8",)),
    "sha256": ("A1" * 32, "A1" * 32),
    "sessions": ("7", 7),
    "assets_per_session": ("8", 8),
    "commands_per_10s": ("9", 9),
    "handshakes_per_minute": ("10", 10),
    "public_url": ("https://prices.example.com", "https://prices.example.com"),
    "base_url": ("https://mirror.example.com/api", "https://mirror.example.com/api"),
    "mode": ("poll", "poll"),
    "stream_url": ("wss://mirror.example.com/stream", "wss://mirror.example.com/stream"),
    "source": ("ecb", "ecb"),
    "interval": ("75.5", 75.5),
    "key": ("12345", "12345"),
    "path": ("/var/lib/t.sqlite", "/var/lib/t.sqlite"),
    "pegs": ('{ USDC = "USD" }', {"USDC": "USD"}),
    "measured": ('{ USDT = "tether" }', {"USDT": "tether"}),
    "logos": ("/srv/logos", "/srv/logos"),
    "fonts": ('["/srv/fonts"]', ("/srv/fonts",)),
    "symbol": ("123", "123"),
    "name": ("true", "true"),
    "pairs": ('["binance:USUSDT", "coingecko:talus"]', ("binance:USUSDT", "coingecko:talus")),
}


def another(setting: Setting) -> tuple[str, Any]:
    """A text that sets it to something else than the default, and the value meant."""
    if setting.keys[-1] in OTHERS:
        return OTHERS[setting.keys[-1]]
    if isinstance(setting.default, bool):
        return str(not setting.default).lower(), not setting.default
    return str(setting.default + 1), setting.default + 1


ALL = [
    setting
    for setting in settings({"talus": {}, "tether": {}}, keys=["partner"])
    if setting.keys[:2] != ("assets", "tether")
]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "ticker.toml"


def loaded(file: Path, text: str, environ: Mapping[str, str] | None = None, **flags: str) -> Config:
    file.write_text(text, encoding="utf-8")
    return load(file, environ or {}, {name.replace("__", "."): value for name, value in flags.items()})


def complaint(file: Path, text: str, environ: Mapping[str, str] | None = None, **flags: str) -> str:
    """The error's words after the file's name, which must come first."""
    with pytest.raises(ConfigError) as caught:
        loaded(file, text, environ, **flags)
    message = str(caught.value)
    assert "\n" not in message
    return message.removeprefix(f"{file}: ")


def at(config: Config, setting: Setting) -> Any:
    found = msgspec.to_builtins(config)
    for key in setting.keys:
        found = found[key]
    return found


# The defaults and the table


def test_without_a_file_there_is_talus_and_about_twenty_others() -> None:
    assets = {asset.id: asset for asset in load(None, {}).identified()}
    assert 18 <= len(assets) <= 25
    assert [pair.ref for pair in assets["talus"].pairs] == ["mexc:USUSDT"]
    config = load(None, {})
    assert config.measured(config.identified()) == {"USDT": "tether"}


def test_every_setting_says_what_it_does_and_has_a_variable_of_its_own() -> None:
    table = list(settings())
    assert all(setting.description for setting in table)
    assert len({setting.variable for setting in table}) == len(table)
    assert {setting.name for setting in table} >= {
        "server.listen",
        "limits.sessions_per_address",
        "sources.mexc.interval",
        "assets.<id>.pairs",
        "currency.pegs",
        "history.path",
    }


def test_assets_of_the_file_replace_the_built_in_ones(file: Path) -> None:
    assert [asset.id for asset in loaded(file, TALUS).identified()] == ["talus"]
    assert len(loaded(file, "[server]\n").identified()) > 10


def test_a_source_that_is_not_mentioned_has_its_defaults(file: Path) -> None:
    config = loaded(file, "[sources.mexc]\ninterval = 2\n" + TALUS)
    assert (config.source("mexc").interval, config.source("mexc").timeout) == (2, 10)
    assert config.source("binance").enabled


# Overrides


@pytest.mark.parametrize("setting", ALL, ids=lambda setting: setting.name)
def test_every_setting_can_come_from_the_environment(file: Path, setting: Setting) -> None:
    text, value = another(setting)
    config = loaded(file, TALUS + TETHER + KEY, {setting.variable: text})
    assert at(config, setting) == value
    untouched = [other for other in ALL if other.keys[0] not in ("sources", setting.keys[0])]
    default = loaded(file, TALUS + TETHER + KEY)
    assert [at(config, other) for other in untouched] == [at(default, other) for other in untouched]


def test_the_environment_is_heard_before_the_file_and_a_flag_before_both(file: Path) -> None:
    text = f'[server]\nlisten = "127.0.0.1:1"\n{TALUS}'
    environ = {"TICKER_SERVER__LISTEN": "127.0.0.1:2"}
    assert loaded(file, text).server.listen == "127.0.0.1:1"
    assert loaded(file, text, environ).server.listen == "127.0.0.1:2"
    assert loaded(file, text, environ, server__listen="127.0.0.1:3").server.listen == "127.0.0.1:3"


def test_a_flag_that_was_not_given_changes_nothing(file: Path) -> None:
    file.write_text('[server]\nlisten = "127.0.0.1:1"\n', encoding="utf-8")
    assert load(file, {}, {"server.listen": None}).server.listen == "127.0.0.1:1"


def test_a_hyphen_in_an_id_is_an_underscore_in_the_environment() -> None:
    environ = {"TICKER_ASSETS__USD_COIN__NAME": "Circle's"}
    assert load(None, environ).assets["usd-coin"].name == "Circle's"


def test_other_variables_of_the_environment_are_left_alone() -> None:
    assert load(None, {"TICKER_CONFIG": "x", "PATH": "y", "OTHER__KEY": "z"}) == load(None, {})


# Mistakes: file, key, nearest known one


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[servr]\nlisten = "a"', "servr: unknown key; did you mean server?"),
        ('[server]\nlisen = "a"', "server.lisen: unknown key; did you mean listen?"),
        ("[limits]\nsessions_per_adress = 1", "limits.sessions_per_adress: unknown key; did you mean"),
        ("[sources.mexc]\nintrval = 5", "sources.mexc.intrval: unknown key; did you mean interval?"),
        ("[sources.mecx]\ninterval = 5", "sources.mecx: unknown venue; did you mean mexc?"),
        ("[history]\npth = 5", "history.pth: unknown key; did you mean path?"),
        ("[currency]\npeg = 5", "currency.peg: unknown key; did you mean pegs?"),
        (TALUS + 'logos = "x"', "assets.talus.logos: unknown key; known are symbol, name, pairs"),
        (
            TALUS.replace("mexc:", "mecx:"),
            "assets.talus.pairs: unknown venue 'mecx' in 'mecx:USUSDT'; did you",
        ),
        (TALUS.replace("mexc:", ""), "assets.talus.pairs: 'USUSDT' is not venue:symbol"),
        (
            TALUS.replace("USUSDT", "FOO"),
            "assets.talus.pairs: can't tell in which currency mexc:FOO is quoted",
        ),
        (TALUS + TALUS, "assets.talus: the id is used twice"),
        (TALUS + TALUS.replace("talus", "other"), "assets.other.pairs: mexc:USUSDT is talus's already"),
        (
            TALUS.replace("talus", "Talus"),
            "assets.Talus: an asset id is lower-case letters, digits and hyphens",
        ),
        (TALUS.replace('["mexc:USUSDT"]', "[]"), "assets.talus.pairs: Expected `array` of length >= 1"),
        ("[server]\nlisten = 5", "server.listen: Expected text in quotes, `str`, got `int`"),
        ("[limits]\nmessage_bytes = -1", "limits.message_bytes: Expected `int` >= 0"),
        ("[limits]\nmessage_bytes = 1.5", "limits.message_bytes: Expected `int`, got `float`"),
        ("[sources.mexc]\ninterval = nan", "sources.mexc.interval: Expected `float` >= 0.1"),
        ("server = 5", "server: is a table, not"),
        ("[server", "not TOML: "),
        (
            TALUS + '[currency]\nmeasured = { USDT = "tethr" }',
            "currency.measured.USDT: no asset 'tethr' with",
        ),
    ],
)
def test_a_mistake_in_the_file_is_named(file: Path, text: str, said: str) -> None:
    assert complaint(file, text).startswith(said)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("TICKER_SERVER__LISEN", "x", "unknown setting; did you mean TICKER_SERVER__LISTEN?"),
        ("TICKER_SOURCES__MECX__KEY", "x", "unknown setting; did you mean TICKER_SOURCES__MEXC__KEY?"),
        ("TICKER_LIMITS__MESSAGE_BYTES", "many", "Expected `int`, got `str`"),
        ("TICKER_LIMITS__MESSAGE_BYTES", "-1", "Expected `int` >= 0"),
        ("TICKER_SOURCES__MEXC__ENABLED", "yes", "Expected `bool`, got `str`"),
        ("TICKER_ASSETS__TALUS__PAIRS", "mexc:USUSDT", "Expected `array`, got `str`"),
    ],
)
def test_a_mistake_in_the_environment_is_named(file: Path, name: str, text: str, said: str) -> None:
    assert complaint(file, TALUS, {name: text}) == f"environment: {name}: {said}"


def test_a_file_that_can_t_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.toml: can't be read: No such file"):
        load(tmp_path / "none.toml", {})
    (tmp_path / "latin.toml").write_bytes(b'name = "\xe9"')
    with pytest.raises(ConfigError, match=r"latin\.toml: is not UTF-8 text"):
        load(tmp_path / "latin.toml", {})


def test_an_error_carries_its_file_and_key(file: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        loaded(file, "[server]\nlisen = 1")
    assert (caught.value.file, caught.value.key) == (str(file), "server.lisen")


def test_the_built_in_assets_are_a_configuration_of_their_own(file: Path) -> None:
    assert loaded(file, built_in_assets()) == load(None, {})


def test_the_prefix_is_documented_by_every_variable() -> None:
    assert all(setting.variable.startswith(PREFIX) for setting in settings())


# Where it falls short


@pytest.mark.parametrize("text", ["assets = 5", "[[assets]]\nsymbol = 'US'"])
def test_assets_of_another_shape_are_an_error_in_words(file: Path, text: str) -> None:
    assert complaint(file, text).startswith("assets: is a table, not")


@pytest.mark.parametrize(
    ("text", "flag"),
    [
        ("server = 5", {"server__listen": "127.0.0.1:1"}),
        ("sources = 5", {"sources__mexc__interval": "3"}),
    ],
)
def test_an_override_of_a_section_that_is_no_table_is_an_error_in_words(
    file: Path, text: str, flag: dict[str, Any]
) -> None:
    assert "is a table, not" in complaint(file, text, **flag)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[assets.talus]\nsymbol = "US"', "assets.talus: Object missing required field `name`"),
        ("[assets]\ntalus = 5", "assets.talus: is a table, not"),
        ('[sources.mexc]\nbase_url = "ftp://x"', "sources.mexc: base_url must look like"),
    ],
)
def test_an_error_of_a_whole_table_names_the_table(file: Path, text: str, said: str) -> None:
    assert complaint(file, text).startswith(said)


def test_an_unknown_key_of_a_pair_names_the_nearest(file: Path) -> None:
    said = complaint(file, TALUS.replace('"mexc:USUSDT"', '{ pair = "mexc:USUSDT", quot = "USDT" }'))
    assert said.startswith("assets.talus.pairs")
    assert "did you mean quote?" in said


@pytest.mark.parametrize(
    ("text", "environ", "flags", "said"),
    [
        ('[server]\nlisten = "nonsense"', {}, {}, "server.listen: 'nonsense' is not host:port"),
        (TALUS, {"TICKER_SERVER__LISTEN": "nonsense"}, {}, "environment: TICKER_SERVER__LISTEN: 'nonsense'"),
        (
            TALUS,
            {"TICKER_SOURCES__MEXC__BASE_URL": "ftp://x"},
            {},
            "environment: TICKER_SOURCES__MEXC__BASE_URL",
        ),
        (
            TALUS,
            {},
            {"server__listen": "nonsense"},
            "command line: server.listen: 'nonsense' is not host:port",
        ),
    ],
)
def test_a_value_of_the_right_type_but_no_sense_is_named_where_it_stands(
    file: Path, text: str, environ: dict[str, str], flags: dict[str, str], said: str
) -> None:
    assert complaint(file, text, environ, **flags).startswith(said)


def test_an_error_about_pairs_carries_its_key(file: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        loaded(file, TALUS.replace("USUSDT", "FOO"))
    assert caught.value.key == "assets.talus.pairs"


@pytest.mark.parametrize("table", ['pegs = { usdt = "USD" }', 'measured = { usdt = "tether" }'])
def test_a_currency_nobody_quotes_in_is_not_passed_over(file: Path, table: str) -> None:
    config = loaded(file, f"{TALUS}{TETHER}[currency]\n{table}")
    assert "usdt" not in {*config.currency.pegs, *config.measured(config.identified())}


@pytest.mark.parametrize("key", ["symbol", "name"])
def test_a_control_character_in_what_is_drawn_is_refused_by_its_key(file: Path, key: str) -> None:
    said = {"symbol": "US", "name": "Talus"} | {key: "a\\u0000b"}
    text = "\n".join(f'{name} = "{value}"' for name, value in said.items())
    file.write_text(f'[assets.talus]\n{text}\npairs = ["mexc:USUSDT"]\n')
    with pytest.raises(ConfigError, match=rf"assets\.talus\.{key}: Expected text without control characters"):
        load(file, {})
