"""Networks as other people's torch modules: our transformers in torch's own layers, and small ones of other kinds."""

from collections import OrderedDict

import torch
from planted import planted
from torch import Tensor, nn
from torch.nn import functional

from interp.networks.transformer import Network

P = 7


def pairs(a: Tensor, b: Tensor) -> Tensor:
    """Sequences (a, b)."""
    return torch.stack([a, b], 1)


def equals(a: Tensor, b: Tensor) -> Tensor:
    """Sequences (a, b, =)."""
    return torch.stack([a, b, torch.full_like(a, P)], 1)


class Block(nn.Module):
    """A transformer block of torch's own layers, with the weights of a block of ours."""

    def __init__(self, network: Network, layer: int) -> None:
        super().__init__()
        config, W = network.config, {name: x.clone() for name, x in network.parameters.items()}
        d, self.causal, self.place = config.d_model, config.causal, config.normalization_place
        self.attention = nn.MultiheadAttention(d, config.n_heads, bias=False, batch_first=True)
        merged = [W[f"blocks.{layer}.attn.W_{x}"].permute(0, 2, 1).reshape(d, d) for x in "QKV"]
        self.attention.in_proj_weight = nn.Parameter(torch.cat(merged))
        self.attention.out_proj.weight = nn.Parameter(W[f"blocks.{layer}.attn.W_O"].reshape(d, d).T)
        kinds = {"none": nn.Identity, "layer": nn.LayerNorm, "rms": nn.RMSNorm}
        plain = config.normalization == "none"
        self.norms = nn.ModuleList(kinds[config.normalization](d, *([] if plain else [1e-5])) for _ in range(2))
        self.up, self.down = nn.Linear(d, config.d_mlp), nn.Linear(config.d_mlp, d)
        self.gate = nn.Linear(d, config.d_mlp) if config.gated_mlp else None
        self.act = {"relu": nn.ReLU, "gelu": nn.GELU, "silu": nn.SiLU}[config.activation]()
        for part, name in ((self.up, "in"), (self.down, "out"), (self.gate, "gate")):
            if part is not None:
                part.weight = nn.Parameter(W[f"blocks.{layer}.mlp.W_{name}"].T)
                part.bias = nn.Parameter(W[f"blocks.{layer}.mlp.b_{name}"])
        _with_weights(self.norms, [f"blocks.{layer}.ln1", f"blocks.{layer}.ln2"], W)

    def forward(self, x: Tensor) -> Tensor:
        one, two = self.norms
        before = self.place == "before"
        read, n = one(x) if before else x, x.shape[1]
        mask = torch.ones(n, n).triu(1).bool() if self.causal else None
        x = x + self.attention(read, read, read, attn_mask=mask, need_weights=False)[0]
        x = x if before else one(x)
        read = two(x) if before else x
        neurons = self.act(self.up(read)) if self.gate is None else self.act(self.gate(read)) * self.up(read)
        x = x + self.down(neurons)
        return x if before else two(x)


class Twin(nn.Module):
    """A network of ours, as somebody else would have written it."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        config, W = network.config, {name: x.clone() for name, x in network.parameters.items()}
        self.tok_emb = nn.Embedding.from_pretrained(W["embed.W_E"], freeze=False)
        self.pos_emb = nn.Parameter(W["pos_embed.W_pos"])
        self.blocks = nn.ModuleList(Block(network, layer) for layer in range(config.n_layers))
        final = {"layer": nn.LayerNorm, "rms": nn.RMSNorm}[config.normalization] if config.final_normalization else nn.Identity
        self.norm = final(config.d_model, *([1e-5] if config.final_normalization else []))
        _with_weights([self.norm], ["ln_final"], W)
        self.head = nn.Linear(config.d_model, config.d_vocab_out, bias=False)
        self.head.weight = nn.Parameter(W["unembed.W_U"].T)

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.tok_emb(tokens) + self.pos_emb[: tokens.shape[1]]
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x))


def _with_weights(norms: "nn.ModuleList | list[nn.Module]", names: list[str], W: dict[str, Tensor]) -> None:
    for norm, name in zip(norms, names, strict=True):
        if f"{name}.w" in W:
            norm.weight = nn.Parameter(W[f"{name}.w"])
        if f"{name}.b" in W:
            norm.bias = nn.Parameter(W[f"{name}.b"])


class Memory(nn.Module):
    """A recurrent network, which reads positions first unless told otherwise."""

    def __init__(self, kind: type[nn.LSTM] | type[nn.GRU], batch_first: bool) -> None:
        super().__init__()
        self.batch_first = batch_first
        self.embedding, self.memory = nn.Embedding(P, 6), kind(6, 10, batch_first=batch_first)
        self.head = nn.Linear(10, P)

    def forward(self, tokens: Tensor) -> Tensor:
        states, _ = self.memory(self.embedding(tokens if self.batch_first else tokens.T))
        return self.head(states)


class Encoder(nn.Module):
    """Torch's own transformer encoder, which answers with a mapping, as libraries do."""

    def __init__(self) -> None:
        super().__init__()
        self.tokens, self.positions = nn.Embedding(P + 1, 8), nn.Embedding(3, 8)
        layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
        self.encoder, self.head = nn.TransformerEncoder(layer, 1, enable_nested_tensor=False), nn.Linear(8, P)

    def forward(self, tokens: Tensor) -> "OrderedDict[str, Tensor | None]":
        x = self.tokens(tokens) + self.positions(torch.arange(3))
        return OrderedDict(loss=None, logits=self.head(self.encoder(x)))


class OneHots(nn.Module):
    """A perceptron of one-hots, which answers with probabilities."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(2 * P, 20), nn.Linear(20, P)

    def forward(self, one_hots: Tensor) -> Tensor:
        return self.second(functional.relu(self.first(one_hots))).softmax(-1)


class TwoTables(nn.Module):
    """Two arguments, each with an embedding of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = nn.Embedding(P, 6), nn.Embedding(P, 6)
        self.up, self.down = nn.Linear(6, 20), nn.Linear(20, P)

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        return self.down(torch.tanh(self.up(self.one(a) + self.two(b))))


class Scale(nn.Module):
    """Root-mean-square normalisation, as one writes it oneself."""

    def __init__(self, d: int) -> None:
        super().__init__()
        self.g = nn.Parameter(0.5 + torch.rand(d, generator=torch.Generator().manual_seed(0), dtype=torch.float64))

    def forward(self, x: Tensor) -> Tensor:
        return self.g * x / (x.square().mean(-1, keepdim=True) + 1e-6).sqrt()


class GatedPlanted(nn.Module):
    """A planted circuit of gated neurons, with a normalisation before the output: what is in it is known.

    It reads (a, b, '='). The gates are the neurons of ``planted``; the factor that each is multiplied by differs from neuron to
    neuron, and what it writes is divided by it.
    """

    def __init__(self, p: int, pizzas: list[int], clocks: list[int]) -> None:
        super().__init__()
        network = planted(p, pizzas=pizzas, clocks=clocks, equals_token=False)
        W, config = network.parameters, network.config
        # A row for '=', which is read and makes no difference.
        self.embed = nn.Embedding.from_pretrained(torch.cat([W["embed.W_E"], W["embed.W_E"][:1] - 1]))
        K = 2 * (len(pizzas) + len(clocks))
        self.K, d = K, config.d_model
        sizes = ((d, config.d_mlp), (d, config.d_mlp), (config.d_mlp, d))
        self.gate, self.up, self.down = (nn.Linear(*size, dtype=torch.float64) for size in sizes)
        self.act, self.norm, self.head = nn.ReLU(), Scale(d), nn.Linear(d, p, bias=False, dtype=torch.float64)
        with torch.no_grad():
            self.gate.weight[:] = W["blocks.0.mlp.W_in"].T
            self.gate.bias.zero_()
            self.up.weight.zero_()
            self.up.bias.uniform_(0.5, 1.5, generator=torch.Generator().manual_seed(0))
            self.down.weight[:] = W["blocks.0.mlp.W_out"].T / self.up.bias
            self.down.bias.zero_()
            self.head.weight[:] = (W["unembed.W_U"] / self.norm.g[:, None]).T

    def forward(self, tokens: Tensor) -> Tensor:
        a, b, _ = self.embed(tokens).unbind(1)
        x = torch.cat([a[:, : self.K], a[:, : self.K], b[:, : self.K], torch.zeros_like(a[:, 3 * self.K :])], 1)
        x = x + self.down(self.act(self.gate(x)) * self.up(x))
        return self.head(self.norm(x))
