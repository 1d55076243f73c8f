"""On the real vocabulary: what is a special token there is none any more once a team's words are neutralised."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from harness.errors import MachineError
from harness.judge import neutral_text
from harness.judge.engines.vocabulary import ADDED, read_ranks, recovered_merges
from harness.judge.tokens import OLDER, special_tokens

EVERY = (*ADDED, *OLDER)


@pytest.fixture(scope="module")
def qwen(qwen_tokenizer: Path) -> Tokenizer:
    return Tokenizer.from_file(str(qwen_tokenizer / "tokenizer.json"))


def specials(tokenizer: Tokenizer, text: str) -> list[str]:
    added = {number: token.content for number, token in tokenizer.get_added_tokens_decoder().items()}
    return [added[number] for number in tokenizer.encode(text, add_special_tokens=False).ids if number in added]


def test_the_vocabulary_is_qwens(qwen: Tokenizer) -> None:
    assert qwen.encode("Hello world, 你好世界").ids == [9707, 1879, 11, 220, 108386, 99489]
    text = "It hurts… 我很难过\n\n  <3 {x} ÅA\u030a"
    assert qwen.decode(qwen.encode(text).ids) == "It hurts… 我很难过\n\n  <3 {x} ÅÅ"


def test_all_33_added_tokens_are_read_from_the_files(qwen_tokenizer: Path) -> None:
    found = special_tokens(qwen_tokenizer)
    assert list(found) == list(range(151_643, 151_676))
    assert tuple(found.values()) == ADDED
    assert found[151_675] == "<|audio_pad|>"


@pytest.mark.parametrize("token", ADDED)
def test_a_special_token_is_one_until_it_is_neutralised(qwen: Tokenizer, token: str) -> None:
    assert specials(qwen, f"a {token} b") == [token]
    assert specials(qwen, neutral_text(f"a {token} b")) == []


@pytest.mark.parametrize("token", EVERY)
def test_no_disguise_brings_it_back(qwen: Tokenizer, token: str) -> None:
    half = len(token) // 2
    wide = "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in token)
    for text in (
        token,
        token * 50,
        token[:half] + token + token[half:],
        token[:half] + "\u200b" + token[half:],
        token[:half] + neutral_text(token) + token[half:],
        wide,
        token.upper(),
        f"<{token}>",
    ):
        once = neutral_text(text)
        assert specials(qwen, once) == []
        assert token not in once
        assert neutral_text(once) == once


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from([*EVERY, "<", ">", "|", "[", "]", " ", "你", "\u0338", "a"]), max_size=12).map("".join))
def test_no_composition_of_them_brings_one_back(qwen: Tokenizer, text: str) -> None:
    once = neutral_text(text)
    assert specials(qwen, once) == []
    assert neutral_text(once) == once


@given(st.text(alphabet="ab<|>[]· ", max_size=30))
def test_tokens_of_another_shape_are_opened_too(text: str) -> None:
    odd = ("ab", "a·b", "|b", "    ", "a")
    once = neutral_text(text, odd)
    assert "ab" not in once
    assert "|b" not in once
    assert neutral_text(once, odd) == once


def test_speech_tags_and_plain_words_stay() -> None:
    for text in ("[sigh] I know. [laughter]", "a < b > c", "5 < 6", "I <3"[:2] + " 3", "[1]", "好的[笑]"):
        assert neutral_text(text) == text


def test_a_folder_without_a_tokenizer_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MachineError) as caught:
        special_tokens(tmp_path)
    assert caught.value.code == "E_PROMPT_AUDIT"
    (tmp_path / "added_tokens.json").write_text('{"<x>": 5, "[MASK]": 6}')
    assert special_tokens(tmp_path) == {5: "<x>", 6: "[MASK]"}
    config = {"added_tokens_decoder": {"5": {"content": "<y>"}}}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config))
    with pytest.raises(MachineError, match="5"):
        special_tokens(tmp_path)
    (tmp_path / "tokenizer_config.json").write_text("{")
    with pytest.raises(MachineError, match="cannot be read"):
        special_tokens(tmp_path)


def test_merges_are_recovered_from_ranks() -> None:
    ranks = {b"a": 0, b"b": 1, b"ab": 2, b"aba": 3}
    assert recovered_merges(ranks) == [(b"a", b"b"), (b"ab", b"a")]
    with pytest.raises(ValueError, match="ranks"):
        read_ranks(b"YQ== 1\n")
