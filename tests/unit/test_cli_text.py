"""What the command line writes: lines and tables that read well, a file that loads, errors, exit statuses."""

from __future__ import annotations

import hashlib
import io
import resource
import socket
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from rich.console import Console
from rich.table import Table

from tests.unit.conftest import (
    NOW,
    ManualClock,
    Upstream,
    asset,
    day,
    hello,
    pair,
    says,
    snapshot,
    tick,
    wire,
)
from ticker import __version__
from ticker.book import QuoteBook
from ticker.cli import check as check_command
from ticker.cli import main
from ticker.cli.init import commented
from ticker.cli.serve import allow_files
from ticker.cli.watch import line, row, signed, table, watch
from ticker.client import FeedClient, connect
from ticker.config import Config, load, settings
from ticker.errors import FeedError
from ticker.sampling import Ages
from ticker.sources import VENUES
from ticker.wire import QuoteObject

TALUS = pair("mexc:USUSDT", "USDT")


def quote(**more: Any) -> QuoteObject:
    sent = {"asset": "talus", **wire("0.01021"), "change_24h": "0.19", "change_24h_basis": "rolling", **more}
    return msgspec.convert(sent, QuoteObject)


def drawn(shown: Table, width: int = 100) -> str:
    console = Console(file=io.StringIO(), width=width, no_color=True)
    console.print(shown)
    file = console.file
    assert isinstance(file, io.StringIO)
    return file.getvalue()


async def client(url: str = "http://127.0.0.1:8080", *, connected: bool = True) -> FeedClient:
    async with connect(url, ["*"]) as feed:
        feed.connected = connected
        feed.quotes["talus"] = quote()
        return feed


# watch, one line a change


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ({}, "talus 0.01021 USD +0.19% live"),
        ({"change_24h": "-0.70", "state": "stale"}, "talus 0.01021 USD −0.70% stale"),
        ({"change_24h": None}, "talus 0.01021 USD live"),
        ({"price": None, "change_24h": None, "state": "unavailable"}, "talus unavailable unavailable"),
        ({"currency": "USDT", "demo": True}, "talus 0.01021 USDT +0.19% live demo"),
    ],
)
def test_a_quote_is_one_line(more: dict[str, Any], text: str) -> None:
    assert line(quote(**more)) == text


@pytest.mark.parametrize(
    ("percent", "text"),
    [("0.19", "+0.19"), ("-0.70", "−0.70"), ("0.00", "0.00"), ("10.00", "+10.00"), ("-100.00", "−100.00")],
)
def test_a_change_shows_its_sign_and_nothing_has_none(percent: str, text: str) -> None:
    assert signed(percent) == text


async def test_a_feed_that_is_no_terminal_is_written_line_by_line(capsys: pytest.CaptureFixture[str]) -> None:
    upstream = Upstream(says(hello(), snapshot("0.01021"), close=(4001, "that is all")))
    async with upstream.serving():
        with pytest.raises(FeedError, match="that is all"):
            await watch(upstream.url, ["talus"], Console(file=io.StringIO()))
    assert capsys.readouterr().out == "talus 0.01021 USD live\n"


# watch, the table


async def test_the_table_shows_price_change_and_age() -> None:
    text = drawn(table(await client(), "http://127.0.0.1:8080", NOW + 3_999))
    assert [row.split() for row in text.splitlines()] == [
        ["http://127.0.0.1:8080"],
        ["price", "24", "h", "state"],
        ["Talus", "(US)", "0.01021", "USD", "▲", "+0.19%", "live,", "3", "s", "old"],
    ]


async def test_the_table_says_when_it_is_cut_off_and_calls_no_price_live_then() -> None:
    feed = await client(connected=False)
    feed.trouble = "no answer"
    text = drawn(table(feed, "http://127.0.0.1:8080", NOW))
    assert "not connected: no answer" in text
    assert "stale, 0 s old" in text
    assert "live" not in text


async def test_demo_prices_are_called_so_in_the_title() -> None:
    feed = await client()
    assert "demo" not in drawn(table(feed, "http://127.0.0.1:8080", NOW))
    feed.quotes["talus"] = quote(demo=True)
    assert "http://127.0.0.1:8080 · demo prices" in drawn(table(feed, "http://127.0.0.1:8080", NOW))


def test_what_is_unknown_is_a_dash_and_never_nothing() -> None:
    unknown = quote(price=None, change_24h=None, as_of=None, state="unavailable")
    cells = [cell.plain for cell in row(unknown, NOW, connected=True)]
    assert cells == ["Talus (US)", "–", "USD", "–", "unavailable"]


def test_a_price_from_a_clock_ahead_of_ours_is_not_older_than_now() -> None:
    assert row(quote(as_of=NOW + 5_000), NOW, connected=True)[-1].plain == "live, 0 s old"


@pytest.mark.parametrize(
    ("percent", "text", "style"),
    [("0.19", "▲ +0.19%", "green"), ("-0.70", "▼ −0.70%", "red"), ("0.00", "0.00%", "green")],
)
def test_a_change_has_an_arrow_beside_its_colour(percent: str, text: str, style: str) -> None:
    change = row(quote(change_24h=percent), NOW, connected=True)[3]
    assert (change.plain, change.style) == (text, style)


def test_brackets_in_a_name_are_a_name() -> None:
    assert row(quote(name="[red]Talus[/]"), NOW, connected=True)[0].plain == "[red]Talus[/] (US)"


async def test_brackets_in_the_server_s_words_are_words() -> None:
    feed = await client(connected=False)
    feed.trouble = "closed [/for good]"
    assert "closed [/for good]" in drawn(table(feed, "http://127.0.0.1:8080", NOW))


async def test_an_ipv6_address_stands_in_the_title() -> None:
    assert "http://[fd00::1]:8080" in drawn(table(await client(), "http://[fd00::1]:8080", NOW))


async def test_a_refusal_comes_through_the_live_table_as_itself() -> None:
    async with Upstream(statuses=[(404, b"")]).serving() as upstream:
        with pytest.raises(FeedError):
            await watch(upstream.url, ["nope"], Console(file=io.StringIO(), force_terminal=True))


# init


def settled(config: Config) -> Config:
    """With every source's settings spelled out, whether or not they were written."""
    sources = {}
    for name, venue in VENUES.items():
        options = config.source(name)
        interval = options.interval or venue.interval
        sources[name] = replace(options, base_url=venue.address(options), interval=interval)
    return replace(config, sources=sources)


# Sections that hold what the operator names: there is nothing to write in them beforehand.
BY_NAME = ("assets", "json", "keys")


def test_the_commented_file_changes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "ticker.toml"
    file.write_text(commented(), encoding="utf-8")
    assert settled(load(file, {})) == settled(load(None, {}))


def test_the_commented_file_tells_of_every_setting() -> None:
    text = commented()
    for setting in settings():
        if setting.keys[0] not in BY_NAME:
            assert f"\n# {setting.description}\n# {setting.keys[-1]} = " in text


WITH_DEFAULT = [s for s in settings() if s.keys[0] not in BY_NAME and s.default is not None]
WITHOUT = [s for s in settings() if s.keys[0] not in BY_NAME and s.default is None]


def uncommented(keys: tuple[str, ...]) -> str:
    """The file with the `#` taken away from one setting's line."""
    head, section, rest = commented().partition(f"\n[{'.'.join(keys[:-1])}]\n")
    assert f"\n# {keys[-1]} = " in rest
    return head + section + rest.replace(f"\n# {keys[-1]} = ", f"\n{keys[-1]} = ", 1)


@pytest.mark.parametrize("setting", WITH_DEFAULT, ids=lambda setting: setting.name)
def test_a_line_without_its_comment_sign_is_the_default(tmp_path: Path, setting: Any) -> None:
    file = tmp_path / "ticker.toml"
    file.write_text(uncommented(setting.keys), encoding="utf-8")
    assert settled(load(file, {})) == settled(load(None, {}))


@pytest.mark.parametrize("setting", WITHOUT, ids=lambda setting: setting.name)
def test_a_line_of_what_has_no_default_is_no_other_value(tmp_path: Path, setting: Any) -> None:
    file = tmp_path / "ticker.toml"
    file.write_text(uncommented(setting.keys), encoding="utf-8")
    assert settled(load(file, {})) == settled(load(None, {}))


def test_init_writes_once_and_never_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "new.toml"
    assert main(["init", str(file)]) == 0
    assert file.read_text(encoding="utf-8") == commented()
    assert f"ticker serve --config {file}" in capsys.readouterr().out
    file.write_text("mine", encoding="utf-8")
    assert main(["init", str(file)]) == 2
    assert file.read_text(encoding="utf-8") == "mine"
    assert capsys.readouterr().err.startswith(f"ticker: {file}: is there already")


def test_init_says_where_it_can_t_write(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", str(tmp_path / "none" / "t.toml")]) == 2
    assert "can't be written: No such file or directory" in capsys.readouterr().err


# check


def checked(*ticks: Any) -> str:
    ages = dict.fromkeys(("mexc", "coingecko"), Ages())
    listed = asset("talus", TALUS, pair("coingecko:talus"))
    book = QuoteBook([listed], clock=ManualClock(), epoch="check", ages=ages)
    book.apply(ticks)
    return drawn(check_command._table(book, NOW), width=120)


def test_check_shows_what_each_source_said_how_old_and_how_far_apart() -> None:
    said = checked(
        tick(TALUS, "1.234E-5", age=1_500, change_24h=day("-0.7")),
        tick(pair("coingecko:talus"), "0.00001235"),
    )
    assert [row.split() for row in said.splitlines()[1:]] == [
        ["talus", "mexc", "USUSDT", "0.00001234", "USDT", "-0.70%", "1.5", "s", "no", "USDT", "rate"],
        ["talus", "coingecko", "talus", "0.00001235", "USD", "–", "0.0", "s", "+0.000%"],
    ]


def test_check_shows_no_minus_nothing() -> None:
    assert "-0.00%" not in checked(tick(pair("coingecko:talus"), "1", change_24h=day("-0.001")))


def test_check_can_be_run(tmp_path: Path) -> None:
    file = tmp_path / "t.toml"
    file.write_text('[server]\nlisen = "x"\n', encoding="utf-8")
    assert main(["check", "--config", str(file)]) == 2


# Exit statuses


@pytest.mark.parametrize("command", [["serve"], ["snippet", "quote", "talus"]])
def test_a_configuration_that_can_t_be_used_is_exit_2_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    file = tmp_path / "t.toml"
    file.write_text('[server]\nlisen = "x"\n', encoding="utf-8")
    assert main([*command, "--config", str(file)]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err == f"ticker: {file}: server.lisen: unknown key; did you mean listen?\n"


def test_an_address_in_use_is_exit_2_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        assert main(["serve", "--listen", listen]) == 2
    assert capsys.readouterr().err.startswith(f"ticker: server.listen: can't listen on {listen}: ")


def test_an_asset_that_is_not_there_names_the_nearest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["snippet", "quote", "tallus"]) == 1
    assert capsys.readouterr().err == "ticker: no asset 'tallus'; did you mean talus?\n"


def test_a_service_s_address_that_is_none_is_exit_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["watch", "talus", "--url", "nowhere"]) == 1
    assert "'nowhere' is not an address such as http://127.0.0.1:8080" in capsys.readouterr().err


@pytest.mark.parametrize(("argv", "status"), [(["--version"], 0), (["--help"], 0), ([], 2), (["nope"], 2)])
def test_help_is_0_and_nonsense_is_2(
    argv: list[str], status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(argv)
    assert ended.value.code == status
    assert argv != ["--version"] or capsys.readouterr().out == f"ticker {__version__}\n"


@pytest.mark.parametrize("listen", [":8080", "0.0.0.0:8080"])
def test_a_snippet_never_names_every_interface(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], listen: str
) -> None:
    file = tmp_path / "t.toml"
    file.write_text(f'[server]\nlisten = "{listen}"\n', encoding="utf-8")
    assert main(["snippet", "quote", "talus", "--config", str(file)]) == 0
    assert "http://127.0.0.1:8080" in capsys.readouterr().out


# Keys


def test_a_key_is_shown_once_and_its_lines_let_it_in(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["key", "partner"]) == 0
    lines, shown = capsys.readouterr()
    key = shown.removeprefix("The key, shown this once: ").rstrip("\n")
    assert len(key) >= 43
    assert key not in lines
    file = tmp_path / "ticker.toml"
    file.write_text(lines, encoding="utf-8")
    assert load(file, {}).keys["partner"].sha256 == hashlib.sha256(key.encode()).hexdigest()


def test_no_two_keys_are_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    shown = set()
    for _ in range(3):
        main(["key", "partner"])
        shown.add(capsys.readouterr())
    assert len(shown) == 3


@pytest.mark.parametrize("name", ["Partner", "my partner", "a.b", "", "-"])
def test_a_name_that_no_key_can_have_is_status_2(capsys: pytest.CaptureFixture[str], name: str) -> None:
    assert main(["key", "--", name]) == 2
    out, err = capsys.readouterr()
    assert (out, err) == ("", f"ticker: {name!r}: a key's name is lower-case letters, digits and hyphens\n")


def test_the_service_may_open_as_many_files_as_the_system_lets_it(caplog: pytest.LogCaptureFixture) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    caplog.set_level("DEBUG")
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(1000, hard), hard))
        allow_files()
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (hard, hard)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert [record.getMessage() for record in caplog.records] == [f"open files: at most {hard}"]
