"""A causal language model from a local folder, and one question to it: how likely are these words after those?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness.errors import MachineError
from harness.judge.contrasts import Probe

MAX_TOKENS = 8192  # prefix and target together; a longer prompt is refused, never cut


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
        # The prefix read last: its tokens, its keys and values, its last hidden state.
        self._cache: tuple[list[int], Any, Any] | None = None
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
        1). A prefix that several probes share is read once.

        Raises MachineError (E_PROMPT_AUDIT) when a text holds a special token of the model or is too long.
        """
        by_prefix: dict[str, list[Probe]] = defaultdict(list)
        for probe in dict.fromkeys(probes):
            by_prefix[probe.prefix].append(probe)
        found: dict[Probe, tuple[float, int]] = {}
        for prefix, group in by_prefix.items():
            prefix_ids = self._ids(prefix)
            for probe in group:
                found[probe] = self._likelihood(prefix_ids, self._ids(probe.target), cached=len(group) > 1)
            self._cache = None
        return found

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
            chances = torch.log_softmax(self._model.lm_head(body[len(prefix) - 1 : -1]), dim=-1)
            costs = -chances[torch.arange(len(target)), torch.tensor(target)].double()
            sums = costs.cumsum(0)
            stretches = sums[window - 1 :].clone()
            stretches[1:] -= sums[: max(len(target) - window, 0)]
            return float(stretches.max() if len(target) >= window else sums[-1]) / window

    def _refuse_length(self, prefix: list[int], target: list[int]) -> None:
        if len(prefix) + len(target) > MAX_TOKENS or not prefix:
            raise MachineError(
                f"a prompt has {len(prefix) + len(target)} tokens", code="E_PROMPT_AUDIT", hint="shorten the reply"
            )

    def _likelihood(self, prefix: list[int], target: list[int], *, cached: bool) -> tuple[float, int]:
        import torch

        if not target:
            return 0.0, 1
        self._refuse_length(prefix, target)
        with torch.inference_mode():
            if cached:
                states = self._after_prefix(prefix, target)
            else:
                body = self._model.model(torch.tensor([prefix + target]), use_cache=False).last_hidden_state[0]
                states = body[len(prefix) - 1 : -1]
            chances = torch.log_softmax(self._model.lm_head(states), dim=-1)
            picked = chances[torch.arange(len(target)), torch.tensor(target)]
            return float(picked.double().sum()), len(target)

    def _after_prefix(self, prefix: list[int], target: list[int]) -> Any:
        """The hidden states that predict ``target``, with the prefix's keys and values read once for all targets."""
        import torch

        if self._cache is None or self._cache[0] != prefix:
            read = self._model.model(torch.tensor([prefix]), use_cache=True)
            self._cache = (prefix, read.past_key_values, read.last_hidden_state[0, -1:])
        _, keys_and_values, last = self._cache
        places = torch.arange(len(prefix), len(prefix) + len(target))[None]
        read = self._model.model(
            torch.tensor([target]), past_key_values=keys_and_values, use_cache=True, position_ids=places
        )
        keys_and_values.crop(-len(target))
        return torch.cat([last, read.last_hidden_state[0, :-1]])

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
