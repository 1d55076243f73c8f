"""Qwen3-Omni through transformers: text and sound in, a verdict out, in batches of one fixed shape.

Three decodings, named in the profile's settings and so in the fingerprint: ``skeleton`` (the verdict of record under
policy strict: greedy on the forced skeleton, reasons held to the verdict's JSON Schema), ``expected`` (the most likely
value of each dimension and its probability-weighted mark, from one forward pass), ``sample`` (free sampling, whose
text is read on the host as the published scripts do).
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from harness.documents.codec import canonical_json
from harness.documents.verdict import JudgeRequest
from harness.errors import HarnessError, UsageError
from harness.judge.answer import read_answer
from harness.judge.engines import Judgement
from harness.judge.engines.free_text import Reasons, sample_text
from harness.judge.engines.skeleton import Skeleton, Slot, beside, best, scores_text
from harness.judge.engines.thinker import Batch, Thinker
from harness.judge.engines.tokens import QwenTokens, mel_frames
from harness.judge.prompt import Prompt, Value, build_prompt

PAD_TO = 128  # prompts of one batch are padded to a multiple of this
_METHODS = ("skeleton", "expected", "sample")


class Qwen3OmniEngine:
    """``settings["settings"]``: ``rows`` of a batch, ``dtype``, ``context_tokens``, ``reasons``, ``decoding``."""

    def __init__(self, settings: dict[str, Any], weights: Path, requests: Path) -> None:
        own: dict[str, Any] = settings["settings"]
        self._settings, self._folder = settings, requests
        self._decoding: dict[str, Any] = own["decoding"][settings["reading"]]
        if self._decoding["method"] not in _METHODS:
            raise UsageError(
                f"the engine knows no decoding {self._decoding['method']!r}",
                code="E_CONFIG",
                hint=f"choose one of: {', '.join(_METHODS)}",
            )
        self._tokens = QwenTokens(weights, budget=int(own["context_tokens"]))
        self._thinker = Thinker(weights, dtype=str(own["dtype"]), rows=int(own["rows"]))
        self._reasons = Reasons(self._tokens, self._thinker.vocabulary)

    @property
    def rows(self) -> int:
        return self._thinker.rows

    def shape(self, request: JudgeRequest) -> str:
        prompt = build_prompt(request, self._settings)
        tokens = self._tokens.prompt(
            prompt, [mel_frames(self._folder / path) for path in prompt.audio], answer=self._answer
        )
        width = _padded(len(tokens.ids) - tokens.shared)
        return f"{request.task} {request.language} {','.join(request.dimensions)} {tokens.shared}+{width}"

    def judge(self, requests: Sequence[JudgeRequest]) -> list[Judgement | HarnessError]:
        prompts = [build_prompt(request, self._settings) for request in requests]
        batch, chunks, width = self._start(prompts)
        if self._decoding["method"] == "sample":
            start = batch.feed(chunks, width)[:, -1]
            texts = sample_text(batch, start, self._tokens, [r.seed for r in requests], self._decoding)
            return [Judgement({}, {}, text.encode(), text=text) for text in texts]
        skeleton = Skeleton.of(prompts[0].questions, self._tokens.encode)
        marks, evidence, lasts = self._marks(batch, chunks, width, skeleton)
        if self._decoding["method"] == "expected" or not prompts[0].reasons:
            answers = [scores_text(chosen) + "}" for chosen in marks]
            return [
                _judgement(dict(chosen), {}, text, e) for chosen, text, e in zip(marks, answers, evidence, strict=True)
            ]
        texts = self._reasons.write(batch, prompts[0], [scores_text(chosen) for chosen in marks], lasts, skeleton.room)
        return [_read(text, prompt, e) for text, prompt, e in zip(texts, prompts, evidence, strict=True)]

    @property
    def _answer(self) -> int:
        return int(self._decoding.get("max_tokens", 1024))

    def _start(self, prompts: Sequence[Prompt]) -> tuple[Batch, list[Any], int]:
        chunks: list[Any] = []
        shared: tuple[int, ...] = ()
        width = 0
        for prompt in prompts:
            mels = [self._thinker.mel(self._folder / path) for path in prompt.audio]
            tokens = self._tokens.prompt(prompt, [mel.shape[1] for mel in mels], answer=self._answer)
            shared = tokens.ids[: tokens.shared]
            own = tokens.ids[tokens.shared :]
            chunks.append(self._thinker.embedded(own, mels))
            width = max(width, _padded(len(own)))
        return self._thinker.batch(shared), chunks, width

    def _marks(
        self, batch: Batch, chunks: list[Any], width: int, skeleton: Skeleton
    ) -> tuple[list[list[tuple[str, Value]]], list[dict[str, float]], list[list[int]]]:
        """The chosen values of every row, what is shown beside them, and the tokens of the last value, not yet read."""
        slots, count = skeleton.slots, len(chunks)
        branches = [branch for slot in slots for branch in slot.branches(slot.opening)]
        states = batch.feed(chunks, width, branches)
        first = self._values(states, branches, slots, [slot.opening for slot in slots])
        evidence = [
            dict(
                pair
                for slot, logs in zip(slots, first, strict=True)
                for pair in beside(slot.question, logs[row]).items()
            )
            for row in range(count)
        ]
        if self._decoding["method"] == "expected":
            chosen = [
                [(slot.question.name, best(slot.question, logs[row])) for slot, logs in zip(slots, first, strict=True)]
                for row in range(count)
            ]
            return chosen, evidence, []
        marks: list[list[tuple[str, Value]]] = [[] for _ in range(count)]
        logs, lasts = first[0], [list(slots[0].opening) for _ in range(count)]
        for index, slot in enumerate(slots):
            if index:
                # Read the value before and the words up to this one; the value's tokens are looked at as branches.
                before = slots[index - 1]
                stems = [stem for stem in slot.branches(()) if stem]
                room = before.width + len(slot.lead) + (len(slots[0].opening) if index == 1 else 0)
                states = batch.feed([[*last, *slot.lead] for last in lasts], room, stems)
                (logs,) = self._values(states, stems, [slot], [()])
                lasts = [[] for _ in range(count)]
            for row in range(count):
                value = best(slot.question, logs[row])
                marks[row].append((slot.question.name, value))
                lasts[row] += slot.values[slot.question.values.index(value)]
        return marks, evidence, lasts

    def _values(
        self, states: Any, branches: Sequence[Sequence[int]], slots: Sequence[Slot], leads: Sequence[tuple[int, ...]]
    ) -> list[list[list[float]]]:
        """For every slot and row the log-probabilities of its values. Column 0 of ``states`` follows the chunk, the
        others follow each token of each branch."""
        columns: dict[tuple[int, ...], int] = {(): 0}
        place = 1
        for branch in branches:
            for step in range(len(branch)):
                columns.setdefault(tuple(branch[: step + 1]), place)
                place += 1
        read = lambda stem, tokens, alone: self._thinker.log_values(  # noqa: E731
            states[:, columns[tuple(stem)]], tokens, alone=alone
        )
        return [slot.scores(lead, read) for slot, lead in zip(slots, leads, strict=True)]

    def fingerprint(self) -> dict[str, Any]:
        names = ("torch", "transformers", "tokenizers", "xgrammar", "numpy")
        return {
            "engine": "transformers",
            "versions": {name: version(name) for name in names},
            "dtype": self._settings["settings"]["dtype"],
            "device": self._thinker.device,
            "rows": self.rows,
            "decoding": self._settings["settings"]["decoding"],
            "tokenizer": {"special": len(self._tokens.special)},
        }


def _read(text: str, prompt: Prompt, evidence: dict[str, float]) -> Judgement | HarnessError:
    try:
        scores, reasons = read_answer(text, prompt)
    except HarnessError as error:
        return error
    return _judgement(scores, reasons, text, evidence)


def _judgement(scores: dict[str, Value], reasons: dict[str, str], text: str, evidence: dict[str, float]) -> Judgement:
    return Judgement(scores, reasons, canonical_json([text, evidence]), evidence)


def _padded(tokens: int) -> int:
    return -(-tokens // PAD_TO) * PAD_TO
