"""A source of the operator's own, from configuration alone: any endpoint that answers with JSON."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest
from aiohttp import web

from ticker.app import running
from ticker.client import connect
from ticker.config import load
from ticker.errors import ConfigError

OWN = """
[json.acme]
url = "{base}/v1/price?token={{symbol}}"
price = "data.0.price"
change = "data.0.chg"
change_unit = "fraction"
quote = "USD"

[assets.talus]
symbol = "US"
name = "Talus"
pairs = ["json:acme:US"]

[currency.rates]
source = "off"

[history]
path = ""
"""


async def test_a_price_of_an_endpoint_nobody_knew_is_a_quote(tmp_path: Path):
    async def price(request: web.Request) -> web.Response:
        assert request.query_string == "token=US"
        return web.json_response({"data": [{"price": "0.010210000000000001", "chg": 0.0019}]})

    app = web.Application()
    app.add_routes([web.get("/v1/price", price)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    file = tmp_path / "ticker.toml"
    file.write_text(OWN.format(base=f"http://127.0.0.1:{runner.addresses[0][1]}"))
    config = load(file, {}, {"server.listen": "127.0.0.1:0"})
    async with (
        running(config, rng=random.Random(1)) as service,
        asyncio.timeout(5),
        connect(service.url, ["talus"], interval=250) as feed,
    ):
        async for quote in feed:
            if quote.price is not None:
                break
    await runner.cleanup()
    assert (quote.price, quote.change_24h, quote.currency) == ("0.010210000000000001", "0.19", "USD")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            '[json.acme]\nurl = "https://x/{symbol}"\nprise = "p"\n',
            "json.acme.prise: unknown key; did you mean price?",
        ),
        ('[assets.a]\nsymbol="A"\nname="A"\npairs=["json:acme:A"]\n', "unknown venue 'json:acme'"),
        (
            '[assets.a]\nsymbol="A"\nname="A"\npairs=["coinmarketcap:1"]\n',
            "sources.coinmarketcap.key: CoinMarketCap",
        ),
        ('[assets.a]\nsymbol="A"\nname="A"\npairs=["ccxt:nonesuch:A/USDT"]\n', "nonesuch"),
    ],
)
def test_what_cannot_be_asked_is_said_before_anything_starts(tmp_path: Path, text: str, said: str):
    file = tmp_path / "ticker.toml"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load(file, {})
    assert said in str(caught.value)
