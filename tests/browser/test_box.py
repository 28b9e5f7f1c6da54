"""The box as a document: without script, in a sandbox, at every width, in both themes."""

from __future__ import annotations

import pytest

from ticker.model import State

pytestmark = pytest.mark.browser

PRICE = '[data-f="price"]'
# WCAG's contrast of each visible text against the nearest painted ground behind it.
LOW_CONTRAST = """() => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    return canvas.getImageData(0, 0, 1, 1).data;
  };
  const luminance = ([r, g, b]) => [r, g, b].map((part) => part / 255)
    .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
    .reduce((sum, part, at) => sum + part * [0.2126, 0.7152, 0.0722][at], 0);
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = rgba(getComputedStyle(at).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    return [255, 255, 255];
  };
  const low = [];
  for (const element of document.body.querySelectorAll("*")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!own || element.closest("svg, .vh, [hidden]") || !element.checkVisibility()) continue;
    const [dark, light] = [luminance(rgba(getComputedStyle(element).color)), luminance(ground(element))]
      .sort((a, b) => a - b);
    const ratio = (light + 0.05) / (dark + 0.05);
    if (ratio < 4.5) low.push(`${element.textContent.trim()}: ${ratio.toFixed(2)}`);
  }
  return low;
}"""


async def test_price_is_there_without_script(site, browser):
    context = await browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    await page.goto(f"{site.url}/widgets/quote?asset=talus")
    assert await page.locator(PRICE).inner_text() == "$0.01021"
    await context.close()


async def test_document_makes_two_requests_and_breaks_no_policy(site, page):
    asked, said = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    await page.goto(f"{site.url}/widgets/quote?asset=talus")
    await site.until(lambda: site.sockets)
    # The worker is the same script once more, out of the browser's cache.
    assert len({url for url in asked if "favicon" not in url}) == 2
    assert said == []


async def test_sandboxed_frame_with_no_origin_goes_live(site, page):
    site.hosted["frame"] = (
        f'<iframe sandbox="allow-scripts" src="{site.url}/widgets/quote?asset=talus" width="320" height="72">'
    )
    await page.goto(f"http://localhost:{site.port}/host/frame")
    await site.until(lambda: site.sockets)
    await site.publish("talus", price="0.01099", as_of=site.clock.now())
    frame = page.frames[1]
    await frame.locator(PRICE, has_text="$0.01099").wait_for()


@pytest.mark.parametrize("width", [200, 280, 320, 440, 600])
async def test_price_is_whole_and_the_height_fixed_at_every_width(site, page, width):
    await page.set_viewport_size({"width": width, "height": 72})
    for asset in site.board.assets:
        for state in (State.LIVE, State.STALE):
            quote = site.board.quote(asset)
            site.board.set(asset, state=state if quote.price else State.UNAVAILABLE, demo=True)
            await page.goto(f"{site.url}/widgets/quote?asset={asset}&live=0")
            seen = await page.evaluate("""() => {
              const price = document.querySelector("[data-f=price]").getBoundingClientRect();
              const code = document.querySelector("[data-f=currency]").getBoundingClientRect();
              const change = document.querySelector(".change").getBoundingClientRect();
              const name = document.querySelector(".name").getBoundingClientRect();
              const status = document.querySelector(".status").getBoundingClientRect();
              const root = document.documentElement;
              return { height: root.scrollHeight, wide: root.scrollWidth, name: name.right <= price.left,
                right: Math.max(code.right, change.right), status: status.right <= change.left };
            }""")
            assert seen["height"] == 72
            assert seen["wide"] == width
            assert seen["right"] < width
            assert seen["name"]
            assert seen["status"]


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_every_text_is_readable(site, page, theme):
    site.board.set("bitcoin", state=State.STALE, demo=True)
    site.board.set("pepe", state=State.DELAYED, assumed=True)
    for asset in (*site.board.assets, "nope"):
        await page.goto(f"{site.url}/widgets/quote?asset={asset}&theme={theme}&live=0")
        assert await page.evaluate(LOW_CONTRAST) == []
    await page.emulate_media(color_scheme=theme)
    for path in ("/", "/assets/bitcoin", "/assets/nope"):
        await page.goto(site.url + path)
        assert await page.evaluate(LOW_CONTRAST) == []


async def test_auto_theme_follows_the_reader(site, page):
    grounds = []
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme)
        await page.goto(f"{site.url}/widgets/quote?asset=talus")
        grounds.append(
            await page.evaluate("getComputedStyle(document.querySelector('.box')).backgroundColor")
        )
    assert grounds == ["rgb(255, 255, 255)", "rgb(18, 22, 31)"]


async def test_tiny_price_is_copied_in_full(site, page):
    await page.goto(f"{site.url}/widgets/quote?asset=pepe&live=0")
    copied = await page.evaluate("""() => {
      getSelection().selectAllChildren(document.querySelector("[data-f=price]"));
      return getSelection().toString();
    }""")
    assert copied.strip() == "$0.000008412"


async def test_picture_draws_as_an_image(site, page):
    site.hosted["img"] = "".join(
        f'<img src="/widgets/quote.svg?asset={asset}" alt="">' for asset in ("talus", "long", "nope")
    )
    await page.goto(f"{site.url}/host/img")
    sizes = "[...document.images].map((image) => [image.complete, image.naturalWidth, image.naturalHeight])"
    assert await page.evaluate(sizes) == [[True, 320, 72]] * 3
