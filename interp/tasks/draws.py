"""Draws of a seed that do not depend on each other."""

import torch


def generator(seed: int, draw: int) -> torch.Generator:
    """A generator for one of the draws of a seed, by its number: the same on every machine, whatever else was drawn."""
    # PyTorch's generator looks at 32 bits of its seed; neighbouring seeds are far apart by the multiplier (Knuth's).
    return torch.Generator().manual_seed((seed * 2_654_435_761 + draw) % (1 << 32))
