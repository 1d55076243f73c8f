"""The thinker of Qwen3-Omni (its text and audio half, no talker) as a machine for batches of one fixed shape.

A batch starts from the keys and values of the shared rubric, read once, and is fed in chunks. Every chunk has one
width for all rows, padded on the left; a batch that is not full is filled with copies of its first row. So the shapes
that a row sees depend on that row and the schema alone. Sounds are encoded one by one. Branches are continuations that
are read and forgotten: they see what is before them and themselves, never each other.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness.errors import MachineError
from harness.hearing.voice_activity import RATE_HZ
from harness.judge.engines.speech import read_pcm16

AUDIO_SECONDS = 120


class Thinker:
    """A checkpoint folder, loaded on the GPU when there is one, else on the CPU with one thread."""

    def __init__(self, folder: Path, *, dtype: str, rows: int) -> None:
        import torch
        from transformers import Qwen3OmniMoeThinkerForConditionalGeneration as Model
        from transformers import WhisperFeatureExtractor
        from transformers.utils import logging

        logging.set_verbosity_error()
        logging.disable_progress_bar()
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        if self.device == "cpu":
            torch.set_num_threads(1)
            torch.use_deterministic_algorithms(True)
        self.rows = rows
        self._features = WhisperFeatureExtractor.from_pretrained(folder, local_files_only=True)
        whole = Model.from_pretrained(
            folder,
            dtype=getattr(torch, dtype),
            local_files_only=True,
            attn_implementation="sdpa",
            experts_implementation="eager",
        )
        whole.to(self.device).eval()
        self._whole = whole
        self.text = whole.model.language_model
        self.head = whole.lm_head
        self.audio_pad: int = whole.config.audio_token_id
        self._prefix: tuple[tuple[int, ...], Any] | None = None

    @property
    def vocabulary(self) -> int:
        """The width of the logits."""
        return int(self.head.weight.shape[0])

    def mel(self, path: Path) -> Any:
        """The mel features of a canonical WAV, [bins, frames of 10 ms]. Raises MachineError (E_AUDIO)."""
        import numpy as np

        samples = read_pcm16(path).astype(np.float32) / 32768
        if not 0 < len(samples) <= AUDIO_SECONDS * RATE_HZ:
            raise MachineError(
                f"canonical audio is {len(samples) / RATE_HZ:.1f} s long",
                code="E_AUDIO",
                hint="check the audio rules of the spec",
            )
        made = self._features(
            samples, sampling_rate=RATE_HZ, padding=True, truncation=False, return_attention_mask=True,
            return_tensors="pt",
        )  # fmt: skip
        return made["input_features"][0][:, made["attention_mask"][0].bool()]

    def embedded(self, ids: Sequence[int], mels: Sequence[Any]) -> Any:
        """The embeddings of a prompt's tokens, each sound in the place of its placeholders: [tokens, width]."""
        import torch

        with torch.inference_mode():
            tokens = torch.tensor(ids, device=self.device)
            found = self.text.embed_tokens(tokens)
            if mels:
                sounds = torch.cat([self._heard(mel) for mel in mels]).to(found.dtype)
                found = found.clone()
                found[tokens == self.audio_pad] = sounds
            return found

    def _heard(self, mel: Any) -> Any:
        import torch

        lengths = torch.tensor([mel.shape[1]], device=self.device)
        tower = self._whole.model.audio_tower
        return tower(mel.to(self.device, tower.dtype), feature_lens=lengths).last_hidden_state

    def logits(self, states: Any) -> Any:
        """What every token of the vocabulary scores after ``states``: [..., vocabulary], fp32."""
        import torch

        with torch.inference_mode():
            return self.head(states).float()

    def log_values(self, states: Any, tokens: Sequence[int], *, alone: bool) -> list[list[float]]:
        """For each row of ``states`` [rows, width] the log-probabilities of ``tokens``. ``alone``: they are compared
        with each other only, so a constant may be missing and the rest of the vocabulary is not computed."""
        import torch

        with torch.inference_mode():
            wanted = torch.tensor(tokens, device=self.device)
            if alone:
                found = torch.nn.functional.linear(states, self.head.weight[wanted]).float()
            else:
                found = torch.log_softmax(self.logits(states), dim=-1)[:, wanted]
        rows: list[list[float]] = found.tolist()
        return rows

    def batch(self, shared: tuple[int, ...]) -> Batch:
        """A new batch that has read the ``shared`` tokens (at least one)."""
        import torch
        from transformers import DynamicCache

        if self._prefix is None or self._prefix[0] != shared:
            cache = DynamicCache(config=self.text.config)
            with torch.inference_mode():
                self.text(torch.tensor([shared], device=self.device), cache=cache, use_cache=True)
            self._prefix = (shared, cache)
        cache = copy.deepcopy(self._prefix[1])
        cache.batch_repeat_interleave(self.rows)
        return Batch(self, cache, len(shared))


class Batch:
    """The state of ``rows`` prompts that advance together."""

    def __init__(self, thinker: Thinker, cache: Any, length: int) -> None:
        import torch

        self._thinker = thinker
        self._cache = cache
        self._seen = torch.ones((thinker.rows, length), dtype=torch.bool, device=thinker.device)
        self._at = torch.full((thinker.rows,), length, device=thinker.device)

    @property
    def rows(self) -> int:
        return self._thinker.rows

    def logits(self, states: Any) -> Any:
        """As Thinker.logits."""
        return self._thinker.logits(states)

    def feed(self, chunks: Sequence[Any], width: int, branches: Sequence[Sequence[int]] = ()) -> Any:
        """Read one chunk a row (token ids, or embeddings of a prompt), padded on the left to ``width``, and then the
        ``branches``, the same for every row. Returns the model's states after the chunk and after each token of each
        branch: [rows, 1 + tokens of all branches, width of the model]; Thinker.logits and log_values say what follows
        them. The branches leave no trace."""
        import torch

        thinker = self._thinker
        filled = [*chunks, *([chunks[0]] * (thinker.rows - len(chunks)))]
        tail = [token for branch in branches for token in branch]
        with torch.inference_mode():
            inputs = torch.stack([self._columns(chunk, width, tail) for chunk in filled])
            lengths = torch.tensor([len(chunk) for chunk in filled], device=thinker.device)
            present = torch.arange(width, device=thinker.device)[None] >= width - lengths[:, None]
            places = self._places(lengths, width, branches)
            states = thinker.text(
                inputs_embeds=inputs,
                attention_mask=self._mask(present, branches),
                position_ids=places[None].expand(3, -1, -1),
                cache=self._cache,
                use_cache=True,
            ).last_hidden_state[:, width - 1 :]
        if tail:
            self._cache.crop(-len(tail))
        self._seen = torch.cat([self._seen, present], dim=1)
        self._at = self._at + lengths
        return states

    def skip(self, columns: int) -> None:
        """Go on as if ``columns`` of padding had been read by every row, without reading them: what comes next stands
        in one column whether the chunk before took long or not."""
        import torch

        for layer in self._cache.layers:
            blank = layer.keys.new_zeros((*layer.keys.shape[:2], columns, layer.keys.shape[3]))
            layer.keys = torch.cat([layer.keys, blank], dim=2)
            layer.values = torch.cat([layer.values, blank], dim=2)
        self._seen = torch.cat([self._seen, self._seen.new_zeros((len(self._seen), columns))], dim=1)

    def _columns(self, chunk: Any, width: int, tail: Sequence[int]) -> Any:
        import torch

        embed, device = self._thinker.text.embed_tokens, self._thinker.device
        if isinstance(chunk, list):
            chunk = embed(torch.tensor(chunk, dtype=torch.long, device=device))
        parts = [torch.zeros((width - len(chunk), chunk.shape[1]), dtype=chunk.dtype, device=device), chunk]
        if tail:
            parts.append(embed(torch.tensor(tail, device=device)))
        return torch.cat(parts)

    def _places(self, lengths: Any, width: int, branches: Sequence[Sequence[int]]) -> Any:
        """Positions: a chunk goes on where its row stands, each branch goes on where the chunk ends."""
        import torch

        device = self._thinker.device
        chunk = self._at[:, None] + torch.arange(width, device=device)[None] - (width - lengths[:, None])
        after = [step for branch in branches for step in range(len(branch))]
        ends = (self._at + lengths)[:, None] + torch.tensor(after, dtype=torch.long, device=device)[None]
        return torch.cat([chunk.clamp(min=0), ends], dim=1)

    def _mask(self, present: Any, branches: Sequence[Sequence[int]]) -> Any:
        """Who sees whom, [rows, 1, queries, keys]: 0 where seen, the lowest number where not."""
        import torch

        rows, width = present.shape
        device = self._thinker.device
        tails = sum(len(branch) for branch in branches)
        within = torch.zeros((width + tails, width + tails), dtype=torch.bool, device=device)
        within[:width, :width] = torch.ones((width, width), dtype=torch.bool, device=device).tril()
        within[width:, :width] = True
        start = width
        for branch in branches:
            end = start + len(branch)
            within[start:end, start:end] = torch.ones((len(branch),) * 2, dtype=torch.bool, device=device).tril()
            start = end
        keys = torch.cat([present, torch.ones((rows, tails), dtype=torch.bool, device=device)], dim=1)
        seen = torch.cat([self._seen[:, None].expand(-1, width + tails, -1), within[None] & keys[:, None]], dim=2)
        dtype = self._thinker.head.weight.dtype
        lowest = torch.finfo(dtype).min
        return torch.where(seen, 0.0, lowest).to(dtype)[:, None]
