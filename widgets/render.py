"""The one door to Jinja2: a template and its values in, text out.

Everything is escaped unless it came out of here; a value a template names and nobody gave is an error.
"""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

_ENVIRONMENT = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    auto_reload=False,
)
_ENVIRONMENT.policies["json.dumps_kwargs"] = {"ensure_ascii": False, "separators": (",", ":")}


def render(template: str, **values: object) -> str:
    """The template's text. It may be handed to another template as it is: it won't be escaped twice."""
    return Markup(_ENVIRONMENT.get_template(template).render(values))  # noqa: S704 - autoescape made it safe
