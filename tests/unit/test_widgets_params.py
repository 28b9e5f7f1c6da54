"""What a widget's address may say."""

from __future__ import annotations

from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticker.errors import RequestError
from widgets.colours import Theme
from widgets.params import AssetOptions, Form, canonical, read

options = st.builds(
    AssetOptions,
    asset=st.text(min_size=1, max_size=64).filter(lambda text: text.isprintable()),
    theme=st.sampled_from(Theme),
    form=st.sampled_from(Form),
    live=st.just(True),
)


def test_address_with_only_an_asset_gets_the_defaults():
    asked = read({"asset": "talus"}, AssetOptions)
    assert asked == AssetOptions(asset="talus", theme=Theme.AUTO, live=True, form=Form.DOCUMENT)


def test_every_option_is_read():
    asked = read({"asset": "talus", "theme": "dark", "live": "0", "form": "fragment"}, AssetOptions)
    assert asked == AssetOptions(asset="talus", theme=Theme.DARK, live=False, form=Form.FRAGMENT)


def test_keys_that_are_not_ours_are_ignored():
    assert read({"asset": "talus", "utm_source": "x"}, AssetOptions).asset == "talus"


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ({"asset": "talus", "theme": "pink"}, "theme can't be “pink”: use auto, light, dark"),
        ({"asset": "talus", "live": "perhaps"}, "live can't be “perhaps”: use 1, 0"),
        ({}, "Say which asset: ?asset=…"),
        ({"asset": "x" * 65}, f"asset can't be “{'x' * 40}”"),
    ],
)
def test_bad_option_names_itself_and_what_would_do(query, says):
    with pytest.raises(RequestError) as caught:
        read(query, AssetOptions)
    assert (caught.value.status, caught.value.viewer) == (400, says)


@given(options)
def test_canonical_form_reads_back_as_the_same_options(asked):
    assert read(dict(parse_qsl(canonical(asked))), AssetOptions) == asked


def test_canonical_form_leaves_defaults_out():
    assert canonical(AssetOptions(asset="talus")) == "asset=talus"
