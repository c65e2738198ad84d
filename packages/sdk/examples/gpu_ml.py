"""The function of `custom-base-image.ts`."""

from __future__ import annotations

from typing import Any

import torch
from transformers import AutoModel, AutoTokenizer


def run_inference(model_name: str, input_text: str) -> dict[str, Any]:
    """How large the last hidden state of a model is for a text, and its mean."""
    tokenizer = AutoTokenizer.from_pretrained(model_name)
    model = AutoModel.from_pretrained(model_name)

    inputs = tokenizer(input_text, return_tensors="pt")
    with torch.no_grad():
        outputs = model(**inputs)
    return {"embeddings_shape": outputs.last_hidden_state.shape, "mean_embedding": outputs.last_hidden_state.mean().item()}
