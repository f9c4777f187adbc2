"""DistilBertForMaskedLM of transformers, with the vocabulary's scores at the masked rows alone."""
import os

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch
import transformers


class MaskedRows(torch.nn.Module):
    """ids, attention mask (batch × length), rows of the masks in the flattened batch -> logits (masks × vocabulary)."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, ids, mask, rows):
        hidden = self.model.distilbert(input_ids=ids, attention_mask=mask)[0]
        hidden = hidden.reshape(-1, hidden.shape[-1])[rows]
        hidden = self.model.activation(self.model.vocab_transform(hidden))
        return self.model.vocab_projector(self.model.vocab_layer_norm(hidden))


def load(directory, **settings):
    return MaskedRows(transformers.DistilBertForMaskedLM.from_pretrained(directory, **settings))
