"""Markup that changes in place: links, forms, renewal, style sheets, modules, and what is told about it."""

from __future__ import annotations

import json
import random
from decimal import ROUND_HALF_UP, Context, Decimal, localcontext

import pytest

from tests.browser.test_element import STRICT, hosted
from widgets.format import notation

pytestmark = pytest.mark.browser

PRICE = '[data-f="price"]'
ELEMENT = '<price-ticker kind="fake" asset="talus"></price-ticker>'


def fragment(inside, more="", style=""):
    """What a kind's template makes, as little of it as the script needs."""
    how = json.dumps(notation("USD"))
    sheet = f'<script type="text/css">{style}</script>' if style else ""
    root = 'data-price-ticker="talus" data-state="live"'
    return f"{sheet}<div class='pt' data-kind='fake' data-notation='{how}' {root} {more}>{inside}</div>"


async def answers(page, *markups):
    """Answers each request for the kind with the next of these; None is a failure, and the last one stays."""
    left, asked = list(markups), []

    async def answer(route):
        asked.append(route.request.url.partition("?")[2])
        body = left.pop(0) if len(left) > 1 else left[0]
        head = {"Access-Control-Allow-Origin": "*"}
        await (
            route.abort()
            if body is None
            else route.fulfill(body=body, content_type="text/html", headers=head)
        )

    await page.route("**/widgets/fake?*", answer)
    return asked


def ranges(now):
    links = "".join(
        f'<a data-go href="?asset=talus&amp;range={name}"{" aria-current=true" * (name == now)}>{name}</a>'
        for name in ("1D", "7D")
    )
    return fragment(f'{links}<div class="scroll"><p>{now}</p></div>')


async def test_link_loads_in_place_and_keeps_the_focus(site, page):
    asked = await answers(page, ranges("1D"), ranges("7D"))
    await page.goto(hosted(site, ELEMENT))
    link = page.get_by_role("link", name="7D")
    await link.focus()
    await page.keyboard.press("Enter")
    await page.locator("p", has_text="7D").wait_for()
    assert asked == ["asset=talus&form=fragment", "asset=talus&range=7D&form=fragment"]
    focused = "document.querySelector('price-ticker').shadowRoot.activeElement?.textContent"
    assert await page.evaluate(focused) == "7D"
    assert await link.get_attribute("aria-current") == "true"
    assert await link.evaluate("link => link.href") == f"{site.url}/widgets/fake?asset=talus&range=7D"


async def test_link_in_a_new_tab_stays_a_link(site, page):
    asked = await answers(page, ranges("1D"))
    await page.goto(hosted(site, ELEMENT))
    async with page.context.expect_page():
        await page.get_by_role("link", name="7D").click(modifiers=["ControlOrMeta"])
    assert len(asked) == 1


async def test_renewal_changes_only_what_is_new_and_survives_a_failure(site, page):
    more = 'data-refresh="60"'
    first, second = (fragment(f'<input name="x"><p>{n}</p>', more) for n in ("one", "two"))
    asked = await answers(page, first, None, second)
    await page.goto(hosted(site, ELEMENT))
    await page.locator("input").fill("typed")
    assert await page.locator("p").inner_text() in {"one", "two"}
    await page.locator("p", has_text="two").wait_for()
    assert await page.locator("input").input_value() == "typed"
    assert await page.evaluate("document.querySelector('price-ticker').shadowRoot.activeElement.name") == "x"
    assert len(asked) >= 3
    assert set(asked) == {"asset=talus&form=fragment"}


async def test_hosted_document_renews_itself(site, page):
    document = "<!doctype html><title>Widget</title><script type=module src=/embed.js></script>"
    markups = [fragment(f"<p>{n}</p>", 'data-refresh="60"') for n in ("one", "two")]
    await answers(page, document + markups[0], markups[1])
    await page.goto(f"{site.url}/widgets/fake?asset=talus")
    await page.locator("p", has_text="two").wait_for()


async def test_sheet_of_a_kind_applies_under_a_strict_policy(site, page):
    feed = site.url.replace("http", "ws")
    policy = {"Content-Security-Policy": STRICT.format(url=site.url, feed=feed)}
    said = []
    page.on("console", lambda message: said.append(message.text))
    await answers(page, fragment("<p>red</p>", style="p { color: rgb(255, 0, 0) }"))
    await page.goto(hosted(site, ELEMENT * 2, headers=policy))
    await page.locator("p").last.wait_for()
    assert await page.locator("p").last.evaluate("part => getComputedStyle(part).color") == "rgb(255, 0, 0)"
    sheets = "[...document.querySelectorAll('price-ticker')].map((one) => one.shadowRoot.adoptedStyleSheets)"
    assert await page.evaluate(f"(([one, other]) => one[1] === other[1])({sheets})")
    assert [line for line in said if "favicon" not in line] == []


async def test_module_of_ours_runs_with_the_wrapper_and_ends_with_it(site, page):
    code = "export default (box) => { box.dataset.began = 1; return () => { window.ended = true; }; }"
    head = {"Access-Control-Allow-Origin": "*"}

    async def answer(route):
        await route.fulfill(body=code, content_type="text/javascript", headers=head)

    await page.route("**/embed/chart.js", answer)
    await page.route("**/elsewhere/chart.js", answer)
    await answers(
        page,
        fragment("", 'data-module="../embed/../elsewhere/chart.js"'),
        fragment("", 'data-module="../embed/chart.js"'),
    )
    await page.goto(hosted(site, ELEMENT))
    await site.until(lambda: site.sockets)
    assert not await page.locator("[data-began]").count()
    await page.evaluate("document.querySelector('price-ticker').setAttribute('range', '7D')")
    await page.locator("[data-began]").wait_for(state="attached")
    await page.evaluate("document.querySelector('price-ticker').remove()")
    assert await page.evaluate("ended")


async def test_click_can_be_kept_from_leaving_and_heat_follows(site, page):
    part = '<span data-f="change_24h"><i></i><bdi></bdi></span>'
    await answers(page, fragment(f'<a href="/assets/talus">Talus</a>{part}', 'data-heat="0"'))
    await page.goto(hosted(site, ELEMENT))
    await page.evaluate("""() => document.addEventListener("select", (event) => {
      window.chosen = event.detail.asset; event.preventDefault(); })""")
    await page.get_by_role("link", name="Talus").click()
    assert await page.evaluate("chosen") == "talus"
    assert "/host/page" in page.url
    await site.until(lambda: site.sockets)
    for moved, heat in (("-1.5", "-2"), ("0.001", "0"), ("99", "4"), ("1.49", "1")):
        await site.publish("talus", price="1", change=moved, as_of=site.clock.now())
        await page.locator(f'[data-heat="{heat}"]').wait_for(state="attached")


async def test_frame_tells_its_page_and_wordpress_its_height(site, page):
    source = f"{site.url}/widgets/quote?asset=talus#?secret=Ab3"
    listen = "window.heard = []; addEventListener('message', ({ data }) => heard.push(data));"
    site.hosted["page"] = f'<!doctype html><script>{listen}</script><iframe src="{source}"></iframe>'
    await page.goto(f"http://localhost:{site.port}/host/page")
    await page.wait_for_function("heard.some(({ event }) => event === 'update')")
    heard = await page.evaluate("heard")
    load, update = (next(one for one in heard if one.get("event") == name) for name in ("load", "update"))
    assert load == {"source": "price-ticker", "event": "load", "kind": "quote", "asset": "talus"}
    assert (update["asset"], update["quote"]["price"]) == ("talus", "0.01021")
    assert {"message": "height", "value": 72, "secret": "Ab3"} in heard


def converter(more=""):
    inside = f"""<form data-convert data-price="0.01021" {more}><input name="amount" value="1">
      <select name="currency"><option>USD<option>EUR</select><output data-f="converted"></output></form>"""
    return fragment(inside)


async def test_converter_follows_what_is_typed_and_the_price(site, page):
    asked = await answers(page, converter())
    await page.goto(hosted(site, ELEMENT))
    result, amount = page.locator("output"), page.locator("input")
    await amount.fill("1000")
    assert await result.inner_text() == "$10.21"
    await amount.fill("1e3")
    assert await result.inner_text() == "$10.21"
    assert await amount.get_attribute("aria-invalid") == "true"
    await amount.fill("2.5")
    assert await amount.get_attribute("aria-invalid") == "false"
    await site.until(lambda: site.sockets)
    await site.publish("talus", price="4", as_of=site.clock.now())
    await page.locator("output", has_text="$10.00").wait_for()
    async with page.expect_response(lambda response: "currency=EUR" in response.url):
        await page.locator("select").select_option("EUR")
    assert asked[1:] == ["amount=2.5&currency=EUR&form=fragment"]


async def test_converter_the_other_way_round(site, page):
    await answers(page, converter("data-inverse"))
    await page.goto(hosted(site, ELEMENT))
    await page.locator("input").fill("100")
    assert await page.locator("output").inner_text() == "9,794.3193"


async def test_products_and_quotients_are_those_of_decimal(site, page):
    rng = random.Random(5)
    numbers = [
        f"{Decimal(rng.randint(1, 10 ** rng.randint(1, 24))).scaleb(-rng.randint(0, 18)):f}"
        for _ in range(800)
    ]
    pairs = [
        *zip(numbers[::2], numbers[1::2], strict=True),
        ("0", "3"),
        ("1", "3"),
        ("99999999.5", "1"),
        ("5", "7e0"[0]),
    ]
    await page.goto(f"{site.url}/favicon.svg")
    theirs = await page.evaluate(
        """async (pairs) => { const { multiply, divide } = await import("/static/convert.js");
          return pairs.map(([one, other]) => [multiply(one, other), divide(one, other)]); }""",
        pairs,
    )
    eight = Context(prec=8, rounding=ROUND_HALF_UP)
    with localcontext(Context(prec=200)):
        ours = [
            (Decimal(one) * Decimal(other), eight.divide(Decimal(one), Decimal(other)))
            for one, other in pairs
        ]
        assert [(Decimal(one), Decimal(other)) for one, other in theirs] == ours
