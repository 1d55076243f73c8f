"""What a model writes in its own words: reasons held to the verdict's JSON Schema, and published free sampling."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from harness.judge.answer import REASON_CHARS, verdict_schema
from harness.judge.engines.thinker import Batch
from harness.judge.engines.tokens import QwenTokens
from harness.judge.prompt import Prompt


class Reasons:
    """Greedy reasons under the grammar of the verdict's schema; forced words are spelled by the tokenizer."""

    def __init__(self, tokens: QwenTokens, vocabulary: int) -> None:
        import xgrammar

        self._tokens = tokens
        self._info = xgrammar.TokenizerInfo.from_huggingface(tokens.backend, vocab_size=vocabulary)
        self._compiler = xgrammar.GrammarCompiler(self._info, max_threads=1)

    def write(self, batch: Batch, prompt: Prompt, starts: Sequence[str], unread: Sequence[Sequence[int]]) -> list[str]:
        """The whole answers: ``starts`` are the rows' scores as text, ``unread`` the tokens of their end that the
        batch has not read yet."""
        import xgrammar

        schema = json.dumps(verdict_schema(prompt), ensure_ascii=False)
        grammar = self._compiler.compile_json_schema(schema, any_whitespace=False, strict_mode=True)
        rows = [
            _Row(xgrammar.GrammarMatcher(grammar, terminate_without_stop_token=True), self._tokens, start)
            for start in starts
        ]
        width = max(len(tokens) for tokens in unread)
        opening = self._tokens.encode(rows[0].text.removeprefix(starts[0]))
        logs = batch.feed([[*tokens, *opening] for tokens in unread], width + len(opening))[:, -1]
        bits = xgrammar.allocate_token_bitmask(1, self._info.vocab_size)
        steps = len(prompt.questions) * 4 * REASON_CHARS
        for _ in range(steps):
            if all(row.done for row in rows):
                break
            logs = batch.feed([row.next(logs[index], bits) for index, row in enumerate(rows)], 1)[:, -1]
        return [row.text for row in rows]


class _Row:
    """One row's answer as it grows."""

    def __init__(self, matcher: Any, tokens: QwenTokens, start: str) -> None:
        self._matcher, self._tokens = matcher, tokens
        self._bytes = b""
        self._forced: list[int] = []
        self._take(start)
        self._take(matcher.find_jump_forward_string())
        self._begin = len(self._bytes)

    @property
    def text(self) -> str:
        return self._bytes.decode("utf-8", "replace")

    @property
    def done(self) -> bool:
        return bool(self._matcher.is_terminated()) and not self._forced

    def _take(self, text: str) -> None:
        if not self._matcher.accept_string(text):
            raise ValueError("the verdict's grammar refuses our own words")
        self._bytes += text.encode()

    def next(self, logs: Any, bits: Any) -> list[int]:
        """The next token to read, or none when the answer is whole."""
        import xgrammar

        if self._forced:
            return [self._forced.pop(0)]
        if self._matcher.is_terminated():
            return []
        if len(self._bytes[self._begin :].decode("utf-8", "ignore")) >= REASON_CHARS and self._matcher.accept_string(
            '"'
        ):
            self._jump('"')
            return [self._forced.pop(0)]
        self._matcher.fill_next_token_bitmask(bits)
        masked = logs[None].clone().cpu()
        xgrammar.apply_token_bitmask_inplace(masked, bits)
        token = int(masked[0].argmax())
        if not self._matcher.accept_token(token):
            raise ValueError("the verdict's grammar refuses a token that it allowed")
        self._bytes += self._tokens.bytes_of(token)
        self._jump("")
        return [token]

    def _jump(self, words: str) -> None:
        """Take over ``words``, which the matcher has accepted, and all that can only follow."""
        self._bytes += words.encode()
        jump = self._matcher.find_jump_forward_string()
        if jump:
            self._take(jump)
        if words or jump:
            self._forced = self._tokens.encode(words + jump)
            self._begin = len(self._bytes)


def sample_text(
    batch: Batch,
    chunks: Sequence[Any],
    width: int,
    tokens: QwenTokens,
    seeds: Sequence[int],
    decoding: Mapping[str, Any],
) -> list[str]:
    """Free text by temperature, top-k and top-p, each row with a generator of its own seed. A row ends with the turn
    or at ``max_tokens``."""
    import torch

    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    ends = {tokens.id_of("<|im_end|>"), tokens.id_of("<|endoftext|>")}
    said: list[list[int]] = [[] for _ in chunks]
    done = [False] * len(chunks)
    logs = batch.feed(chunks, width)[:, -1]
    for _ in range(int(decoding["max_tokens"])):
        read: list[list[int]] = []
        for row, generator in enumerate(generators):
            token = None if done[row] else _draw(logs[row], generator, decoding)
            done[row] = done[row] or token in ends
            read.append([] if done[row] or token is None else [token])
            said[row] += read[-1]
        if all(done):
            break
        logs = batch.feed(read, 1)[:, -1]
    return [tokens.decode(ids) for ids in said]


def _draw(logs: Any, generator: Any, decoding: Mapping[str, Any]) -> int:
    """One token: the top k, of those the smallest set whose probability reaches top_p, drawn at the temperature."""
    import torch

    values, indices = torch.topk(logs.float().cpu() / float(decoding["temperature"]), int(decoding["top_k"]))
    shares = torch.softmax(values, dim=-1)
    kept = shares.cumsum(-1) - shares < float(decoding["top_p"])
    shares = torch.where(kept, shares, torch.zeros_like(shares))
    return int(indices[torch.multinomial(shares, 1, generator=generator)])
