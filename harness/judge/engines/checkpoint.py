"""`python -m harness.judge.engines.checkpoint SOURCE.gguf OUT`: a GGUF of the Llama family as a checkpoint folder.

Loading a GGUF takes half a minute, a checkpoint a third of a second, so it is done once, inside the judge image with
no network. The result depends on the source's bytes alone: every number is dequantised to fp32 without a choice.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.documents.codec import pretty_json

if TYPE_CHECKING:
    from numpy.typing import NDArray

_NAMES = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
_WHOLE = {
    "token_embd": "model.embed_tokens",
    "output_norm": "model.norm",
    "output": "lm_head",
}
_CONTROL_TOKEN = 3


def convert(source: Path, out: Path) -> None:
    """Write model.safetensors, config.json and tokenizer.json of ``source`` to ``out``.

    Raises ValueError for another architecture or tokenizer than those this knows.
    """
    import gguf
    from safetensors.numpy import save_file

    reader = gguf.GGUFReader(source)
    facts = {
        name: field.contents()
        for name, field in reader.fields.items()
        if name.startswith(("general.", "llama.", "tok"))
    }
    if facts["general.architecture"] != "llama" or facts["tokenizer.ggml.model"] != "gpt2":
        raise ValueError(f"{source.name} is not a Llama with a byte-level BPE tokenizer")
    heads = {"attn_q": facts["llama.attention.head_count"], "attn_k": facts["llama.attention.head_count_kv"]}
    tensors = {}
    for tensor in reader.tensors:
        parts = tensor.name.split(".")
        weight = gguf.quants.dequantize(tensor.data, tensor.tensor_type).astype("float32")
        if parts[0] == "blk":
            name = f"model.layers.{parts[1]}.{_NAMES[parts[2]]}.weight"
            weight = _unpermuted(weight, heads[parts[2]]) if parts[2] in heads else weight
        else:
            name = f"{_WHOLE[parts[0]]}.weight"
        tensors[name] = weight
    save_file(tensors, out / "model.safetensors", metadata={"format": "pt"})
    (out / "config.json").write_bytes(pretty_json(_config(facts, tied="lm_head.weight" not in tensors)))
    (out / "tokenizer.json").write_text(_tokenizer(facts), "utf-8")


def _unpermuted(weight: NDArray[Any], heads: int) -> NDArray[Any]:
    """GGUF stores the rotary halves of each head interleaved; transformers wants them one after the other."""
    import numpy as np

    rows = weight.shape[0] // heads // 2
    return np.ascontiguousarray(weight.reshape(heads, rows, 2, -1).swapaxes(1, 2).reshape(weight.shape))


def _config(facts: dict[str, Any], *, tied: bool) -> dict[str, Any]:
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "vocab_size": len(facts["tokenizer.ggml.tokens"]),
        "hidden_size": facts["llama.embedding_length"],
        "intermediate_size": facts["llama.feed_forward_length"],
        "num_hidden_layers": facts["llama.block_count"],
        "num_attention_heads": facts["llama.attention.head_count"],
        "num_key_value_heads": facts["llama.attention.head_count_kv"],
        "head_dim": facts["llama.rope.dimension_count"],
        "hidden_act": "silu",
        # Stored as fp32; the written number is the one meant.
        "rms_norm_eps": float(f"{facts['llama.attention.layer_norm_rms_epsilon']:.6g}"),
        "rope_theta": facts["llama.rope.freq_base"],
        "max_position_embeddings": facts["llama.context_length"],
        "tie_word_embeddings": tied,
        "bos_token_id": facts["tokenizer.ggml.bos_token_id"],
        "eos_token_id": facts["tokenizer.ggml.eos_token_id"],
    }


def _tokenizer(facts: dict[str, Any]) -> str:
    """A byte-level BPE; digits stand alone where the model was trained so ("smollm")."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    tokens, kinds = facts["tokenizer.ggml.tokens"], facts["tokenizer.ggml.token_type"]
    merges = [tuple(merge.split(" ")) for merge in facts["tokenizer.ggml.merges"]]
    tokenizer = Tokenizer(models.BPE(vocab={token: index for index, token in enumerate(tokens)}, merges=merges))
    if facts.get("tokenizer.ggml.pre") != "smollm":
        raise ValueError(f"the pre-tokenizer {facts.get('tokenizer.ggml.pre')!r} is not known")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    control = [token for token, kind in zip(tokens, kinds, strict=True) if kind == _CONTROL_TOKEN]
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in control])
    text: str = tokenizer.to_str(pretty=False)
    return text


if __name__ == "__main__":
    convert(Path(sys.argv[1]), Path(sys.argv[2]))
