"""A model of the kind that hubs have, small enough to be written here: BERT with one layer, its weights chosen by chance."""

from __future__ import annotations

import json
import random
import struct
from collections.abc import Mapping

_WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "images", "as", "code", "hello", "world"]
HIDDEN = 8
_INNER, _POSITIONS = 16, 32
_CONFIG = {
    "architectures": ["BertModel"],
    "model_type": "bert",
    "vocab_size": len(_WORDS),
    "hidden_size": HIDDEN,
    "intermediate_size": _INNER,
    "max_position_embeddings": _POSITIONS,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
}


def model_files() -> Mapping[str, str | bytes]:
    """What `from_pretrained` reads, by name."""
    return {
        "config.json": json.dumps(_CONFIG),
        "vocab.txt": "\n".join(_WORDS),
        "tokenizer_config.json": json.dumps({"tokenizer_class": "BertTokenizer", "do_lower_case": True}),
        "model.safetensors": _safetensors(_shapes()),
    }


def _shapes() -> Mapping[str, tuple[int, ...]]:
    layer = "encoder.layer.0"
    square = {
        f"{layer}.attention.self.query": (HIDDEN, HIDDEN),
        f"{layer}.attention.self.key": (HIDDEN, HIDDEN),
        f"{layer}.attention.self.value": (HIDDEN, HIDDEN),
        f"{layer}.attention.output.dense": (HIDDEN, HIDDEN),
        f"{layer}.intermediate.dense": (_INNER, HIDDEN),
        f"{layer}.output.dense": (HIDDEN, _INNER),
        "pooler.dense": (HIDDEN, HIDDEN),
    }
    norms = ["embeddings", f"{layer}.attention.output", f"{layer}.output"]
    return {
        "embeddings.word_embeddings.weight": (len(_WORDS), HIDDEN),
        "embeddings.position_embeddings.weight": (_POSITIONS, HIDDEN),
        "embeddings.token_type_embeddings.weight": (2, HIDDEN),
        **{f"{name}.LayerNorm.{part}": (HIDDEN,) for name in norms for part in ("weight", "bias")},
        **{f"{name}.weight": shape for name, shape in square.items()},
        **{f"{name}.bias": shape[:1] for name, shape in square.items()},
    }


def _safetensors(shapes: Mapping[str, tuple[int, ...]]) -> bytes:
    """The format is a header in JSON, its length before it, and the numbers of all tensors behind it."""
    chance = random.Random(1)
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    data = b""
    for name, shape in shapes.items():
        count = shape[0] * (shape[1] if len(shape) == 2 else 1)
        numbers = struct.pack(f"<{count}f", *(chance.gauss(0, 1) for _ in range(count)))
        header[name] = {"dtype": "F32", "shape": list(shape), "data_offsets": [len(data), len(data) + len(numbers)]}
        data += numbers
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data
