"""README is held to the code: its table of settings, its commands, its examples."""

import re
import tomllib
from pathlib import Path

import pytest

from docs.generate import embedding, generated, sources
from ticker import config
from ticker.cli import parser
from ticker.model import Asset
from widgets.kinds import KINDS
from widgets.params import AssetOptions
from widgets.snippets import snippet

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_table_of_settings_is_the_codes():
    assert generated(README) == README, "run: make docs"


def test_table_of_sources_is_what_they_say():
    assert sources() == (ROOT / "docs/sources.md").read_text(), "run: make docs"


def test_table_of_widget_options_is_the_codes():
    text = (ROOT / "docs/embedding.md").read_text()
    assert embedding(text) == text, "run: make docs"


def test_every_setting_is_described():
    assert [s.name for s in config.settings() if not s.description] == []


def test_make_targets_exist():
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"\bmake (\w+)", "\n".join(blocks("sh")))) <= targets


def test_commands_are_ones_the_parser_takes():
    lines = [line.split("#")[0].strip() for block in blocks("sh") for line in block.splitlines()]
    commands = [line.removeprefix("ticker ") for line in lines if line.startswith("ticker ")]
    assert commands
    for command in commands:
        parser().parse_args(command.split())


@pytest.mark.parametrize("block", blocks("toml"))
def test_configuration_examples_load(block: str, tmp_path: Path):
    file = tmp_path / "ticker.toml"
    file.write_text(block)
    tomllib.loads(block)
    config.load(file, {})


@pytest.mark.parametrize("form", ["element", "iframe", "image"])
def test_snippets_are_what_the_command_prints(form: str):
    shown = [Asset("talus", "US", "Talus")]
    made = snippet(form, KINDS["quote"], AssetOptions(asset="talus"), "https://prices.example.com", shown)
    assert f"```html\n{made.code}\n```" in README


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\((?!http)([^)#]+)\)", README))))
def test_links_lead_somewhere(link: str):
    assert (ROOT / link).exists()
