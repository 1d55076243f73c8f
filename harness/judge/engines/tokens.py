"""Prompts as tokens of the Qwen family: the checkpoint's own chat template, audio placeholders by arithmetic, an audit.

The processor class of Qwen3-Omni wants an image library that text and sound do not need, so its two halves are used
apart: the tokenizer here, the feature extractor in thinker.py. Equality with the processor's arithmetic is tested.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.errors import MachineError
from harness.judge.audit import TokenFacts, audit
from harness.judge.prompt import AudioPart, Prompt, TextPart
from harness.judge.tokens import special_tokens

AUDIO_START, AUDIO_PAD, AUDIO_END = "<|audio_start|>", "<|audio_pad|>", "<|audio_end|>"
HOP = 160  # samples a mel frame
_WAV_HEADER = 44  # bytes
_TEMPLATES = ("chat_template.jinja", "chat_template.json", "tokenizer_config.json")


def audio_tokens(frames: int) -> int:
    """How many placeholder tokens ``frames`` mel frames (10 ms each) become: 13 for every full second."""
    rest = frames % 100
    halved = (rest - 1) // 2 + 1
    return ((halved - 1) // 2 + 1 - 1) // 2 + 1 + (frames // 100) * 13


def mel_frames(path: Path) -> int:
    """Mel frames of a canonical WAV, from its length: one for every begun 160 samples, as the extractor's mask.

    Raises MachineError (E_AUDIO) when the file is not there.
    """
    try:
        samples = max(path.stat().st_size - _WAV_HEADER, 0) // 2
    except OSError as error:
        raise MachineError(f"canonical audio cannot be read: {error}", code="E_AUDIO", hint="judge again") from error
    return -(-samples // HOP)


@dataclass(frozen=True, slots=True)
class PromptTokens:
    """``ids`` of the whole prompt, of which the first ``shared`` are those of every prompt of its task."""

    ids: tuple[int, ...]
    shared: int


class QwenTokens:
    """The pinned tokenizer and chat template of a checkpoint folder."""

    def __init__(self, folder: Path, *, budget: int) -> None:
        from transformers import AutoTokenizer

        self._tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        self._template = chat_template(folder)
        self._budget = budget
        self.special: Mapping[int, str] = special_tokens(folder)
        self._shared: dict[str, tuple[int, ...]] = {}
        self._byte_of = {letter: byte for byte, letter in byte_letters().items()}

    def encode(self, text: str) -> list[int]:
        """Tokens of our own text; nothing is added."""
        ids: list[int] = self._tokenizer.encode(text, add_special_tokens=False)
        return ids

    def decode(self, ids: list[int]) -> str:
        text: str = self._tokenizer.decode(ids, skip_special_tokens=True)
        return text

    def bytes_of(self, token: int) -> bytes:
        """The bytes that one token stands for; they may be a part of a character."""
        letters = str(self._tokenizer.convert_ids_to_tokens(token))
        return bytes(self._byte_of[letter] for letter in letters)

    def id_of(self, token: str) -> int:
        """The id of one added token. Raises MachineError (E_WEIGHTS) when the tokenizer does not have it."""
        found = next((index for index, text in self.special.items() if text == token), None)
        if found is None:
            raise MachineError(
                f"the judge's tokenizer has no {token}", code="E_WEIGHTS", hint="mount the pinned checkpoint"
            )
        return found

    @property
    def backend(self) -> Any:
        """The tokenizer object, for the grammar compiler."""
        return self._tokenizer

    def prompt(self, prompt: Prompt, frames: list[int], *, answer: int) -> PromptTokens:
        """The audited tokens; ``frames`` are the mel frames of each sound, ``answer`` the tokens kept for the answer.

        Raises MachineError (E_PROMPT_AUDIT).
        """
        text = self._rendered(prompt)
        for count in frames:
            text = text.replace(AUDIO_PAD, "\0" * audio_tokens(count), 1)
        text = text.replace("\0", AUDIO_PAD)
        ids = self.encode(text)
        audit(prompt, ids, self._facts(frames, answer))
        known = self._shared_ids(prompt)
        shared = len(known) if tuple(ids[: len(known)]) == known else len(self._shared_ids(Prompt((), ())))
        return PromptTokens(tuple(ids), shared)

    def _rendered(self, prompt: Prompt) -> str:
        """The one user message in the checkpoint's chat template. A template that changes our words is refused."""
        content = [
            {"type": "text", "text": part.text} if isinstance(part, TextPart) else {"type": "audio", "audio": part.path}
            for part in prompt.parts
        ]
        text: str = self._tokenizer.apply_chat_template(
            [{"role": "user", "content": content}],
            chat_template=self._template,
            tokenize=False,
            add_generation_prompt=True,
        )
        sound = AUDIO_START + AUDIO_PAD + AUDIO_END
        expected = "".join(sound if isinstance(part, AudioPart) else part.text for part in prompt.parts)
        if expected not in text:
            raise MachineError(
                "the chat template changes the words of the prompt", code="E_PROMPT_AUDIT", hint="check the checkpoint"
            )
        return text

    def _facts(self, frames: list[int], answer: int) -> TokenFacts:
        wanted = {"<|im_start|>": 2, "<|im_end|>": 1}
        if frames:
            wanted |= {AUDIO_START: len(frames), AUDIO_END: len(frames), AUDIO_PAD: sum(map(audio_tokens, frames))}
        tail = tuple(self.encode("<|im_end|>\n<|im_start|>assistant\n"))
        return TokenFacts(self.special, wanted, tail, self._budget, answer)

    def _shared_ids(self, prompt: Prompt) -> tuple[int, ...]:
        """The tokens up to where prompts of one task begin to differ; the last one is left out, since the next word
        may join it."""
        if prompt.shared not in self._shared:
            opening = self._rendered(Prompt((TextPart(prompt.shared or "x"),), ()))
            ids = self.encode(opening[: opening.index(prompt.shared or "x") + len(prompt.shared)])
            self._shared[prompt.shared] = tuple(ids[:-1] if prompt.shared else ids)
        return self._shared[prompt.shared]


def byte_letters() -> dict[int, str]:
    """How byte-level BPE writes each byte: printable Latin-1 as itself, the rest as letters from U+0100 on."""
    plain = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    letters = {byte: chr(byte) for byte in plain}
    spare = (byte for byte in range(256) if byte not in letters)
    return letters | {byte: chr(0x100 + index) for index, byte in enumerate(spare)}


def chat_template(folder: Path) -> str:
    """The template's text out of a checkpoint folder. Raises MachineError (E_WEIGHTS) when there is none."""
    for name in _TEMPLATES:
        path = folder / name
        if not path.is_file():
            continue
        text = path.read_text("utf-8")
        found = text if path.suffix == ".jinja" else json.loads(text).get("chat_template")
        if isinstance(found, str):
            return found
    raise MachineError("the weights hold no chat template", code="E_WEIGHTS", hint="mount the pinned checkpoint")
