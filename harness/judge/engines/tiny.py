"""`python -m harness.judge.engines.tiny qwen.tiktoken OUT`: a checkpoint of Qwen3-Omni's architecture with random
weights and the real vocabulary, so that the official engine runs end to end where the official weights cannot be had.

Its marks mean nothing. The vocabulary is recovered from the ranks of a tiktoken file: every token of more than one
byte is the join of two earlier ones, and which two is found by merging its bytes in the order of the ranks.
"""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.judge.engines.tokens import byte_letters

# In the order of the real tokenizer, from id 151643 on.
SPECIAL = (
    *("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|object_ref_start|>", "<|object_ref_end|>", "<|box_start|>"),
    *("<|box_end|>", "<|quad_start|>", "<|quad_end|>", "<|vision_start|>", "<|vision_end|>", "<|vision_pad|>"),
    *("<|image_pad|>", "<|video_pad|>", "<tool_call>", "</tool_call>", "<|fim_prefix|>", "<|fim_middle|>"),
    *("<|fim_suffix|>", "<|fim_pad|>", "<|repo_name|>", "<|file_sep|>", "<tool_response>", "</tool_response>"),
    *("<think>", "</think>", "<|audio_start|>", "<|audio_end|>", "<tts_pad>", "<tts_text_bos>"),
    *("<tts_text_eod>", "<tts_text_bos_single>", "<|audio_pad|>"),
)
# A text of ours with the effect of the real one for a single user message.
TEMPLATE = (
    "{%- for message in messages -%}{{ '<|im_start|>' + message.role + '\n' }}"
    "{%- if message.content is string -%}{{ message.content }}{%- else -%}{%- for part in message.content -%}"
    "{%- if part.type == 'audio' -%}{{ '<|audio_start|><|audio_pad|><|audio_end|>' }}{%- else -%}{{ part.text }}"
    "{%- endif -%}{%- endfor -%}{%- endif -%}{{ '<|im_end|>\n' }}{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{ '<|im_start|>assistant\n' }}{%- endif -%}"
)
# How Qwen cuts text before merging bytes.
_PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
VOCABULARY = 151_936  # rows of the embedding, as in the real checkpoint
SEED = 20260


def make(source: Path, out: Path, *, hidden: int = 64, layers: int = 2, experts: int = 4) -> None:
    """Write tokenizer, chat template, feature extractor, config and random weights to ``out``."""
    _write_tokenizer(source, out)
    (out / "preprocessor_config.json").write_text(
        json.dumps(
            {
                "feature_extractor_type": "WhisperFeatureExtractor",
                "feature_size": 128,
                "sampling_rate": 16000,
                "hop_length": 160,
                "n_fft": 400,
                "chunk_length": 30,
                "padding_value": 0.0,
                "padding_side": "right",
                "return_attention_mask": True,
                "dither": 0.0,
            }
        )
    )
    _write_weights(out, hidden=hidden, layers=layers, experts=experts)


def _write_tokenizer(source: Path, out: Path) -> None:
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers

    ranks = read_ranks(source.read_bytes())
    letters = byte_letters()
    spell = {token: "".join(letters[byte] for byte in token) for token in ranks}
    pairs = ((merged(token, ranks), token) for token in ranks if len(token) > 1)
    merges = [(spell[left], spell[right]) for (left, right), _ in pairs]
    vocabulary = {spell[token]: rank for token, rank in ranks.items()}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges))
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_PATTERN), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    plain = {"<tool_call>", "</tool_call>", "<tool_response>", "</tool_response>", "<think>", "</think>"}
    for token in SPECIAL:
        tokenizer.add_tokens([AddedToken(token, special=token not in plain, normalized=False)])
    tokenizer.save(str(out / "tokenizer.json"), pretty=False)
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "eos_token": "<|im_end|>",
        "pad_token": "<|endoftext|>",
        "chat_template": TEMPLATE,
        "clean_up_tokenization_spaces": False,
    }
    (out / "tokenizer_config.json").write_text(json.dumps(settings))


def read_ranks(data: bytes) -> dict[bytes, int]:
    """A tiktoken file: a line a token, its bytes in base64 and its rank."""
    pairs = (line.split() for line in data.splitlines() if line)
    return {base64.b64decode(token): int(rank) for token, rank in pairs}


def merged(token: bytes, ranks: Mapping[bytes, int]) -> tuple[bytes, bytes]:
    """The two tokens of which ``token`` was made: its bytes, joined in the order of the ranks below its own."""
    limit, parts = ranks[token], [bytes([byte]) for byte in token]
    while len(parts) > 2:
        joined = [ranks.get(parts[index] + parts[index + 1], limit) for index in range(len(parts) - 1)]
        at = min(range(len(joined)), key=joined.__getitem__)
        if joined[at] >= limit:
            break
        parts[at : at + 2] = [parts[at] + parts[at + 1]]
    if len(parts) != 2:
        raise ValueError(f"the token {token!r} is no join of two tokens")
    return parts[0], parts[1]


def _write_weights(out: Path, *, hidden: int, layers: int, experts: int) -> None:
    import torch
    from transformers import Qwen3OmniMoeThinkerConfig, Qwen3OmniMoeThinkerForConditionalGeneration

    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    ids = {token: 151_643 + index for index, token in enumerate(SPECIAL)}
    text = {
        "vocab_size": VOCABULARY,
        "hidden_size": hidden,
        "num_hidden_layers": layers,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 16 if hidden == 64 else hidden // 4,
        "num_experts": experts,
        "num_experts_per_tok": 2,
        "moe_intermediate_size": hidden // 2,
        "intermediate_size": hidden * 2,
        "max_position_embeddings": 32_768,
        "rope_parameters": {
            "rope_type": "default",
            "rope_theta": 1e6,
            "mrope_section": [2, 3, 3] if hidden == 64 else [hidden // 32, hidden * 3 // 64, hidden * 3 // 64],
            "mrope_interleaved": True,
        },
    }
    audio = {
        "d_model": 64,
        "encoder_layers": 2,
        "encoder_attention_heads": 4,
        "encoder_ffn_dim": 128,
        "output_dim": hidden,
        "num_mel_bins": 128,
        "n_window": 50,
        "n_window_infer": 800,
        "downsample_hidden_size": 32,
    }
    vision = {"depth": 1, "hidden_size": 64, "num_heads": 4, "intermediate_size": 64, "out_hidden_size": hidden}
    config = Qwen3OmniMoeThinkerConfig(
        text_config=text,
        audio_config=audio,
        vision_config=vision,
        audio_token_id=ids["<|audio_pad|>"],
        audio_start_token_id=ids["<|audio_start|>"],
        audio_end_token_id=ids["<|audio_end|>"],
        image_token_id=ids["<|image_pad|>"],
        video_token_id=ids["<|video_pad|>"],
        vision_start_token_id=ids["<|vision_start|>"],
        user_token_id=872,
    )
    model: Any = Qwen3OmniMoeThinkerForConditionalGeneration(config).eval()
    model.save_pretrained(out)


if __name__ == "__main__":
    make(Path(sys.argv[1]), Path(sys.argv[2]))
