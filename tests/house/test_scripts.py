"""The built scripts are what their modules make."""

import importlib.util
import os

import pytest

from widgets.embed import BUILT

if importlib.util.find_spec("minify") is None and os.environ.get("CI") != "true":
    pytest.skip("tdewolff-minify is not installed", allow_module_level=True)

from docs.bundle import PARTS, bundle


@pytest.mark.parametrize("name", PARTS)
def test_built_script_is_what_its_modules_make(name: str):
    assert (BUILT / name).read_text("utf-8") == bundle(name), "run: make scripts"
