"""Clients that nobody here wrote, on real sockets: each gets a snapshot and two updates and leaves properly.

One that isn't installed is skipped, and missed in CI: pip's come with the development tools, npm's with
.ci/clients, and Chromium and curl with the machine.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import shutil
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec
import pytest
from playwright.async_api import Browser
from websockets.asyncio.client import connect as connect_async
from websockets.sync.client import connect as connect_sync
from websockets.typing import Subprotocol

from tests.browser.conftest import browser  # noqa: F401  # a fixture
from tests.flows.contract import check
from tests.flows.test_drain import FAST, at
from ticker.app import Service, running
from ticker.clock import SystemClock
from ticker.market import Market, serving

ROOT = Path(__file__).parents[2]
NODE_MODULES = Path(os.environ.get("TICKER_CLIENTS") or ROOT / ".venv/clients") / "node_modules"
# Where pip puts programs comes before what the machine has.
PROGRAMS = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
WS = """
const WebSocket = require("ws");
const socket = new WebSocket(process.argv[1], process.argv.slice(2));
socket.on("message", (data) => console.log(data.toString()));
socket.on("close", (code) => { console.log(JSON.stringify({ type: "closed", code })); process.exit(0); });
process.stdin.on("end", () => socket.close(1000)).resume();
"""


def needed(there: object, name: str, how: str) -> None:
    if not there:
        missing = f"{name} is not installed: {how}"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)


def program(name: str, how: str) -> str:
    found = shutil.which(name, path=PROGRAMS)
    needed(found, name, how)
    return str(found)


@asynccontextmanager
async def served() -> AsyncIterator[Service]:
    """The service on made-up prices, which change four times a second; nobody is left at the end."""
    clock = SystemClock()
    async with (
        serving(Market(clock=clock)) as base,
        running(at(base), clock=clock, rng=random.Random(1)) as service,
    ):
        yield service
        async with asyncio.timeout(10):
            while len(service.feed):  # noqa: ASYNC110  # nobody tells when the last has gone
                await asyncio.sleep(0.01)


def address(service: Service, path: str = "/v1/feed", query: str = FAST) -> str:
    scheme = "ws" if path == "/v1/feed" else "http"
    return f"{service.url.replace('http', scheme, 1)}{path}?{query}"


class Watch:
    """What a client was told, held to the document and to FEED's rules; `enough` after two updates."""

    def __init__(self) -> None:
        self.kinds: list[str] = []
        self.held = -1

    @property
    def enough(self) -> bool:
        return self.kinds.count("update") >= 2

    def take(self, message: dict[str, Any]) -> None:
        check(message)
        self.kinds.append(message["type"])
        if message["type"] == "update":
            assert message["prev"] <= self.held < message["seq"]
        if "quotes" in message:
            assert list(message["quotes"]) == ["talus"] or message["recovered"]  # then it may be as it was
            self.held = message["seq"]

    def done(self) -> None:
        assert self.kinds[:2] == ["hello", "snapshot"]
        assert self.enough


# Python's


@pytest.mark.parametrize("subprotocol", [None, "ticker.v1.json", "ticker.v1.msgpack"])
async def test_websockets(subprotocol: str | None) -> None:
    offered = [Subprotocol(subprotocol)] if subprotocol else None
    async with served() as service:
        watch = Watch()
        async with connect_async(address(service), subprotocols=offered) as socket:
            assert socket.subprotocol == subprotocol
            while not watch.enough:
                said = await socket.recv()
                watch.take(json.loads(said) if isinstance(said, str) else msgspec.msgpack.decode(said))
        watch.done()
        assert service.feed.counters.closes == {1000: 1}


def read_in_a_thread(url: str) -> Watch:
    watch = Watch()
    with connect_sync(url) as socket:
        while not watch.enough:
            watch.take(json.loads(socket.recv(timeout=10)))
    return watch


async def test_websockets_without_an_event_loop() -> None:
    async with served() as service:
        (await asyncio.to_thread(read_in_a_thread, address(service))).done()
        assert service.feed.counters.closes == {1000: 1}


def read_with_websocket_client(url: str) -> Watch:
    websocket = import_module("websocket")  # it may be missing
    watch = Watch()
    socket = websocket.create_connection(url, timeout=10)
    while not watch.enough:
        watch.take(json.loads(socket.recv()))
    socket.close()
    return watch


async def test_websocket_client() -> None:
    needed(find_spec("websocket"), "websocket-client", "make .venv/.dev")
    async with served() as service:
        (await asyncio.to_thread(read_with_websocket_client, address(service))).done()
        assert service.feed.counters.closes == {1000: 1}


# Programs


@asynccontextmanager
async def started(*command: str, **environment: str) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        *command, stdin=PIPE, stdout=PIPE, env={**os.environ, **environment}, limit=1 << 20
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def lines(process: Process) -> AsyncIterator[str]:
    assert process.stdout is not None
    async with asyncio.timeout(15):
        while line := await process.stdout.readline():
            yield line.decode().rstrip("\n")


async def watched(process: Process) -> Watch:
    """The messages it prints, one a line, until there are enough."""
    watch = Watch()
    async for line in lines(process):
        watch.take(json.loads(line))
        if watch.enough:
            break
    watch.done()
    return watch


def ask_to_leave(process: Process) -> None:
    assert process.stdin is not None
    process.stdin.close()


@pytest.mark.parametrize("subprotocols", [[], ["ticker.v1.json"]], ids=["none", "json"])
async def test_ws_of_npm(subprotocols: list[str]) -> None:
    node = program("node", "apt install nodejs npm")
    needed((NODE_MODULES / "ws").exists(), "ws", "sh .ci/clients")
    async with (
        served() as service,
        started(node, "-e", WS, address(service), *subprotocols, NODE_PATH=str(NODE_MODULES)) as process,
    ):
        await watched(process)
        ask_to_leave(process)
        last = [json.loads(line) async for line in lines(process)][-1]
        assert last == {"type": "closed", "code": 1000}
        assert await process.wait() == 0
        assert service.feed.counters.closes == {1000: 1}


async def test_websocat() -> None:
    websocat = program("websocat", "make .venv/.dev")
    async with served() as service, started(websocat, "-t", address(service)) as process:
        await watched(process)
        ask_to_leave(process)
        async for _ in lines(process):
            pass
        assert await process.wait() == 0
        [code] = service.feed.counters.closes
        assert code in (1000, 1005)  # a close frame with no code in it is one, too


async def test_curl() -> None:
    curl = program("curl", "apt install curl")
    async with served() as service, started(curl, "-sN", address(service, "/v1/stream")) as process:
        watch, ids = Watch(), []
        async for line in lines(process):
            name, _, value = line.partition(": ")
            if name == "data":
                watch.take(json.loads(value))
            elif name == "id":
                ids.append(value)
            if watch.enough:
                break
        watch.done()
        assert len(ids) == 3  # a snapshot and two updates
        assert ids[-1] == f"{service.book.epoch}:{watch.held}"
        process.send_signal(signal.SIGTERM)


# Chromium's

SOCKET = """([address, protocols]) => new Promise((resolve, reject) => {
  const said = [];
  const socket = new WebSocket(address, protocols);
  socket.onmessage = ({ data }) => {
    said.push(JSON.parse(data));
    if (said.filter(({ type }) => type === "update").length === 2) socket.close(1000);
  };
  socket.onerror = () => reject(new Error("the socket failed"));
  socket.onclose = ({ code, wasClean }) =>
    resolve({ said, code, wasClean, protocol: socket.protocol, extensions: socket.extensions });
})"""

EVENTS = """(address) => {
  window.said = [];
  window.source = new EventSource(address);
  window.source.onmessage = ({ data, lastEventId }) => window.said.push([JSON.parse(data), lastEventId]);
}"""


@pytest.mark.browser
@pytest.mark.asyncio(loop_scope="session")  # the browser's
@pytest.mark.parametrize("protocols", [[], ["ticker.v1.json"]], ids=["none", "json"])
async def test_chromiums_websocket(browser: Browser, protocols: list[str]) -> None:  # noqa: F811
    async with served() as service:
        page = await browser.new_page()
        await page.goto(f"{service.url}/healthz")
        outcome = await page.evaluate(SOCKET, [address(service), protocols])
        watch = Watch()
        for message in outcome["said"]:
            watch.take(message)
        watch.done()
        assert (outcome["code"], outcome["wasClean"]) == (1000, True)
        assert outcome["protocol"] == "".join(protocols)
        assert outcome["extensions"].startswith("permessage-deflate")
        assert service.feed.counters.closes == {1000: 1}
        await page.close()


@pytest.mark.browser
@pytest.mark.asyncio(loop_scope="session")  # the browser's
async def test_chromiums_eventsource_comes_back_by_itself(browser: Browser) -> None:  # noqa: F811
    """From another origin, as an embed's is; cut off, it says where it was and gets only what changed."""
    async with served() as service:
        page = await browser.new_page()
        await page.evaluate(EVENTS, address(service, "/v1/stream"))
        await until(page, "(said) => said.filter(([{ type }]) => type === 'update').length >= 2")
        for session in tuple(service.feed._sessions):
            session.close(4202, "come back")
        await until(page, "(said) => said.filter(([{ type }]) => type === 'snapshot').length >= 2")
        said = await page.evaluate("() => { window.source.close(); return window.said; }")
        watch = Watch()
        for message, seen in said:
            watch.take(message)
            if "quotes" in message:
                assert seen == f"{service.book.epoch}:{message['seq']}"
        watch.done()
        assert [m["recovered"] for m, _ in said if m["type"] == "snapshot"] == [False, True]
        await page.close()


async def until(page: Any, wanted: str) -> None:
    await page.wait_for_function(f"() => ({wanted})(window.said)", timeout=15_000)
