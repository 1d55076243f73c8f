"""A causal language model from a local folder, and one question to it: how likely are these words after those?

All that one call asks is read together: texts stand side by side in one row and see only themselves, and a prefix that
several targets share is read once, with the targets as its branches. A model of this size spends its time on fetching
its weights, so few long readings cost a fraction of many short ones. What is read together depends on the call alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.errors import MachineError
from harness.judge.contrasts import Probe

MAX_TOKENS = 8192  # prefix and target together; a longer prompt is refused, never cut
TOGETHER = 1024  # tokens that are read in one go, unless one prefix and its targets have more
_HEAD_ROWS = 256  # places whose chances over the whole vocabulary are held at once


@dataclass(frozen=True, slots=True)
class _Tree:
    """The tokens of a prefix and of the targets that are asked after it, by probe."""

    prefix: list[int]
    targets: dict[Probe, list[int]]

    @property
    def size(self) -> int:
        return len(self.prefix) + sum(len(target) for target in self.targets.values())


class LanguageModel:
    """A checkpoint folder with config.json, model.safetensors and tokenizer.json, loaded on the CPU in fp32."""

    def __init__(self, folder: Path) -> None:
        import torch
        from tokenizers import Tokenizer
        from transformers import AutoModelForCausalLM
        from transformers.utils import logging

        logging.disable_progress_bar()
        torch.set_num_threads(1)
        torch.use_deterministic_algorithms(True)
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._special = {index for index, token in self._tokenizer.get_added_tokens_decoder().items() if token.special}
        self._model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, local_files_only=True).eval()

    def cut(self, text: str, tokens: int) -> tuple[str, int]:
        """The text up to ``tokens`` of the model, and how many tokens that leaves out. Raises as log_likelihoods."""
        self._ids(text)
        found = self._tokenizer.encode(text, add_special_tokens=False)
        if len(found.ids) <= tokens:
            return text, 0
        return text[: found.offsets[tokens - 1][1]], len(found.ids) - tokens

    def log_likelihoods(self, probes: Sequence[Probe]) -> dict[Probe, tuple[float, int]]:
        """For every probe the log-likelihood of its target (nats, summed) and the target's number of tokens (at least
        1).

        Raises MachineError (E_PROMPT_AUDIT) when a text holds a special token of the model or is too long.
        """
        by_prefix: dict[str, dict[Probe, list[int]]] = defaultdict(dict)
        for probe in dict.fromkeys(probes):
            by_prefix[probe.prefix][probe] = self._ids(probe.target)
        trees = [_Tree(self._ids(prefix), targets) for prefix, targets in by_prefix.items()]
        for tree in trees:
            for target in tree.targets.values():
                self._refuse_length(tree.prefix, target)
        return {probe: value for pack in _packs(trees) for probe, value in self._read(pack).items()}

    def peak_surprise(self, probe: Probe, window: int) -> float:
        """The most surprising stretch of ``window`` tokens of the target: −log p a token, in nats. A shorter target
        counts as if sure tokens filled the window."""
        import torch

        prefix, target = self._ids(probe.prefix), self._ids(probe.target)
        if not target:
            return 0.0
        self._refuse_length(prefix, target)
        with torch.inference_mode():
            body = self._model.model(torch.tensor([prefix + target]), use_cache=False).last_hidden_state[0]
            costs = -self._chances(body[len(prefix) - 1 : -1], target)
            sums = costs.cumsum(0)
            stretches = sums[window - 1 :].clone()
            stretches[1:] -= sums[: max(len(target) - window, 0)]
            return float(stretches.max() if len(target) >= window else sums[-1]) / window

    def _refuse_length(self, prefix: list[int], target: list[int]) -> None:
        if len(prefix) + len(target) > MAX_TOKENS or not prefix:
            raise MachineError(
                f"a prompt has {len(prefix) + len(target)} tokens", code="E_PROMPT_AUDIT", hint="shorten the reply"
            )

    def _read(self, trees: Sequence[_Tree]) -> dict[Probe, tuple[float, int]]:
        """As log_likelihoods, in one reading."""
        import torch

        tokens: list[int] = []
        places: list[int] = []
        texts: list[int] = []  # which tree each token is of
        branches: list[int] = []  # and which of its targets, 0 for the prefix
        rows: list[int] = []  # the places whose states predict the targets' tokens, target after target
        for number, tree in enumerate(trees):
            end = len(tokens) + len(tree.prefix) - 1
            for branch, part in enumerate((tree.prefix, *tree.targets.values())):
                if branch and part:
                    rows += [end, *range(len(tokens), len(tokens) + len(part) - 1)]
                first = len(tree.prefix) if branch else 0
                tokens += part
                places += range(first, first + len(part))
                texts += [number] * len(part)
                branches += [branch] * len(part)
        with torch.inference_mode():
            text, branch = torch.tensor(texts), torch.tensor(branches)
            earlier = torch.ones((len(tokens),) * 2, dtype=torch.bool).tril()
            own = (branch[None] == 0) | (branch[None] == branch[:, None])
            seen = torch.where(earlier & own & (text[None] == text[:, None]), 0.0, torch.finfo(torch.float32).min)
            states = self._model.model(
                torch.tensor([tokens]),
                attention_mask=seen[None, None],
                position_ids=torch.tensor([places]),
                use_cache=False,
            ).last_hidden_state[0, rows]
        targets = {probe: target for tree in trees for probe, target in tree.targets.items()}
        picked = self._chances(states, [token for target in targets.values() for token in target])
        found, start = {}, 0
        for probe, target in targets.items():
            found[probe] = (float(picked[start : start + len(target)].sum()), max(len(target), 1))
            start += len(target)
        return found

    def _chances(self, states: Any, tokens: Sequence[int]) -> Any:
        """The log-probability of each token after the state in its place, as doubles."""
        import torch

        found = [torch.empty(0, dtype=torch.double)]
        with torch.inference_mode():
            for start in range(0, len(tokens), _HEAD_ROWS):
                some = tokens[start : start + _HEAD_ROWS]
                chances = torch.log_softmax(self._model.lm_head(states[start : start + len(some)]), dim=-1)
                found.append(chances[torch.arange(len(some)), torch.tensor(some)].double())
        return torch.cat(found)

    def _ids(self, text: str) -> list[int]:
        ids: list[int] = self._tokenizer.encode(text, add_special_tokens=False).ids
        if self._special.intersection(ids):
            raise MachineError(
                "a text holds a special token of the model", code="E_PROMPT_AUDIT", hint="sanitise it first"
            )
        return ids

    def fingerprint(self) -> dict[str, Any]:
        """Versions and number format. Digests of the files are the worker's to add."""
        import numpy
        import tokenizers
        import torch
        import transformers

        return {
            "versions": {
                "torch": torch.__version__,
                "transformers": transformers.__version__,
                "tokenizers": tokenizers.__version__,
                "numpy": numpy.__version__,
            },
            "dtype": "float32",
            "threads": torch.get_num_threads(),
        }


def _packs(trees: Sequence[_Tree]) -> Iterator[list[_Tree]]:
    """The trees in order, as many together as TOGETHER allows."""
    pack: list[_Tree] = []
    for tree in trees:
        if pack and sum(each.size for each in pack) + tree.size > TOGETHER:
            yield pack
            pack = []
        pack.append(tree)
    if pack:
        yield pack
