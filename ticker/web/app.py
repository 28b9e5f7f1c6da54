"""The web server: one aiohttp application on one port, put together from the routes it is handed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Annotated, cast

from aiohttp import web
from msgspec import Meta, Struct

from ticker.errors import ConfigError
from ticker.web.admission import Door
from ticker.web.edge import edge
from ticker.web.heads import HEAD_SECONDS, Heads, Visitor

# Whose pages may read an application's answers.
DOOR = web.AppKey("DOOR", Door)
# Where browsers look for the icon of a page that names none, and where ours is.
SOUGHT, ICON = "/favicon.ico", "/favicon.svg"


class Options(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the service listens and what it calls itself."""

    listen: Annotated[str, Meta(description="Address and port to listen on; port 0 takes a free one.")] = (
        "127.0.0.1:8080"
    )
    public_url: Annotated[
        str | None,
        Meta(description="The address readers reach it at, for snippets and links. Else each request's own."),
    ] = None
    drain_seconds: Annotated[
        float,
        Meta(description="Seconds over which a stop lets sessions go; few sessions take less.", ge=0, le=300),
    ] = 30
    reuse_port: Annotated[
        bool, Meta(description="true: several processes may listen on the port, and share what comes.")
    ] = False

    def __post_init__(self) -> None:
        split_address(self.listen)


class Listening(str):
    """http://host:port, where `serving` listens until it is told to stop."""

    __slots__ = ("listener",)
    listener: asyncio.Server

    def __new__(cls, url: str, listener: asyncio.Server) -> Listening:
        made = super().__new__(cls, url)
        made.listener = listener
        return made

    @property
    def url(self) -> str:
        return str(self)

    async def stop_listening(self) -> None:
        """Take no more connections; those there are stay served until the block of `serving` ends."""
        self.listener.close()


def application(routes: Iterable[web.AbstractRouteDef], door: Door | None = None) -> web.Application:
    """All `routes` on one port, for `serving`; an icon among them answers where browsers seek one, too.

    `door` says whose pages may read the answers; without one, everybody's.
    """
    named = list(routes)
    icons = [route for route in named if isinstance(route, web.RouteDef) and route.path == ICON]
    app = web.Application(client_max_size=65536)
    app[DOOR] = door or Door()
    app.add_routes([*named, *(web.get(SOUGHT, icon.handler) for icon in icons)])
    return app


def split_address(listen: str) -> tuple[str, int]:
    """`host:port`, `[v6]:port` or `:port`. ValueError for anything else."""
    host, colon, port = listen.rpartition(":")
    if not colon or not port.isdigit() or int(port) > 65535:
        raise ValueError(f"listen: {listen!r} is not host:port, such as 127.0.0.1:8080")
    return host.strip("[]") or "0.0.0.0", int(port)  # noqa: S104  # ":8080" asks for every interface


def reachable(listen: str, bound: int | None = None) -> str:
    """The address a reader on this machine can use; `bound` is the port where `listen` took a free one."""
    host, port = split_address(listen)
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  # compared, not listened on
    return f"http://{f'[{host}]' if ':' in host else host}:{bound or port}"


@asynccontextmanager
async def serving(
    app: web.Application, listen: str, *, reuse_port: bool = False, head_seconds: float = HEAD_SECONDS
) -> AsyncIterator[Listening]:
    """Serve until the block ends; ConfigError when the address can't be had.

    A connection has `head_seconds` for each request's head.
    """
    runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=1.0)
    await runner.setup()
    heads = Heads(head_seconds)
    try:
        listener = await _listening(runner, heads, listen, reuse_port=reuse_port)
        try:
            yield Listening(reachable(listen, listener.sockets[0].getsockname()[1]), listener)
        finally:
            listener.close()
    finally:
        heads.stop()
        await runner.cleanup()


async def _listening(runner: web.AppRunner, heads: Heads, listen: str, *, reuse_port: bool) -> asyncio.Server:
    host, port = split_address(listen)
    server = cast("web.Server", runner.server)  # there is one once the runner is set up
    server.request_handler = edge(server.request_handler, runner.app[DOOR].headers)
    try:
        return await asyncio.get_running_loop().create_server(
            lambda: Visitor(server, heads), host, port, backlog=4096, reuse_port=reuse_port or None
        )
    except OSError as error:
        raise ConfigError(f"can't listen on {listen}: {error.strerror}", key="server.listen") from error
    except ValueError as error:
        raise ConfigError("this system can't share a port", key="server.reuse_port") from error
