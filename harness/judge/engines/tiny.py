"""`python -m harness.judge.engines.tiny qwen.tiktoken OUT [WORDS]`: a checkpoint of Qwen3-Omni's architecture with
random weights and Qwen's own vocabulary, so that the official engine runs end to end where the official weights are
not at hand.

Its marks mean nothing. With WORDS only so many of the vocabulary's words are taken, and all added tokens: most of what
so small a model does is to weigh every word.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from harness.judge.engines.vocabulary import ADDED, convert

# A text of ours with the effect of the real one for a single user message.
TEMPLATE = (
    "{%- for message in messages -%}{{ '<|im_start|>' + message.role + '\n' }}"
    "{%- if message.content is string -%}{{ message.content }}{%- else -%}{%- for part in message.content -%}"
    "{%- if part.type == 'audio' -%}{{ '<|audio_start|><|audio_pad|><|audio_end|>' }}{%- else -%}{{ part.text }}"
    "{%- endif -%}{%- endfor -%}{%- endif -%}{{ '<|im_end|>\n' }}{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{ '<|im_start|>assistant\n' }}{%- endif -%}"
)
SEED = 20260


def make(
    source: Path, out: Path, words: int | None = None, *, hidden: int = 64, layers: int = 2, experts: int = 4
) -> None:
    """Write tokenizer, chat template, feature extractor, config and random weights to ``out``."""
    added = convert(source, out, words)
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "eos_token": "<|im_end|>",
        "pad_token": "<|endoftext|>",
        "chat_template": TEMPLATE,
        "clean_up_tokenization_spaces": False,
    }
    (out / "tokenizer_config.json").write_text(json.dumps(settings))
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
    _write_weights(out, added, hidden=hidden, layers=layers, experts=experts)


def _write_weights(out: Path, added: int, *, hidden: int, layers: int, experts: int) -> None:
    import torch
    from transformers import Qwen3OmniMoeThinkerConfig, Qwen3OmniMoeThinkerForConditionalGeneration

    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    ids = {token: added + index for index, token in enumerate(ADDED)}
    text = {
        "vocab_size": -(-(added + len(ADDED)) // 256) * 256,  # whole blocks, as in the real checkpoint
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
    )
    model: Any = Qwen3OmniMoeThinkerForConditionalGeneration(config).eval()
    model.save_pretrained(out)


if __name__ == "__main__":
    make(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else None)
