"""Numbers so small that processors compute with them many times slower: they count as 0."""

import torch


def flush_denormals() -> None:
    """Let numbers below 1.2e-38, the least normal one in float32, count as 0, in this thread and in those that start after it.

    A network that is sure has such numbers in its gradients, where they change no weight: next to the others they vanish. But
    steps with them take several times as long (docs/speed.md). Call it before the first computation, which starts the threads.
    """
    torch.set_flush_denormal(True)
