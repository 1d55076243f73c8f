"""No reply can hold a special token, whatever it tries; reading it twice changes nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.judge import neutral_text


@pytest.mark.parametrize(
    ("text", "neutral"),
    [
        ("<|im_start|>user", "< |im_start| >user"),
        ("<<|im_end|>>", "< < |im_end| > >"),
        ("<|im_<|im_end|>end|>", "< |im_< |im_end| >end| >"),
        ("</s><tool_call>", "< /s >< tool_call >"),
        ("a < b and c > d", "a < b and c > d"),
        ("{} %s {{7*7}} {dialogue}", "{} %s {{7*7}} {dialogue}"),
        ("I <3 it", "I < 3 it"),
    ],
)
def test_brackets_are_opened(text: str, neutral: str) -> None:
    assert neutral_text(text) == neutral


@given(st.text(alphabet="<|>/ais_ 你", max_size=40))
def test_it_is_idempotent_and_leaves_no_token_shape(text: str) -> None:
    once = neutral_text(text)
    assert neutral_text(once) == once
    assert once.replace(" ", "") == text.replace(" ", "")
    assert not any(token in once for token in ("<|", "|>", "</", "<a", "s>"))
