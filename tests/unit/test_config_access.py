"""The settings of access: read whole, every mistake named, and no key repeated in an error."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from ticker.config import Config, load
from ticker.errors import ConfigError

TALUS = '[assets.talus]\nsymbol = "US"\nname = "Talus"\npairs = ["mexc:USUSDT"]\n'
DIGEST = "0f" * 32
KEY = f'[keys.partner]\nsha256 = "{DIGEST}"\n'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "ticker.toml"


def loaded(file: Path, text: str, environ: Mapping[str, str] | None = None) -> Config:
    file.write_text(text, encoding="utf-8")
    return load(file, environ or {})


def complaint(file: Path, text: str, environ: Mapping[str, str] | None = None) -> str:
    """The error's one line after the file's name."""
    with pytest.raises(ConfigError) as caught:
        loaded(file, text, environ)
    assert "\n" not in str(caught.value)
    return str(caught.value).removeprefix(f"{file}: ")


def test_without_a_word_about_it_everybody_may_read_and_nobody_needs_a_key() -> None:
    config = load(None, {})
    assert (config.access.origins, config.access.trusted_proxies) == (("*",), ())
    assert (config.access.require_key, config.keys) == (False, {})


def test_keys_are_read_with_their_own_limits(file: Path) -> None:
    config = loaded(file, f"{TALUS}[access]\nrequire_key = true\n{KEY}sessions = 0\n")
    partner = config.keys["partner"]
    assert (partner.sha256, partner.sessions, partner.commands_per_10s) == (DIGEST, 0, None)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            '[access]\norigins = ["example.com"]',
            "access.origins: 'example.com' is no origin; write \"https://",
        ),
        ('[access]\norigins = "*"', "access.origins: Expected `array`, got `str`"),
        ('[access]\ntrusted_proxies = ["nginx"]', "access.trusted_proxies: 'nginx' is neither; write an"),
        ("[access]\nrequire_key = true", "access.require_key: there is no key to ask for; `ticker key NAME`"),
        (
            '[keys.partner]\nsha256 = "5ecret"',
            "keys.partner.sha256: is not 64 hexadecimal digits; `ticker key",
        ),
        ("[keys.partner]\nsessions = 3", "keys.partner: Object missing required field `sha256`"),
        (f"{KEY}session = 3", "keys.partner.session: unknown key; did you mean sessions?"),
        (f"{KEY}sessions = -1", "keys.partner.sessions: Expected `int` >= 0"),
        (KEY.replace("partner", "Partner"), "keys.Partner: a key's name is lower-case letters"),
        (
            KEY + KEY.replace("partner", "other").replace("f", "F"),
            "keys.other.sha256: is keys.partner's already; each key needs its own",
        ),
        ('[keys]\npartner = "5ecret"', "keys.partner: is a table with sha256; `ticker key NAME` prints it"),
        ('[keys.partner]\nkey = "5ecret"', "keys.partner.key: unknown key; known are sha256"),
        ('keys = "5ecret"', "keys: is a table of keys; `ticker key NAME` prints one"),
        ('[[keys]]\nkey = "5ecret"', "keys: is a table of keys"),
    ],
)
def test_a_mistake_about_access_is_named_and_no_key_is_repeated(file: Path, text: str, said: str) -> None:
    complained = complaint(file, f"{text}\n{TALUS}")
    assert complained.startswith(said)
    assert "5ecret" not in complained


def test_a_key_put_into_the_environment_instead_of_its_digest_is_not_repeated(file: Path) -> None:
    complained = complaint(file, TALUS + KEY, {"TICKER_KEYS__PARTNER__SHA256": "5ecret"})
    assert complained.startswith("environment: TICKER_KEYS__PARTNER__SHA256: is not 64 hexadecimal digits")
    assert "5ecret" not in complained
