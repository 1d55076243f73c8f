"""`python -m harness.judge.engines.vocabulary SOURCE.tiktoken OUT`: Qwen's published vocabulary as tokenizer files.

A tiktoken file holds byte strings by rank and no merges; those are recovered: a token was made of any two others that
it is the sum of. The added tokens follow the ranks, in the order of Qwen3-Omni. So the token audit and the sanitiser
can be tried on the real vocabulary where the model's own folder cannot be had.
"""

from __future__ import annotations

import base64
import sys
from pathlib import Path

from harness.documents.codec import pretty_json
from harness.judge.engines.tokens import byte_letters

# Qwen3-Omni's 33 added tokens, from the first id after the ranks on.
ADDED = (
    *("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|object_ref_start|>", "<|object_ref_end|>"),
    *("<|box_start|>", "<|box_end|>", "<|quad_start|>", "<|quad_end|>", "<|vision_start|>", "<|vision_end|>"),
    *("<|vision_pad|>", "<|image_pad|>", "<|video_pad|>", "<tool_call>", "</tool_call>"),
    *("<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>", "<|fim_pad|>", "<|repo_name|>", "<|file_sep|>"),
    *("<tool_response>", "</tool_response>", "<think>", "</think>", "<|audio_start|>", "<|audio_end|>"),
    *("<tts_pad>", "<tts_text_bos>", "<tts_text_eod>", "<tts_text_bos_single>", "<|audio_pad|>"),
)
_WORDS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def convert(source: Path, out: Path, first: int | None = None) -> int:
    """Write tokenizer.json and tokenizer_config.json of ``source`` (a tiktoken file) to the folder ``out``, with the
    ``first`` ranks only when that is given. Returns the id of the first added token."""
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers

    ranks = {token: rank for token, rank in read_ranks(source.read_bytes()).items() if first is None or rank < first}
    letters = byte_letters()
    shown = {token: "".join(letters[byte] for byte in token) for token in ranks}
    merges = [(shown[left], shown[right]) for left, right in recovered_merges(ranks)]
    vocabulary = {shown[token]: rank for token, rank in ranks.items()}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges, byte_fallback=False))
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_WORDS), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in ADDED])
    tokenizer.save(str(out / "tokenizer.json"))
    added = {
        str(len(ranks) + place): {"content": token, "normalized": False, "special": True}
        for place, token in enumerate(ADDED)
    }
    config = {
        "tokenizer_class": "Qwen2Tokenizer",
        "added_tokens_decoder": added,
        "eos_token": "<|im_end|>",
        "pad_token": "<|endoftext|>",
        "model_max_length": 32768,
    }
    (out / "tokenizer_config.json").write_bytes(pretty_json(config))
    return len(ranks)


def read_ranks(raw: bytes) -> dict[bytes, int]:
    """Lines of base64 and a rank. Raises ValueError unless the ranks are 0, 1, 2 …"""
    ranks = {base64.b64decode(token): int(rank) for token, rank in (line.split() for line in raw.splitlines() if line)}
    if sorted(ranks.values()) != list(range(len(ranks))):
        raise ValueError("the ranks of this vocabulary are not 0, 1, 2 …")
    return ranks


def recovered_merges(ranks: dict[bytes, int]) -> list[tuple[bytes, bytes]]:
    """Every pair of tokens whose sum is a token, by the rank of the sum, then of the parts."""
    found = [
        (rank, ranks[token[:cut]], ranks[token[cut:]], token[:cut], token[cut:])
        for token, rank in ranks.items()
        for cut in range(1, len(token))
        if token[:cut] in ranks and token[cut:] in ranks
    ]
    return [(left, right) for *_, left, right in sorted(found)]


if __name__ == "__main__":
    convert(Path(sys.argv[1]), Path(sys.argv[2]))
