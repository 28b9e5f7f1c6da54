"""What a publisher pastes: one widget, written for each place that it may go.

Every form carries its size, so that nothing on the page moves, and every text from outside is escaped for its
place: an attribute, JSX, a Vue template, Markdown. Addresses are percent-encoded once, before all of that.
Beside each form: what the publisher's policy has to allow (CSP 3) and what the reader's browser loads.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Literal, NamedTuple, get_args
from urllib.parse import parse_qsl, quote, urlsplit

from ticker.errors import RequestError
from ticker.model import Asset
from widgets.embed import embed
from widgets.kinds.base import Kind, Size
from widgets.params import NO_LINK, Form, Options, canonical

FormName = Literal[
    "element", "pinned", "iframe", "image", "png", "markdown", "wordpress", "wordpress-html",
    "react", "vue", "amp", "email",
]  # fmt: skip
Part = Literal["script", "fragment", "document", "svg", "png"]
"""What a reader's browser loads; `png` at the scale of 2, as most screens ask for it."""

# XML 1.0, 2.2: what no document may hold, not even escaped.
UNWRITABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
MARKUP = re.compile(r"([\\`*_\[\]<>&!|~:@#$])")  # what CommonMark and its common extensions give a meaning
NAMED = 3
"""So many assets are named in a label; the others are counted."""


class Snippet(NamedTuple):
    """`code` is pasted as it is. `policy` are the directives that the publisher's CSP must have for it."""

    form: FormName
    title: str
    says: str
    code: str
    policy: Sequence[str]


@dataclass(frozen=True)
class Widget:
    """One widget as the snippets name it. Addresses may stand in any attribute; `label` is bare text.

    `said` are the options that aren't defaults, as the element's attributes say them.
    """

    kind: str
    said: Mapping[str, str]
    query: str
    size: Size
    label: str
    goal: str
    url: str

    def address(self, ending: str = "", more: str = "") -> str:
        query = "&".join(part for part in (self.query, more) if part)
        return f"{self.url}/widgets/{self.kind}{ending}" + (f"?{query}" if query else "")


def label(assets: Sequence[Asset]) -> str:
    """What a frame, a picture or a link is called: for those who hear it, and where nothing loads."""
    names = [f"{asset.name} ({asset.symbol})" for asset in assets]
    if len(names) == 1:
        return _line(f"{names[0]} live price")
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return _line(f"Live prices of {', '.join(names[:NAMED])}{more}" if names else "Live prices")


def widget(kind: Kind[Any], options: Options, url: str, assets: Sequence[Asset]) -> Widget:
    """A kind with these options. `url` is the service's public address, without a slash at its end."""
    query = canonical(options, form=Form.DOCUMENT)
    said = dict(parse_qsl(query, keep_blank_values=True))
    first = {name: said[name] for name in ("asset", "assets") if name in said}
    site = encoded(url)
    goal = f"{site}/" if options.link != NO_LINK else ""
    if len(assets) == 1:
        goal = encoded(options.href(assets[0], site))
    return Widget(
        kind=kind.name,
        said=first | said,
        query=encoded(query),
        size=kind.size(options),
        label=label(assets),
        goal=goal,
        url=site,
    )


def snippets(kind: Kind[Any], options: Options, url: str, assets: Sequence[Asset]) -> list[Snippet]:
    """Every form of one widget, the usual one first. `assets` are those that it shows, in its order.

    AMP loads nothing over plain http, so its form is only there for an https address.
    """
    secure = urlsplit(url).scheme == "https"
    return [snippet(form, kind, options, url, assets) for form in FORMS if secure or form != "amp"]


def snippet(form: FormName, kind: Kind[Any], options: Options, url: str, assets: Sequence[Asset]) -> Snippet:
    """One form of a widget. RequestError for AMP at an address that isn't https."""
    if form == "amp" and urlsplit(url).scheme != "https":
        raise RequestError("bad_option", "AMP needs the service at an https address: set server.public_url")
    place = PLACES[form]
    return Snippet(
        form, place.title, place.says, place.write(widget(kind, options, url, assets)), policy(form, url)
    )


def policy(form: FormName, url: str) -> Sequence[str]:
    """The directives a Content-Security-Policy needs for a form, each with its sources (CSP 3, 6.1)."""
    parts = urlsplit(url)
    origin = encoded(f"{parts.scheme}://{parts.netloc}")
    socket = "ws" + origin.removeprefix("http")
    sources = {"connect-src": f"{origin} {socket}"}
    return [f"{name} {sources.get(name, origin)}" for name in PLACES[form].asks]


def encoded(address: str) -> str:
    """An address in which nothing is left that any of the places could read as its own (RFC 3986, 2.1)."""
    return quote(address, safe=":/?#[]@!$&*+,;=%~-._")


@dataclass(frozen=True)
class Place:
    """Where a form goes. `asks` are directives of the publisher's policy, `loads` what a browser fetches."""

    title: str
    says: str
    write: Callable[[Widget], str]
    asks: Sequence[str]
    loads: Sequence[Part]


def _element(shown: Widget) -> str:
    return f'<script type="module" src="{shown.url}/embed.js"></script>\n{_tag(shown)}'


def _pinned(shown: Widget) -> str:
    script = embed()
    source = f'src="{shown.url}/embed/{script.name}" integrity="{script.integrity}"'
    return f'<script type="module" {source} crossorigin></script>\n{_tag(shown)}'


def _tag(shown: Widget, link: str = "") -> str:
    said = {"kind": shown.kind, **shown.said, "style": _style(_room(shown.size))}
    return f"<price-ticker {_attributes(said)}>{link or _link(shown, escape(shown.label))}</price-ticker>"


def _iframe(shown: Widget) -> str:
    # The frame's document has no ground of its own; of another colour scheme a browser would give it one.
    room = {"border": "0", "color-scheme": "light"} | _room(shown.size)
    said = {"src": shown.address(), "title": shown.label, **_box(shown.size), "loading": "lazy"}
    return f"<iframe {_attributes(said | {'style': _style(room)})}></iframe>"


def _image(shown: Widget) -> str:
    return _link(shown, _picture(shown, {"src": shown.address(".svg")}))


def _png(shown: Widget) -> str:
    once, twice = shown.address(".png"), shown.address(".png", "scale=2")
    return _link(shown, _picture(shown, {"src": once, "srcset": f"{_comma(once)} 1x, {_comma(twice)} 2x"}))


def _picture(shown: Widget, said: Mapping[str, object]) -> str:
    style = {"max-width": "100%", "height": "auto"}
    words = {"alt": shown.label, **_box(shown.size), "loading": "lazy", "style": _style(style)}
    return f"<img {_attributes({**said, **words})}>"


def _markdown(shown: Widget) -> str:
    image = f"![{MARKUP.sub(_backslash, shown.label)}]({shown.address('.svg')})"
    return f"[{image}]({shown.goal})" if shown.goal else image


def _wordpress(shown: Widget) -> str:
    return shown.address()


def _wordpress_html(shown: Widget) -> str:
    return f"<!-- wp:html -->\n{_element(shown)}\n<!-- /wp:html -->"


def _react(shown: Widget) -> str:
    room = ", ".join(f"{_camel(name)}: {json.dumps(value)}" for name, value in _room(shown.size).items())
    said = " ".join(f"{name}={_jsx(value)}" for name, value in {"kind": shown.kind, **shown.said}.items())
    link = _link(shown, _jsx(shown.label).strip('"'))
    return f"""export function LivePrice() {{
  return (
    <>
      <script async type="module" src="{shown.url}/embed.js" />
      <price-ticker {said} style={{{{ {room} }}}}>
        {link}
      </price-ticker>
    </>
  );
}}"""


def _vue(shown: Widget) -> str:
    # v-pre: a name with {{ }} in it stays a name, in a component and in a page's own markup alike.
    text = f"<span v-pre>{escape(shown.label)}</span>"
    link = f'<a v-pre href="{escape(shown.goal)}">{escape(shown.label)}</a>' if shown.goal else text
    return f"""<script setup>
// {VUE_OPTION}
import {{ onMounted }} from "vue";
onMounted(() => import(/* @vite-ignore */ /* webpackIgnore: true */ "{shown.url}/embed.js"));
</script>

<template>
  {_tag(shown, link)}
</template>"""


def _amp(shown: Widget) -> str:
    size = shown.size
    box = (
        {"layout": "fixed-height", "width": "auto"}
        if size.fluid
        else {"layout": "fixed", "width": size.width}
    )
    frame = {"src": shown.address(), "title": shown.label, **box, "height": size.height}
    # No allow-same-origin: AMP refuses it where page and frame are of one host.
    sandbox = "allow-scripts allow-popups allow-popups-to-escape-sandbox"
    picture = {"src": shown.address(".png", "scale=2"), "alt": shown.label, "layout": "fill"}
    return f"""<!-- In the head, once: -->
<script async custom-element="amp-iframe" src="https://cdn.ampproject.org/v0/amp-iframe-0.1.js"></script>
<!-- Where the price goes: -->
<amp-iframe {_attributes(frame | {"sandbox": sandbox, "frameborder": 0})}>
  <amp-img placeholder {_attributes(picture)}></amp-img>
</amp-iframe>"""


def _email(shown: Widget) -> str:
    said = {"src": shown.address(".png", "scale=2"), "alt": shown.label, **_box(shown.size), "border": 0}
    return _link(shown, f"<img {_attributes(said)}>")


def _link(shown: Widget, inside: str) -> str:
    return f'<a href="{escape(shown.goal)}">{inside}</a>' if shown.goal else inside


def _box(size: Size) -> dict[str, object]:
    return {"width": size.width, "height": size.height}


def _room(size: Size) -> dict[str, str]:
    wide = {"width": "100%"} if size.fluid else {"width": f"{size.width}px", "max-width": "100%"}
    return {"display": "block", **wide, "height": f"{size.height}px"}


def _style(rules: Mapping[str, str]) -> str:
    return ";".join(f"{name}:{value}" for name, value in rules.items())


def _attributes(said: Mapping[str, object]) -> str:
    return " ".join(f'{name}="{escape(str(value))}"' for name, value in said.items())


def _comma(address: str) -> str:
    """For srcset, where a comma may end an address (HTML, 4.8.4.2)."""
    return address.replace(",", "%2C")


def _backslash(found: re.Match[str]) -> str:
    return f"\\{found[0]}"


def _camel(name: str) -> str:
    return re.sub(r"-(\w)", lambda found: found[1].upper(), name)


def _jsx(value: str) -> str:
    """A JSX attribute's value: in quotes where every character is only itself, else as a script's string."""
    plain = re.fullmatch(r"[\w .,:/()+-]*", value, re.ASCII)
    return f'"{value}"' if plain else f"{{{_script_string(value)}}}"


def _script_string(text: str) -> str:
    """A string of JavaScript that holds no tag, so that it can't end a script element around it."""
    return json.dumps(text, ensure_ascii=False).replace("<", r"\u003c")


def _line(text: str) -> str:
    return " ".join(UNWRITABLE.sub(" ", text).split())


VUE_OPTION = (
    "vite: vue({ template: { compilerOptions: { isCustomElement: (tag) => tag === 'price-ticker' } } })"
)
LIVE: Sequence[str] = ("script-src", "connect-src", "img-src")
PLACES: Mapping[FormName, Place] = {
    "element": Place(
        "Live element", "Two lines of HTML, live, in your page.", _element, LIVE, ("script", "fragment")
    ),
    "pinned": Place(
        "Live element, pinned",
        "The browser checks the script's bytes; paste it anew after an update of the service.",
        _pinned,
        LIVE,
        ("script", "fragment"),
    ),
    "iframe": Place(
        "Frame",
        "Where scripts aren't allowed. Shows the price without any.",
        _iframe,
        ("frame-src",),
        ("document", "script"),
    ),
    "image": Place(
        "Image, SVG",
        "The price as it was when the page was opened; sharp at any size.",
        _image,
        ("img-src",),
        ("svg",),
    ),
    "png": Place("Image, PNG", "Where SVG isn't taken; sharp on every screen.", _png, ("img-src",), ("png",)),
    "markdown": Place("Markdown", "For a README, a wiki, a forum.", _markdown, ("img-src",), ("svg",)),
    "wordpress": Place(
        "WordPress",
        "The address alone, on a line of its own: WordPress asks here what to show (oEmbed).",
        _wordpress,
        ("frame-src",),
        ("document", "script"),
    ),
    "wordpress-html": Place(
        "WordPress, Custom HTML",
        "Paste it into the code editor; your account must be allowed to write HTML with scripts.",
        _wordpress_html,
        LIVE,
        ("script", "fragment"),
    ),
    "react": Place(
        "React",
        "React 19 and later: it puts the script into the head once, however many prices a page has.",
        _react,
        LIVE,
        ("script", "fragment"),
    ),
    "vue": Place(
        "Vue",
        "Vue 3. Tell its compiler that price-ticker is a custom element, as the first line says.",
        _vue,
        LIVE,
        ("script", "fragment"),
    ),
    "amp": Place(
        "AMP",
        "The picture holds the place, so it may stand at the top of the page; the live frame follows.",
        _amp,
        ("frame-src", "img-src"),
        ("png", "document", "script"),
    ),
    "email": Place(
        "Email",
        "The price as it was when the mail was opened. Mail runs no scripts; some readers keep the picture.",
        _email,
        (),
        ("png",),
    ),
}
FORMS: Sequence[FormName] = get_args(FormName)
