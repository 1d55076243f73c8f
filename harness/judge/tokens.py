"""The tokens that mean something to a model beside its words, read from the files of its pinned tokenizer."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from harness.errors import MachineError

_FILES = ("tokenizer.json", "tokenizer_config.json", "added_tokens.json", "special_tokens_map.json")
# Names of older models of the family and of others that a serving stack may still look for in text.
OLDER = (
    *("<|AUDIO|>", "<|audio_bos|>", "<|audio_eos|>", "<|IMAGE|>", "<|VIDEO|>", "<|vision_bos|>", "<|vision_eos|>"),
    *("<|audio|>", "<|extra_0|>", "<|startoftranscript|>", "<|begin_of_text|>", "<|eot_id|>", "<|start_header_id|>"),
    *("<s>", "</s>", "<unk>", "<pad>", "<bos>", "<eos>", "<start_of_turn>", "<end_of_turn>", "[INST]", "[/INST]"),
    *("<<SYS>>", "<</SYS>>", "[CLS]", "[SEP]", "[MASK]", "[PAD]", "[UNK]", "[gMASK]"),
)


def special_tokens(folder: Path) -> dict[int, str]:
    """Every added token of the tokenizer in ``folder``, special or not, by id.

    Raises MachineError (E_PROMPT_AUDIT) when there is no tokenizer, or its files name one id twice differently.
    """
    found: dict[int, str] = {}
    for number, token in _added(folder):
        if found.setdefault(number, token) != token:
            raise _unusable(f"its files call token {number} both {found[number]!r} and {token!r}")
    if not found:
        raise _unusable("no file there names its added tokens")
    return dict(sorted(found.items()))


def _added(folder: Path) -> Iterable[tuple[int, str]]:
    plain = {name: _read(folder / name) for name in _FILES}
    for entry in plain["tokenizer.json"].get("added_tokens", []):
        yield int(entry["id"]), str(entry["content"])
    for number, entry in plain["tokenizer_config.json"].get("added_tokens_decoder", {}).items():
        yield int(number), str(entry["content"])
    for token, number in plain["added_tokens.json"].items():
        yield int(number), str(token)


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        found = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise _unusable(f"{path.name} cannot be read: {error}") from error
    return found if isinstance(found, dict) else {}


def _unusable(why: str) -> MachineError:
    return MachineError(
        f"the tokenizer of these weights cannot be audited: {why}",
        code="E_PROMPT_AUDIT",
        hint="`humdial judge verify` checks the weights folder",
    )
