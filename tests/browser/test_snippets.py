"""Each snippet where it is pasted: on another site's page, under the policy it asks for, in a real browser.

React, Vue and what compiles them come from npm, below .venv/frameworks: skipped without npm, missed in CI.
AMP serves its runtime and its validator's rules from its own host only, so of that form the frame and its
sandbox are tried here, and its attributes in tests/unit/test_snippets.py.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import struct
import zlib
from asyncio.subprocess import PIPE
from html import escape
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from markdown_it import MarkdownIt

from tests.unit.test_snippets import HOSTILE, Tags
from ticker.model import Asset
from widgets.kinds import KINDS
from widgets.params import read
from widgets.snippets import snippet

pytestmark = pytest.mark.browser

FRAMEWORKS = Path(os.environ.get("TICKER_FRAMEWORKS") or Path(__file__).parents[2] / ".venv/frameworks")
PINNED = {"react": "19.3.1", "react-dom": "19.3.1", "vue": "3.5.45", "esbuild": "0.28.2"}
PRICE = '[data-f="price"]'
NONCE = "bm9uY2U"
BASE = "default-src 'none'; style-src-attr 'unsafe-inline'"
HOST = '<!doctype html><meta charset="utf-8"><title>Host</title><p>before</p>{}<p>after</p>'
SHIFT = """
window.shift = 0;
new PerformanceObserver((list) => list.getEntries().forEach((entry) => (shift += entry.value)))
  .observe({ type: "layout-shift", buffered: true });
"""
INSIDE = "(({ scrollWidth, scrollHeight }) => [scrollWidth, scrollHeight])(document.documentElement)"
SETTLED = "new Promise((done) => requestAnimationFrame(() => setTimeout(() => done(shift))))"
DEFINED = {  # of the builds that warn
    "process.env.NODE_ENV": '"development"',
    "__VUE_OPTIONS_API__": "true",
    "__VUE_PROD_DEVTOOLS__": "false",
    "__VUE_PROD_HYDRATION_MISMATCH_DETAILS__": "false",
}
MOUNT_REACT = """
import { createRoot } from "react-dom/client";
createRoot(document.getElementById("root")).render(<><LivePrice /><LivePrice /></>);
"""
MOUNT_VUE = """
import { createApp } from "vue";
createApp(LivePrice).mount("#root");
"""
COMPILE_VUE = """
const { parse, compileScript } = require("vue/compiler-sfc");
const source = require("fs").readFileSync(0, "utf8");
const isCustomElement = eval(source.match(/isCustomElement: (\\(tag\\) => .*?) \\}/)[1]);
const compilerOptions = { isCustomElement };
const { descriptor, errors } = parse(source, { templateParseOptions: compilerOptions });
if (errors.length) throw errors[0];
const templateOptions = { compilerOptions };
const options = { id: "price", inlineTemplate: true, genDefaultAs: "LivePrice", templateOptions };
process.stdout.write(compileScript(descriptor, options).content);
"""


def pasted(site, form, asset=None, url=None, kind=KINDS["quote"], **query):
    asset = asset or site.board.assets["talus"]
    return snippet(form, kind, read({"asset": asset.id} | query, kind.options), url or site.url, [asset])


def hosted(site, body, policy=()):
    """A page of another site with this in it, under a policy that allows only what is said to be needed."""
    rules = {"script-src": "", **dict(rule.split(" ", 1) for rule in policy)}
    rules["script-src"] += f" 'nonce-{NONCE}'"
    said = "; ".join([BASE, *(f"{name} {sources}" for name, sources in rules.items())])
    site.hosted["page"] = HOST.format(body)
    site.headers["page"] = {"Content-Security-Policy": said}
    return f"http://localhost:{site.port}/host/page"


def heard(page):
    """What a page complains about: blocked loads, errors, warnings, dialogs."""
    said = []
    page.on("console", lambda message: message.type in ("error", "warning") and said.append(spoken(message)))
    page.on("pageerror", lambda error: said.append(str(error)))

    async def shown(dialog):
        said.append(f"dialog: {dialog.message}")
        await dialog.dismiss()

    page.on("dialog", shown)
    return said


def spoken(message):
    return f"{message.text} {message.location['url']}"


def unexpected(said):
    return [line for line in said if "favicon" not in line]


def png(width, height):
    """A grey picture (PNG, 5.6): signature, header, one compressed row after the other, end."""

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress((b"\0" + b"\x80" * width) * height)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


async def draws(context):
    """Answers for the pictures, whose drawing has its own tests; says which were asked for."""
    asked = []

    async def draw(route):
        scale = int(parse_qs(urlsplit(route.request.url).query).get("scale", ["1"])[0])
        asked.append(route.request.url)
        await route.fulfill(body=png(320 * scale, 72 * scale), content_type="image/png")

    await context.route(re.compile(r"/widgets/[\w-]+\.png"), draw)
    return asked


async def box(page, selector):
    return await page.locator(selector).evaluate(
        "({ offsetWidth, offsetHeight }) => [offsetWidth, offsetHeight]"
    )


@pytest.mark.parametrize("form", ["element", "pinned", "wordpress-html"])
async def test_live_element_in_its_own_room_under_its_policy(site, page, form):
    said = heard(page)
    one = pasted(site, form, theme="dark")
    await page.add_init_script(SHIFT)
    await page.goto(hosted(site, one.code, one.policy))
    await page.locator(PRICE, has_text="$0.01021").wait_for()
    await site.until(lambda: site.sockets)
    await site.publish("talus", price="0.01099", as_of=site.clock.now())
    await page.locator(PRICE, has_text="$0.01099").wait_for()
    assert await box(page, "price-ticker") == [320, 72]
    assert await page.evaluate(SETTLED) < 0.0005
    assert unexpected(said) == []


@pytest.mark.parametrize("directive", ["script-src", "connect-src"])
async def test_each_directive_is_needed(site, page, directive):
    said = heard(page)
    one = pasted(site, "element")
    await page.goto(hosted(site, one.code, [rule for rule in one.policy if directive not in rule]))
    shown = "Talus (US) live price" if directive == "script-src" else "Price unavailable"
    await page.locator("price-ticker", has_text=shown).wait_for()
    assert any(directive in line for line in said)


async def test_element_without_script_is_a_link_in_the_same_room(site, browser):
    context = await browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    await page.goto(hosted(site, pasted(site, "element").code))
    link = page.get_by_role("link", name="Talus (US) live price")
    assert await link.get_attribute("href") == f"{site.url}/assets/talus"
    assert await box(page, "price-ticker") == [320, 72]
    await context.close()


async def test_frame_shows_the_price_and_nothing_moves(site, page):
    said = heard(page)
    one = pasted(site, "iframe")
    await page.add_init_script(SHIFT)
    await page.goto(hosted(site, one.code, one.policy))
    await page.frame_locator("iframe").locator(PRICE, has_text="$0.01021").wait_for()
    assert await box(page, "iframe") == [320, 72]
    await site.until(lambda: site.sockets)
    await site.publish("talus", price="0.01099", as_of=site.clock.now())
    await page.frame_locator("iframe").locator(PRICE, has_text="$0.01099").wait_for()
    assert await page.evaluate(SETTLED) == 0
    assert unexpected(said) == []


async def test_svg_image_is_drawn_at_its_size(site, page):
    said = heard(page)
    one = pasted(site, "image")
    await page.goto(hosted(site, one.code, one.policy))
    await drawn(page)
    assert await box(page, "img") == [320, 72]
    assert unexpected(said) == []


async def drawn(page) -> None:
    """The picture is there. Asked from outside: the page's own policy lets no text be run in it."""
    async with asyncio.timeout(10):
        while await page.evaluate("document.images[0].naturalWidth") != 320:
            await page.wait_for_timeout(20)


@pytest.mark.parametrize("density", [1, 2])
async def test_png_comes_at_the_density_of_the_screen(site, browser, density):
    context = await browser.new_context(device_scale_factor=density)
    asked, page = await draws(context), await context.new_page()
    one = pasted(site, "png")
    await page.goto(hosted(site, one.code, one.policy))
    await drawn(page)
    assert await box(page, "img") == [320, 72]
    assert asked == [f"{site.url}/widgets/quote.png?asset=talus" + ("&scale=2" if density == 2 else "")]
    await context.close()


async def test_markdown_is_a_linked_picture(site, page):
    one = pasted(site, "markdown", theme="light")
    await page.goto(hosted(site, MarkdownIt("commonmark").render(one.code), one.policy))
    await drawn(page)
    link = page.get_by_role("link", name="Talus (US) live price")
    assert await link.get_attribute("href") == f"{site.url}/assets/talus"


async def test_amp_frame_works_in_its_sandbox(site, page):
    # The runtime makes such an iframe of it; without allow-same-origin its origin is null.
    secure = site.url.replace("http", "https")
    said = Tags(pasted(site, "amp", url=secure).code)["amp-iframe"]
    source = said["src"].replace(secure, site.url)
    frame = f'<iframe src="{escape(source)}" sandbox="{said["sandbox"]}" width="320" height="72"></iframe>'
    await page.goto(hosted(site, frame, [f"frame-src {site.url}"]))
    await page.frame_locator("iframe").locator(PRICE, has_text="$0.01021").wait_for()
    assert await page.frames[1].evaluate("origin") == "null"
    await site.until(lambda: site.sockets)


async def test_mail_shows_a_picture_with_words_and_a_link(site, browser):
    context = await browser.new_context(java_script_enabled=False)
    asked, page = await draws(context), await context.new_page()
    await page.goto(hosted(site, pasted(site, "email").code, [f"img-src {site.url}"]))
    image = page.get_by_role("link").get_by_role("img", name="Talus (US) live price")
    assert await image.evaluate("image => image.decode().then(() => image.naturalWidth)") == 640
    assert await box(page, "img") == [320, 72]
    assert asked == [f"{site.url}/widgets/quote.png?asset=talus&scale=2"]
    await context.close()


# React and Vue


@pytest.fixture(scope="session")
def frameworks():
    """Where React and Vue are, installed when they aren't there yet."""
    npm = shutil.which("npm")
    if not npm or not shutil.which("node"):
        missing = "React and Vue need npm"
        pytest.fail(missing) if os.environ.get("CI") else pytest.skip(missing)
    FRAMEWORKS.mkdir(parents=True, exist_ok=True)
    asyncio.run(install(npm))
    return FRAMEWORKS


async def install(npm):
    held = {name: FRAMEWORKS / f"node_modules/{name}/package.json" for name in PINNED}
    if all(file.exists() and version(file) == PINNED[name] for name, file in held.items()):
        return
    quiet = ("--silent", "--no-audit", "--no-fund", "--no-save", "--no-package-lock")
    await run(npm, "install", *quiet, "--prefix", ".", *(f"{name}@{PINNED[name]}" for name in PINNED))


def version(file):
    return json.loads(file.read_text("utf-8"))["version"]


async def run(*command, text=""):
    process = await asyncio.create_subprocess_exec(
        *command, cwd=FRAMEWORKS, stdin=PIPE, stdout=PIPE, stderr=PIPE
    )
    async with asyncio.timeout(180):
        out, error = await process.communicate(text.encode())
    assert process.returncode == 0, error.decode()
    return out.decode()


async def bundled(text):
    build = ("--bundle", "--format=esm", "--loader=jsx", "--jsx=automatic", "--log-level=error")
    define = [f"--define:{name}={value}" for name, value in DEFINED.items()]
    return await run(str(FRAMEWORKS / "node_modules/.bin/esbuild"), *build, *define, text=text)


async def applied(form, code):
    if form == "react":
        return await bundled(code + MOUNT_REACT)
    return await bundled(await run("node", "-e", COMPILE_VUE, text=code) + MOUNT_VUE)


@pytest.mark.parametrize("form", ["react", "vue"])
async def test_component_shows_the_live_price(site, page, frameworks, form):
    said = heard(page)
    one = pasted(site, form, theme="dark", link="https://shop.example/{asset}?a=1&b=2")
    script = f'<script type="module" nonce="{NONCE}">{await applied(form, one.code)}</script>'
    await page.goto(hosted(site, f'<div id="root"></div>{script}', one.policy))
    await page.locator(PRICE, has_text="$0.01021").first.wait_for()
    await site.until(lambda: site.sockets)
    await site.publish("talus", price="0.01099", as_of=site.clock.now())
    await page.locator(PRICE, has_text="$0.01099").first.wait_for()
    element = page.locator("price-ticker").first
    assert await element.evaluate("({ offsetWidth, offsetHeight }) => [offsetWidth, offsetHeight]") == [
        320,
        72,
    ]
    assert await element.get_attribute("link") == "https://shop.example/{asset}?a=1&b=2"
    assert await page.locator(f'script[src^="{site.url}"]').count() == (1 if form == "react" else 0)
    assert unexpected(said) == []


# Names from outside


async def test_hostile_name_runs_nothing_in_a_page(site, page):
    await draws(page.context)
    said = heard(page)
    evil = Asset("talus", "US", " ".join(HOSTILE))
    codes = [
        pasted(site, form, evil).code
        for form in ("element", "wordpress-html", "iframe", "image", "png", "email", "markdown")
    ]
    codes[-1] = MarkdownIt("commonmark").render(codes[-1])
    await page.goto(anywhere(site, "".join(codes)))
    assert await named(page) == [f"{evil.name} (US) live price"] * 7
    assert unexpected(said) == []


@pytest.mark.parametrize("form", ["react", "vue"])
async def test_hostile_name_runs_nothing_in_a_component(site, page, frameworks, form):
    said = heard(page)
    evil = Asset("talus", "US", " ".join(HOSTILE))
    script = await applied(form, pasted(site, form, evil).code)
    await page.goto(anywhere(site, f'<div id="root"></div><script type="module">{script}</script>'))
    await page.locator(PRICE, has_text="$0.01021").first.wait_for()
    assert set(await named(page)) == {f"{evil.name} (US) live price"}
    assert unexpected(said) == []


def anywhere(site, body):
    """A page without a policy: what holds there holds by itself."""
    site.hosted["evil"] = HOST.format('<link rel="icon" href="data:,">' + body)
    return f"http://localhost:{site.port}/host/evil"


async def named(page):
    """What each widget of a page is called."""
    await page.get_by_text("after", exact=True).wait_for()
    return await page.evaluate("""[...document.querySelectorAll("price-ticker, iframe, img")].map((one) =>
      one.alt || one.title || one.textContent.trim())""")
