"""What a model writes in its own words: reasons held to the verdict's JSON Schema, and published free sampling."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from harness.judge.answer import REASON_CHARS, verdict_schema
from harness.judge.engines.thinker import Batch
from harness.judge.engines.tokens import QwenTokens
from harness.judge.prompt import Prompt

REASON_TOKENS = 96  # of one reason; what is longer is closed there
_TAIL = 3  # tokens that may end a character which the last one began


class Reasons:
    """Greedy reasons under the grammar of the verdict's schema, one after the other. The words between two reasons are
    spelled by the tokenizer and read as one chunk of fixed width; each reason has columns of its own, used or not. So
    what a row sees does not depend on how long the reasons of its company are."""

    def __init__(self, tokens: QwenTokens, vocabulary: int) -> None:
        import xgrammar

        self._tokens = tokens
        self._info = xgrammar.TokenizerInfo.from_huggingface(tokens.backend, vocab_size=vocabulary)
        self._compiler = xgrammar.GrammarCompiler(self._info, max_threads=1)

    def matcher(self, prompt: Prompt) -> Any:
        """The grammar of this prompt's verdict at its start."""
        import xgrammar

        schema = json.dumps(verdict_schema(prompt), ensure_ascii=False)
        grammar = self._compiler.compile_json_schema(schema, any_whitespace=False, strict_mode=True)
        return xgrammar.GrammarMatcher(grammar, terminate_without_stop_token=True)

    def write(
        self, batch: Batch, prompt: Prompt, starts: Sequence[str], unread: Sequence[Sequence[int]], room: int
    ) -> list[str]:
        """The whole answers: ``starts`` are the rows' scores as text, ``unread`` the tokens of their end that the
        batch has not read yet, at most ``room``."""
        import xgrammar

        rows = [
            ReasonRow(self.matcher(prompt), self._tokens, start, tokens)
            for start, tokens in zip(starts, unread, strict=True)
        ]
        bits = xgrammar.allocate_token_bitmask(batch.rows, self._info.vocab_size)
        room += len(rows[0].unread) - len(unread[0])
        used = 0
        for place, question in enumerate(prompt.questions):
            if place:
                batch.skip(REASON_TOKENS + _TAIL - used)
                room = self._room(question.name)
            states = batch.feed([row.lead() for row in rows], room)
            used = self._reason(batch, rows, states, bits)
        return [row.text for row in rows]

    def _room(self, name: str) -> int:
        """The most tokens that the words before the reason of ``name`` can have; the model may have begun them."""
        words = f'", {json.dumps(name, ensure_ascii=False)}: "'
        return 1 + max(len(self._tokens.encode(words[start:])) for start in range(len(words)))

    def _reason(self, batch: Batch, rows: Sequence[ReasonRow], states: Any, bits: Any) -> int:
        """Let every row write one reason; returns how many columns were read."""
        import xgrammar

        for step in range(REASON_TOKENS + _TAIL + 1):
            for row in rows:
                row.close_when(step >= REASON_TOKENS)
            if all(row.ended for row in rows):
                return step
            bits.fill_(-1)
            for place, row in enumerate(rows):
                row.allow(bits, place)
            logits = batch.logits(states[:, -1]).cpu()
            xgrammar.apply_token_bitmask_inplace(logits, bits)
            chosen = logits.argmax(dim=-1).tolist()
            read = [row.take(token) for row, token in zip(rows, chosen, strict=False)]
            if all(row.ended for row in rows):
                return step
            states = batch.feed(read, 1)
        raise ValueError("a reason did not end")


class ReasonRow:
    """One row's answer as it grows. ``unread`` are tokens that no model has read yet."""

    def __init__(self, matcher: Any, tokens: QwenTokens, start: str, unread: Sequence[int]) -> None:
        self._matcher, self._tokens = matcher, tokens
        self._bytes = b""
        self.ended = True
        self._accept(start)
        jump = matcher.find_jump_forward_string()
        self._accept(jump)
        self.unread = [*unread, *tokens.encode(jump)]

    @property
    def text(self) -> str:
        return self._bytes.decode("utf-8", "replace")

    @property
    def over(self) -> bool:
        """Whether the whole answer is written."""
        return bool(self._matcher.is_terminated())

    def lead(self) -> list[int]:
        """The tokens to read before the next reason, which begins."""
        found, self.unread = self.unread, []
        self.ended, self._begin = False, len(self._bytes)
        return found

    def allow(self, bits: Any, place: int) -> None:
        """What may come next, as row ``place`` of ``bits``."""
        if not self.ended:
            self._matcher.fill_next_token_bitmask(bits, place)

    def take(self, token: int) -> list[int]:
        """Write ``token``; returns what is to be read now: nothing when it ends the reason."""
        if self.ended:
            return []
        if not self._matcher.accept_token(token):
            raise ValueError("the verdict's grammar refuses a token that it allowed")
        self._bytes += self._tokens.bytes_of(token)
        jump = self._matcher.find_jump_forward_string()
        if not jump and not self._matcher.is_terminated():
            return [token]
        self._accept(jump)
        self.ended, self.unread = True, [token, *self._tokens.encode(jump)]
        return []

    def close_when(self, full: bool) -> None:
        """End a reason that is ``full`` or has REASON_CHARS, unless it is within a character."""
        if self.ended:
            return
        full = full or len(self._bytes[self._begin :].decode("utf-8", "ignore")) >= REASON_CHARS
        if full and self._matcher.accept_string('"'):
            jump = self._matcher.find_jump_forward_string()
            self._bytes += b'"'
            self._accept(jump)
            self.ended, self.unread = True, self._tokens.encode('"' + jump)

    def _accept(self, text: str) -> None:
        """Write our own words."""
        if text and not self._matcher.accept_string(text):
            raise ValueError("the verdict's grammar refuses our own words")
        self._bytes += text.encode()


def sample_text(
    batch: Batch, states: Any, tokens: QwenTokens, seeds: Sequence[int], decoding: Mapping[str, Any]
) -> list[str]:
    """Free text by temperature, top-k and top-p after ``states`` (a column of Batch.feed), each row with a generator of
    its own seed. A row ends with the turn or at ``max_tokens``."""
    import torch

    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    ends = {tokens.id_of("<|im_end|>"), tokens.id_of("<|endoftext|>")}
    said: list[list[int]] = [[] for _ in seeds]
    done = [False] * len(seeds)
    for _ in range(int(decoding["max_tokens"])):
        logits = batch.logits(states)
        read: list[list[int]] = []
        for row, generator in enumerate(generators):
            token = None if done[row] else _draw(logits[row], generator, decoding)
            done[row] = done[row] or token in ends
            read.append([] if done[row] or token is None else [token])
            said[row] += read[-1]
        if all(done):
            break
        states = batch.feed(read, 1)[:, -1]
    return [tokens.decode(ids) for ids in said]


def _draw(logits: Any, generator: Any, decoding: Mapping[str, Any]) -> int:
    """One token: the top k, of those the smallest set whose probability reaches top_p, drawn at the temperature."""
    import torch

    values, indices = torch.topk(logits.cpu() / float(decoding["temperature"]), int(decoding["top_k"]))
    shares = torch.softmax(values, dim=-1)
    kept = shares.cumsum(-1) - shares < float(decoding["top_p"])
    shares = torch.where(kept, shares, torch.zeros_like(shares))
    return int(indices[torch.multinomial(shares, 1, generator=generator)])
