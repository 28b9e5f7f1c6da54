"""Who is measured, how each is started and subscribed to, and why one is missing.

Each sends the same payload as one message to every subscriber, in the way its own documentation advises.
Refuses to download: what `install` has not brought is skipped, aloud.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct
from websockets.frames import Frame, Opcode

from bench.feed import install
from bench.feed.crowd import Greeting, handshake
from bench.feed.native import compiled
from bench.feed.server import Plan, free_port, python

HERE = Path(__file__).parent / "servers"
NCHAN = Path("/usr/lib/nginx/modules/ngx_nchan_module.so")
# With these a quote makes a frame of some 250 bytes.
FIELDS = "symbol,name,currency,price,change_1h,change_24h,as_of,state,confidence,seq"
BEAT_MS = 250
PLAIN = Greeting([handshake("/")])
INSTALL = "python -m bench.feed install"
TICK = b"GET /tick HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


class Missing(Exception):
    """Why a peer can't be measured here, and what would bring it."""


class Peer(Struct, frozen=True):
    """`plan(payload file, folder of its own)` says how to start it, or raises Missing."""

    name: str
    plan: Callable[[Path, Path], Plan]


def text(payload: str) -> bytes:
    """A client's message, masked."""
    return Frame(Opcode.TEXT, payload.encode()).serialize(mask=True)


def floor(payload: Path, folder: Path) -> Plan:
    return Plan(command=[str(compiled("floor", folder)), str(payload)], greeting=PLAIN)


def address(assets: str, *, interval: int = BEAT_MS, fields: str = FIELDS) -> str:
    """Where one subscribes to ours: `assets` with commas between, `interval` in ms, no `fields` for all."""
    return f"/v1/feed?assets={assets}&interval={interval}" + (f"&fields={fields}" if fields else "")


def ourselves(_payload: Path, _folder: Path) -> Plan:
    return feed([address("asset-0")])


def feed(addresses: list[str], *, assets: int = 1, interval: int = BEAT_MS) -> Plan:
    """Ours, subscribed to at each of `addresses` in turn; it greets with a hello and a snapshot.

    `interval` (ms) passes before each tick; with 0, time is real.
    """
    command = python("bench.feed.ours", "--assets", str(assets), "--interval", str(interval))
    return Plan(command=command, greeting=Greeting([handshake(one) for one in addresses], messages=2))


def broadcast(payload: Path, _folder: Path) -> Plan:
    return Plan(command=python("bench.feed.servers.websockets_broadcast", payload), greeting=PLAIN)


def broadcast_deflated(payload: Path, _folder: Path) -> Plan:
    command = python("bench.feed.servers.websockets_broadcast", payload, "deflate")
    offer = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"
    return Plan(command=command, greeting=Greeting([handshake("/", offer)]))


def aiohttp(payload: Path, _folder: Path) -> Plan:
    return Plan(command=python("bench.feed.servers.aiohttp_loop", payload), greeting=PLAIN)


def picows(payload: Path, _folder: Path) -> Plan:
    return Plan(
        command=python("bench.feed.servers.picows_loop", payload),
        greeting=PLAIN,
        environment=_with_packages("picows"),
    )


def uwebsockets(payload: Path, _folder: Path) -> Plan:
    port = free_port()
    return Plan(
        command=python("bench.feed.servers.socketify_publish", payload, str(port)),
        greeting=PLAIN,
        publish=port,
        tick=TICK,
        environment=_with_packages("socketify"),
    )


def node_ws(payload: Path, folder: Path) -> Plan:
    return Plan(command=[*_node("ws", "ws.mjs", folder), str(payload)], greeting=PLAIN)


def node_ws_text(payload: Path, folder: Path) -> Plan:
    return Plan(command=[*_node("ws", "ws.mjs", folder), str(payload), "text"], greeting=PLAIN)


def socket_io(payload: Path, folder: Path) -> Plan:
    """Two messages greet: engine.io's opening and the answer to our joining of the namespace."""
    greeting = Greeting([handshake("/socket.io/?EIO=4&transport=websocket")], second=text("40"), messages=2)
    return Plan(command=[*_node("socket.io", "socketio.mjs", folder), str(payload)], greeting=greeting)


def bun(payload: Path, folder: Path) -> Plan:
    program = install.bun()
    if program is None:
        raise Missing(f"bun is not installed; {INSTALL}")
    return Plan(command=[str(program), str(_beside("bun.mjs", folder)), str(payload)], greeting=PLAIN)


def nchan(payload: Path, folder: Path) -> Plan:
    nginx = shutil.which("nginx")
    if nginx is None or not NCHAN.exists():
        raise Missing("nginx with Nchan is not installed; apt install nginx libnginx-mod-nchan")
    port, body = free_port(), payload.read_bytes()
    configuration = _configured("nchan.conf", folder, PORT=port)
    head = f"POST /tick HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n\r\n"
    return Plan(
        command=[nginx, "-p", str(folder), "-e", "error.log", "-c", str(configuration)],
        greeting=PLAIN,
        port=port,
        publish=port,
        tick=head.encode() + body,
    )


def nats(payload: Path, folder: Path) -> Plan:
    """Two messages greet: INFO, and the answer to our PING, which says that the subscription stands."""
    program = shutil.which("nats-server")
    if program is None:
        raise Missing("nats-server is not installed; apt install nats-server")
    port, publish, body = free_port(), free_port(), payload.read_bytes()
    configuration = _configured("nats.conf", folder, PORT=port, PUBLISH=publish)
    unit = len(f"MSG ticks 1 {len(body)}\r\n\r\n") + len(body)
    subscribe = text('CONNECT {"verbose":false}\r\nSUB ticks 1\r\nPING\r\n')
    return Plan(
        command=[program, "-c", str(configuration)],
        greeting=Greeting([handshake("/")], second=subscribe, messages=2, unit=unit),
        port=port,
        publish=publish,
        hello=b'CONNECT {"verbose":false}\r\n',
        tick=f"PUB ticks {len(body)}\r\n".encode() + body + b"\r\n",
    )


def _with_packages(name: str) -> dict[str, str]:
    if not (install.python_packages() / name).is_dir():
        raise Missing(f"{name} is not installed; {INSTALL}")
    return {"PYTHONPATH": str(install.python_packages())}


def _node(package: str, script: str, folder: Path) -> list[str]:
    node = shutil.which("node")
    if node is None or not (install.node_modules() / package).is_dir():
        raise Missing(
            f"node or its package {package} is not installed; apt install nodejs npm, then {INSTALL}"
        )
    return [node, str(_beside(script, folder))]


def _beside(script: str, folder: Path) -> Path:
    """The script where an import finds the installed packages: next to them."""
    (folder / "node_modules").symlink_to(install.node_modules())
    return Path(shutil.copy(HERE / script, folder))


def _configured(name: str, folder: Path, **ports: int) -> Path:
    text, file = (HERE / name).read_text(encoding="utf-8"), folder / name
    for word, port in ports.items():
        text = text.replace(f":{word}", f":{port}")
    file.write_text(text, encoding="utf-8")
    return file


FLOOR = Peer("bare C send()", floor)
OURS = Peer("ticker", ourselves)
PEERS = (
    FLOOR,
    OURS,
    Peer("uWebSockets (socketify)", uwebsockets),
    Peer("Bun publish", bun),
    Peer("nginx, Nchan", nchan),
    Peer("picows", picows),
    Peer("aiohttp send_str", aiohttp),
    Peer("ws, bytes", node_ws),
    Peer("ws, a string", node_ws_text),
    Peer("Socket.IO", socket_io),
    Peer("nats-server", nats),
    Peer("websockets.broadcast", broadcast),
    Peer("the same, deflated", broadcast_deflated),
)
