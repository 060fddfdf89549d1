"""How many multiplications do proofs and forward passes take?"""

from dataclasses import dataclass

from interp.networks.attention_free import AttentionFree
from interp.networks.config import NetworkConfig
from interp.networks.transformer import Network


@dataclass(frozen=True, kw_only=True)
class Work:
    """Numbers of multiplications of a network of one layer."""

    p: int
    """Number of symbols, so that there are p² pairs."""
    neurons: int
    """Number of neurons."""
    slots: int
    """Number of heads times positions that are weighted and summed for every pair; 0 where nothing is weighted."""
    attention: int
    """Multiplications of one pair's attention scores."""
    tables: int
    """Those of what every token is worth, in front of the neurons and of the answers, and of V = W_out W_U."""
    linear: int
    """Those of the tables of ½ pre V, what the neurons ReLU(x) = ½x + ½|x| pass on linearly."""
    brute_force: int
    """Those of a forward pass on all pairs, each alone, where nothing is shared between pairs."""

    @property
    def shared(self) -> int:
        """Those of a forward pass on all pairs that computes once what depends on one token."""
        return self.tables + self.p**2 * (self._direct + self.slots * self.neurons + self.neurons * self.p)

    @property
    def _direct(self) -> int:
        """Those of a pair's attention weights, and of its logits past the neurons."""
        return self.attention + self.slots * self.p

    def low_rank(self, rank: int) -> int:
        """Those of the proof by low rank: the tables; singular vectors of V (four for each of its entries and answers) and
        what is cut off; for every pair its neurons, their length, their r numbers, and the logits that follow from these."""
        p, n = self.p, self.neurons
        cut = 4 * n * p * min(n, p) + 2 * n * p * rank + p * p * n
        return self.tables + cut + p * p * (self._direct + self.slots * n + n * (1 + rank) + rank * (p + 1))

    def waves(self) -> int:
        """Those of the proof by waves, however many: the tables; every pair's neurons, their waves by a Fourier transform in a
        and in b, the sum of the chosen ones by another, the length of what is left; distances between answers; the logits."""
        p, n = self.p, self.neurons
        return self.tables + p * p * n + p * p * (self._direct + self.slots * n + n * (4 * p + 1) + n * p + p)


def work(network: Network | AttentionFree) -> Work:
    """The numbers of multiplications of a network."""
    return _without_attention(network) if isinstance(network, AttentionFree) else _of_transformer(network.config)


def _of_transformer(config: NetworkConfig) -> Work:
    p, d, n, heads = config.p, config.d_model, config.d_mlp, config.n_heads
    width = heads * config.d_head
    tokens, last = (2 * p + 1, 1) if config.equals_token else (2 * p, p)
    # Keys and values of all tokens, queries of the last; what values add in front of the neurons and the answers; V itself.
    # Where '=' is the last, there is one query, and so one score of every token.
    tables = tokens * width * (2 * d + n + p) + last * width * d + (width + last) * d * (n + p) + n * d * p
    tables += tokens * width if config.equals_token else 0
    # Keys and values of all positions, the rest at the last.
    each = d * width * (2 * config.n_ctx + 2) + 2 * config.n_ctx * width
    slots = heads * config.n_ctx
    return Work(
        p=p,
        neurons=n,
        slots=slots,
        attention=0 if config.equals_token else slots * config.d_head,
        tables=tables,
        linear=d * n * p,
        brute_force=p * p * (each + 2 * d * n + d * p),
    )


def _without_attention(network: AttentionFree) -> Work:
    config = network.config
    p, n = config.p, config.d_hidden
    reads = 0 if config.kind == "direct" else config.d_embedding * n
    return Work(
        p=p,
        neurons=n,
        slots=0,
        attention=0,
        tables=2 * p * reads,
        linear=2 * p * n * p,
        brute_force=p * p * (reads * (2 if config.kind == "delta" else 1) + n * p),
    )
