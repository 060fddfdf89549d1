"""Strangers of torch's own layers, and of usual libraries' names: encoders, fused matrices, Llama's parts; see strangers.py."""

import math
from collections.abc import Callable
from typing import Any

import torch
from strangers import HEADS, D, P, attend, stranger, tokens
from torch import Tensor, nn
from torch.nn import functional


class Encoder(nn.Module):
    """torch's own encoder."""

    def __init__(
        self, layers: int, *, norm_first: bool, activation: str = "relu", final: bool = False, causal: bool = False
    ) -> None:
        super().__init__()
        self.causal = causal
        self.embedding = nn.Embedding(P + 1, D)
        self.positional = nn.Embedding(3, D)
        layer = nn.TransformerEncoderLayer(
            D, HEADS, 2 * D, dropout=0.0, activation=activation, batch_first=True, norm_first=norm_first
        )
        self.encoder = nn.TransformerEncoder(layer, layers, norm=nn.LayerNorm(D) if final else None, enable_nested_tensor=False)
        self.output = nn.Linear(D, P)

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        x = self.embedding(tokens(a, b)) + self.positional(torch.arange(3))
        mask = nn.Transformer.generate_square_subsequent_mask(3) if self.causal else None
        return self.output(self.encoder(x, mask=mask, is_causal=self.causal)[:, -1])


@stranger()
def encoder_layer_after() -> nn.Module:
    return Encoder(1, norm_first=False)


@stranger(activation="gelu")
def encoder_two_layers_before_and_final() -> nn.Module:
    return Encoder(2, norm_first=True, activation="gelu", final=True)


@stranger()
def encoder_before_without_final() -> nn.Module:
    return Encoder(1, norm_first=True)


@stranger()
def encoder_two_layers_causal() -> nn.Module:
    return Encoder(2, norm_first=False, causal=True)


@stranger()
def encoder_six_layers() -> nn.Module:
    return Encoder(6, norm_first=True, final=True)


class MultiheadBlock(nn.Module):
    """nn.MultiheadAttention, with an MLP in nn.Sequential."""

    def __init__(self) -> None:
        super().__init__()
        self.ln1, self.ln2 = nn.LayerNorm(D), nn.LayerNorm(D)
        self.attn = nn.MultiheadAttention(D, HEADS, bias=False, batch_first=True)
        self.mlp = nn.Sequential(nn.Linear(D, 3 * D), nn.GELU(), nn.Linear(3 * D, D))

    def forward(self, x: Tensor) -> Tensor:
        h = self.ln1(x)
        x = x + self.attn(h, h, h, need_weights=False)[0]
        return x + self.mlp(self.ln2(x))


class Multihead(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.token_embedding, self.position_embedding = nn.Embedding(P + 1, D), nn.Embedding(3, D)
        self.blocks = nn.ModuleList([MultiheadBlock()])
        self.ln_f = nn.LayerNorm(D)
        self.unembed = nn.Linear(D, P + 1, bias=False)

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        x = self.token_embedding(tokens(a, b)) + self.position_embedding(torch.arange(3))
        for block in self.blocks:
            x = block(x)
        return self.unembed(self.ln_f(x)[:, -1])


@stranger(activation="gelu")
def multihead_attention() -> nn.Module:
    return Multihead()


class Fused(nn.Module):
    """One matrix for queries, keys and values; GPT-2's names, or each head's three together; normalisations of any kind."""

    def __init__(
        self,
        *,
        by_head: bool = False,
        conv: bool = False,
        norm: Callable[[], nn.Module] = lambda: nn.LayerNorm(D),
        after: bool = False,
        final: bool = True,
        blocks: bool = True,
    ) -> None:
        super().__init__()
        self.by_head, self.conv, self.after, self.blocks, self.is_final = by_head, conv, after, blocks, final
        self.wte, self.wpe = nn.Embedding(P + 1, D), nn.Embedding(3, D)
        block: Any = nn.Module()
        self.h = nn.ModuleList([block])
        if blocks:
            block.ln_1, block.ln_2 = norm(), norm()
        block.attn, block.mlp = nn.Module(), nn.Module()
        shape = (lambda i, o: (i, o)) if conv else (lambda i, o: (o, i))
        for part, name, i, o in (
            (block.attn, "c_attn", D, 3 * D),
            (block.attn, "c_proj", D, D),
            (block.mlp, "c_fc", D, 4 * D),
            (block.mlp, "c_proj", 4 * D, D),
        ):
            inner: Any = nn.Module()
            inner.weight = nn.Parameter(torch.randn(shape(i, o)) / math.sqrt(i))
            inner.bias = nn.Parameter(torch.zeros(o))
            part.add_module(name, inner)
        if final:
            self.ln_f = norm()
        self.lm_head = nn.Linear(D, P + 1, bias=False)

    def _linear(self, part: Any, x: Tensor) -> Tensor:
        return x @ part.weight + part.bias if self.conv else functional.linear(x, part.weight, part.bias)

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        block: Any = self.h[0]
        none = nn.Identity()
        first, second = (block.ln_1, block.ln_2) if self.blocks else (none, none)
        x = self.wte(tokens(a, b)) + self.wpe(torch.arange(3))
        before = (lambda norm, y: y) if self.after else (lambda norm, y: norm(y))
        behind = (lambda norm, y: norm(y)) if self.after else (lambda norm, y: y)
        qkv = self._linear(block.attn.c_attn, before(first, x))
        if self.by_head:
            q, k, v = (part.flatten(2) for part in qkv.unflatten(-1, (HEADS, 3, D // HEADS)).unbind(3))
        else:
            q, k, v = qkv.chunk(3, dim=-1)
        x = behind(first, x + self._linear(block.attn.c_proj, attend(q, k, v, HEADS, causal=True)))
        x = behind(second, x + self._linear(block.mlp.c_proj, functional.gelu(self._linear(block.mlp.c_fc, before(second, x)))))
        return self.lm_head((self.ln_f(x) if self.is_final else x)[:, -1])


@stranger(activation="gelu")
def fused_by_head() -> nn.Module:
    return Fused(by_head=True)


@stranger(activation="gelu")
def gpt2_convolutions() -> nn.Module:
    return Fused(conv=True)


@stranger(activation="gelu")
def layer_norm_without_weights() -> nn.Module:
    return Fused(norm=lambda: nn.LayerNorm(D, elementwise_affine=False))


@stranger(activation="gelu")
def layer_norm_without_bias() -> nn.Module:
    return Fused(norm=lambda: nn.LayerNorm(D, bias=False))


@stranger(activation="gelu")
def rms_norm_after() -> nn.Module:
    return Fused(norm=lambda: nn.RMSNorm(D, eps=1e-5), after=True, final=False)


@stranger(activation="gelu")
def rms_norm_without_weights_after() -> nn.Module:
    return Fused(norm=lambda: nn.RMSNorm(D, eps=1e-5, elementwise_affine=False), after=True, final=False)


@stranger(activation="gelu")
def norm_before_the_logits_only() -> nn.Module:
    return Fused(blocks=False)


class Llama(nn.Module):
    """RMSNorm, rotary positions, grouped keys and values, SwiGLU, tied output, tokens a + b =."""

    def __init__(self, *, interleaved: bool = False, fused_gate: bool = False, layers: int = 1) -> None:
        super().__init__()
        self.interleaved, self.fused_gate = interleaved, fused_gate
        self.embed_tokens = nn.Embedding(P + 2, D)
        nn.init.normal_(self.embed_tokens.weight, std=0.3)
        self.layers: Any = nn.ModuleList([nn.Module() for _ in range(layers)])
        for block in self.layers:
            block.input_layernorm, block.post_attention_layernorm = nn.RMSNorm(D, eps=1e-6), nn.RMSNorm(D, eps=1e-6)
            block.self_attn, block.mlp = nn.Module(), nn.Module()
            for name, width in (("q_proj", D), ("k_proj", D // 2), ("v_proj", D // 2), ("o_proj", D)):
                block.self_attn.add_module(name, nn.Linear(D, width, bias=False))
            if fused_gate:
                block.mlp.gate_up_proj = nn.Linear(D, 4 * D, bias=False)
            else:
                block.mlp.gate_proj, block.mlp.up_proj = nn.Linear(D, 2 * D, bias=False), nn.Linear(D, 2 * D, bias=False)
            block.mlp.down_proj = nn.Linear(2 * D, D, bias=False)
        self.norm = nn.RMSNorm(D, eps=1e-6)

    def _turn(self, x: Tensor) -> Tensor:
        width = x.shape[-1]
        angles = torch.outer(torch.arange(x.shape[-2]), 1e4 ** (-torch.arange(0, width, 2) / width))
        z = torch.view_as_complex(
            x.unflatten(-1, (-1, 2)).contiguous() if self.interleaved else torch.stack(x.chunk(2, dim=-1), dim=-1)
        ) * torch.polar(torch.ones_like(angles), angles)
        parts = torch.view_as_real(z)
        return parts.flatten(-2) if self.interleaved else torch.cat([parts[..., 0], parts[..., 1]], dim=-1)

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        x = self.embed_tokens(tokens(a, b, "a+b="))
        for block in self.layers:
            h, attn = block.input_layernorm(x), block.self_attn
            mixed = attend(attn.q_proj(h), attn.k_proj(h), attn.v_proj(h), HEADS, causal=True, mix=self._turn)
            x = x + attn.o_proj(mixed)
            h = block.post_attention_layernorm(x)
            gate, up = (
                block.mlp.gate_up_proj(h).chunk(2, -1) if self.fused_gate else (block.mlp.gate_proj(h), block.mlp.up_proj(h))
            )
            x = x + block.mlp.down_proj(functional.silu(gate) * up)
        return functional.linear(self.norm(x)[:, -1], self.embed_tokens.weight)


@stranger(activation="silu", normalization_epsilon=1e-6)
def llama() -> nn.Module:
    return Llama()


@stranger(activation="silu", normalization_epsilon=1e-6)
def llama_of_two_layers() -> nn.Module:
    return Llama(layers=2)


@stranger(activation="silu", normalization_epsilon=1e-6)
def rotary_interleaved() -> nn.Module:
    return Llama(interleaved=True)


@stranger(activation="silu", normalization_epsilon=1e-6)
def gate_and_input_in_one() -> nn.Module:
    return Llama(fused_gate=True)
