"""Which model is it: a name of its own for the numbers of a frozen network."""

from __future__ import annotations

import hashlib

from torch import nn

LETTERS = 8
"""Hexadecimal digits of a fingerprint."""


def fingerprint(network: nn.Module, *settings: object) -> str:
    """The first digits of the SHA-256 of a network's weights and of `settings` that decide what it says.

    Weights count as rounded to half precision: the same model is saved in either precision, in folders and on hubs.
    """
    found = hashlib.sha256(repr(settings).encode())
    for value in network.state_dict().values():
        found.update(value.detach().half().cpu().contiguous().numpy().tobytes())
    return found.hexdigest()[:LETTERS]
