"""The web server: one aiohttp application on one port, put together from the routes it is handed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Annotated

from aiohttp import web
from msgspec import Meta, Struct

from ticker.errors import ConfigError
from ticker.web.access import compressed, errors_as_json, open_to_all


class Options(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the service listens and what it calls itself."""

    listen: Annotated[str, Meta(description="Address and port to listen on; port 0 takes a free one.")] = (
        "127.0.0.1:8080"
    )
    public_url: Annotated[
        str | None,
        Meta(description="The address readers reach it at, for snippets and links. Else each request's own."),
    ] = None

    def __post_init__(self) -> None:
        split_address(self.listen)


def application(routes: Iterable[web.AbstractRouteDef]) -> web.Application:
    app = web.Application(middlewares=[compressed, open_to_all, errors_as_json], client_max_size=65536)
    app.add_routes(routes)
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
async def serving(app: web.Application, listen: str) -> AsyncIterator[str]:
    """Serve until the block ends; yields http://host:port. ConfigError when the address can't be had."""
    host, port = split_address(listen)
    runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=1.0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port, backlog=4096)
        try:
            await site.start()
        except OSError as error:
            raise ConfigError(f"can't listen on {listen}: {error.strerror}", key="server.listen") from error
        yield reachable(listen, runner.addresses[0][1])
    finally:
        await runner.cleanup()
