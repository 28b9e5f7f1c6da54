"""`python -m ticker` as an operator meets it: what each command prints, and how it ends."""

from __future__ import annotations

import asyncio
import os
import pty
import re
import shlex
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import aiohttp
import pytest

from tests.flows.conftest import configured, environment
from ticker.app import running
from ticker.cli import main
from ticker.clock import SystemClock
from ticker.market import Fault, Market, serving
from ticker.sources import VENUES

ESCAPE = re.compile(r"\x1b\[[?\d;]*[A-Za-z]")
COLOUR = re.compile(r"\x1b\[(?:\d+;)*(?:3[0-8]|9[0-7])[;m]")
COMMANDS = ("serve", "demo", "watch", "snippet", "check", "key", "init")


class Ended(NamedTuple):
    status: int
    out: str
    err: str


async def shell(line: str, folder: Path, **added: str) -> Ended:
    """What a shell line prints and how it ends, within ten seconds."""
    process = await asyncio.create_subprocess_exec(
        "bash", "-o", "pipefail", "-c", line,
        cwd=folder, env=environment(**added), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    async with asyncio.timeout(10):
        out, err = await process.communicate()
    return Ended(process.returncode or 0, out.decode(), err.decode())


async def ticker(folder: Path, *arguments: str, **added: str) -> Ended:
    return await shell(shlex.join([sys.executable, "-m", "ticker", *arguments]), folder, **added)


def config(folder: Path, base: str = "http://127.0.0.1:9", more: str = "") -> Path:
    file = folder / "own.toml"
    file.write_text(
        f"""
[sources.mexc]
base_url = "{base}/mexc"
[sources.binance]
base_url = "{base}/binance"
[currency]
pegs = {{ USDT = "USD" }}
[assets.talus]
symbol = "US"
name = "Talus"
pairs = ["mexc:USUSDT"]
[assets.bitcoin]
symbol = "BTC"
name = "Bitcoin"
pairs = ["binance:BTCUSDT"]
{more}""",
        "utf-8",
    )
    return file


def complaint(ended: Ended) -> str:
    """The one line of an error; a trace is a defect."""
    assert "Traceback" not in ended.err, ended.err
    lines = [line for line in ESCAPE.sub("", ended.err).splitlines() if line.startswith("ticker: ")]
    assert len(lines) == 1, ended.err
    return lines[0]


@asynccontextmanager
async def service() -> AsyncIterator[str]:
    clock = SystemClock()
    async with (
        serving(Market(clock=clock)) as base,
        running(configured(base, interval=0.5), clock=clock) as running_one,
    ):
        yield running_one.url


async def test_help_of_each_command(tmp_path: Path) -> None:
    whole = await ticker(tmp_path, "--help")
    assert (whole.status, whole.err) == (0, "")
    for command in COMMANDS:
        assert re.search(rf"^ +{command} +\w", whole.out, re.MULTILINE)
        ended = await ticker(tmp_path, command, "--help")
        assert (ended.status, ended.err) == (0, "")
        assert ended.out.startswith(f"usage: ticker {command} ")


async def test_version(tmp_path: Path) -> None:
    assert re.fullmatch(r"ticker \d+\.\d+\.\d+\n", (await ticker(tmp_path, "--version")).out)


@pytest.mark.parametrize(
    "arguments",
    [(), ("dance",), ("serve", "--colour"), ("snippet", "chart"), ("demo", "--seed", "x")],
    ids=" ".join,
)
async def test_asked_wrongly_is_status_2(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    ended = await ticker(tmp_path, *arguments)
    assert (ended.status, ended.out) == (2, "")
    assert ended.err.startswith("usage: ticker")


WRONG = {
    "key": ('[server]\nlistn = "127.0.0.1:0"', ("own.toml", "server.listn", "listen")),
    "venue": ("[sources.binanse]\n", ("own.toml", "sources.binanse", "binance")),
    "pair's venue": ('[assets.x]\nsymbol="X"\nname="X"\npairs=["mecx:XUSDT"]', ("assets.x", "mexc")),
    "currency": ('[assets.x]\nsymbol="X"\nname="X"\npairs=["mexc:XYZ"]', ("assets.x", "mexc:XYZ", "quote")),
    "same id": ('[assets.talus]\nsymbol="X"\nname="X"\npairs=["mexc:X"]', ("own.toml", "talus", "twice")),
    "value": ('[server]\nlisten = "nowhere"', ("own.toml", "server.listen", "host:port")),
    "toml": ("[server\n", ("own.toml", "TOML")),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_configuration_that_cannot_be_used_is_one_clear_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], wrong: str
) -> None:
    text, words = WRONG[wrong]
    status = main(["serve", "--config", str(config(tmp_path, more=text))])
    ended = Ended(status, *capsys.readouterr())
    assert (ended.status, ended.out) == (2, "")
    said = complaint(ended)
    assert all(word in said for word in words), said


async def test_an_unknown_key_ends_the_process_with_status_2(tmp_path: Path) -> None:
    text, words = WRONG["key"]
    ended = await ticker(tmp_path, "serve", "--config", str(config(tmp_path, more=text)))
    assert (ended.status, ended.out) == (2, "")
    assert all(word in complaint(ended) for word in words)


async def test_a_configuration_that_is_not_there_is_status_2(tmp_path: Path) -> None:
    ended = await ticker(tmp_path, "serve", "--config", "nowhere.toml")
    assert ended.status == 2
    assert "nowhere.toml" in complaint(ended)


async def test_an_unknown_variable_names_the_nearest(tmp_path: Path) -> None:
    ended = await ticker(tmp_path, "serve", TICKER_SERVER__LISTN="127.0.0.1:0")
    assert ended.status == 2
    assert "TICKER_SERVER__LISTEN" in complaint(ended)


async def test_an_address_in_use_is_one_clear_line(tmp_path: Path) -> None:
    async with service() as url:
        taken = url.removeprefix("http://")
        ended = await ticker(tmp_path, "serve", "--config", str(config(tmp_path)), "--listen", taken)
    assert ended.status == 2
    assert taken in complaint(ended)


async def test_a_history_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    file = config(tmp_path, more='[history]\npath = "nowhere/history.sqlite"')
    ended = await ticker(tmp_path, "serve", "--config", str(file), "--listen", "127.0.0.1:0")
    assert ended.status == 1
    assert "nowhere" in complaint(ended)


async def test_check_shows_what_each_source_says(tmp_path: Path) -> None:
    async with serving(Market(clock=SystemClock())) as base:
        ended = await ticker(tmp_path, "check", "--config", str(config(tmp_path, base)))
    assert (ended.status, ended.err) == (0, "")
    for word in ("mexc up", "binance up", "talus", "USUSDT", "bitcoin", "BTCUSDT", "USDT", "%"):
        assert word in ended.out


async def test_check_fails_with_a_source_that_does(tmp_path: Path) -> None:
    market = Market(clock=SystemClock())
    market.fail("mexc", Fault.geo_blocked())
    async with serving(market) as base:
        ended = await ticker(tmp_path, "check", "--config", str(config(tmp_path, base)))
    assert ended.status == 1
    assert "MEXC refuses us (403)" in ended.out
    assert "no price: talus" in ended.out


@pytest.mark.parametrize(
    ("form", "parts"),
    [
        ("element", ("<price-ticker", 'asset="talus"', "https://prices.example.com/embed.js")),
        ("iframe", ("<iframe", "https://prices.example.com/widgets/quote?asset=talus", "width=", "height=")),
        ("image", ("<img", "https://prices.example.com/widgets/quote.svg?asset=talus", "alt=")),
    ],
)
async def test_snippet_is_what_to_paste_and_nothing_else(
    tmp_path: Path, form: str, parts: tuple[str, ...]
) -> None:
    asked = ("snippet", "quote", "talus", "--url", "https://prices.example.com", "--form", form)
    ended = await ticker(tmp_path, *asked, "--config", str(config(tmp_path)))
    assert (ended.status, ended.err) == (0, "")
    assert all(part in ended.out for part in parts), ended.out


async def test_snippet_of_an_unknown_asset_names_the_nearest(tmp_path: Path) -> None:
    ended = await ticker(tmp_path, "snippet", "quote", "tallus", "--config", str(config(tmp_path)))
    assert (ended.status, ended.out) == (1, "")
    assert "did you mean talus?" in complaint(ended)


async def test_init_writes_a_configuration_that_serves(tmp_path: Path) -> None:
    made = await ticker(tmp_path, "init")
    assert (made.status, made.err) == (0, "")
    assert "[assets.talus]" in (tmp_path / "ticker.toml").read_text("utf-8")
    again = await ticker(tmp_path, "init")
    assert again.status == 2
    assert "there already" in complaint(again)
    async with serving(Market(clock=SystemClock())) as base:
        addresses = {f"TICKER_SOURCES__{venue.upper()}__BASE_URL": f"{base}/{venue}" for venue in VENUES}
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "ticker", "serve", "--listen", "127.0.0.1:0",
            cwd=tmp_path, env=environment(**addresses), stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert process.stderr is not None
        async with asyncio.timeout(10):
            log = (await process.stderr.readuntil(b"assets from")).decode()
            assert "configuration: ticker.toml" in log
            [url] = re.findall(r"listening on (http://\S+)", log)
            async with aiohttp.ClientSession(url) as http, http.get("/v1/assets") as response:
                assert len((await response.json())["assets"]) >= 20
            process.send_signal(signal.SIGTERM)
            await process.communicate()
    assert process.returncode == 0
    assert (tmp_path / "ticker.sqlite").stat().st_size > 0


async def test_watch_piped_into_head_ends_quietly(tmp_path: Path) -> None:
    async with service() as url:
        watch = shlex.join([sys.executable, "-m", "ticker", "watch", "--url", url])
        ended = await shell(f"{watch} | head -n 2", tmp_path)
    assert (ended.status, ended.err) == (0, "")
    assert len(ended.out.splitlines()) == 2
    assert "\x1b" not in ended.out


async def test_watching_an_unknown_asset_is_told(tmp_path: Path) -> None:
    async with service() as url:
        ended = await ticker(tmp_path, "watch", "nope", "--url", url)
    assert (ended.status, ended.out) == (1, "")
    assert "nope" in complaint(ended)


async def test_watching_what_is_no_address_is_told(tmp_path: Path) -> None:
    ended = await ticker(tmp_path, "watch", "--url", "nowhere")
    assert ended.status == 1
    assert "http://" in complaint(ended)


async def on_terminal(folder: Path, url: str, *assets: str, until: str | None, **added: str) -> Ended:
    """`ticker watch` on a terminal, interrupted as soon as it has shown `until`."""
    master, slave = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "ticker", "watch", "--url", url, *assets,
        cwd=folder, env=environment(TERM="xterm-256color", COLUMNS="100", **added),
        stdin=slave, stdout=slave, stderr=slave,
    )  # fmt: skip
    os.close(slave)
    stream = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(stream), os.fdopen(master, "rb", buffering=0)
    )
    shown = ""
    async with asyncio.timeout(10):
        with suppress(OSError):  # a terminal whose last user is gone
            while data := await stream.read(65536):
                shown += data.decode()
                if until is not None and until in shown and process.returncode is None:
                    process.send_signal(signal.SIGINT)
                    until = None
        await process.wait()
    transport.close()
    return Ended(process.returncode or 0, shown, shown)


async def test_watch_on_a_terminal_is_a_table_in_colour_until_interrupted(tmp_path: Path) -> None:
    async with service() as url:
        ended = await on_terminal(tmp_path, url, "talus", until="Talus")
    assert ended.status == 0
    assert "demo prices" in ended.out
    assert COLOUR.search(ended.out)
    assert "Traceback" not in ended.out


async def test_no_color_is_heeded(tmp_path: Path) -> None:
    async with service() as url:
        ended = await on_terminal(tmp_path, url, "talus", until="Talus", NO_COLOR="1")
    assert ended.status == 0
    assert not COLOUR.search(ended.out)


async def test_watching_an_unknown_asset_on_a_terminal_is_told(tmp_path: Path) -> None:
    async with service() as url:
        ended = await on_terminal(tmp_path, url, "nope", until=None)
    assert ended.status == 1
    assert "nope" in complaint(ended)
