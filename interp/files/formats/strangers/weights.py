"""The network that a stranger's tensors make, under this project's names, with an answer to every open question."""

import math

import torch
from torch import Tensor

from interp.errors import InterpError
from interp.files.formats.facts import Facts
from interp.files.formats.strangers.attention import attention
from interp.files.formats.strangers.normalization import Normalization
from interp.files.formats.strangers.proposal import Answers, Misfit
from interp.files.formats.strangers.shapes import Shapes
from interp.files.formats.strangers.tokens import Tokens
from interp.networks.config import NetworkConfig, Parameters, parameter_shapes
from interp.networks.transformer import Network


def network(shapes: Shapes, facts: Facts, answers: Answers) -> Network:
    """The transformer under these answers. Raises Misfit where they do not go together, InterpError where a part is missing."""
    config = _config(shapes, facts, answers)
    return Network(config, {name: x.contiguous() for name, x in _parameters(shapes, config, answers).items()})


def _config(shapes: Shapes, facts: Facts, answers: Answers) -> NetworkConfig:
    tokens: Tokens = answers["tokens"]
    norm: Normalization = answers["normalization"]
    positions = str(answers.get("positions"))
    heads = answers["heads"]
    if positions.startswith("rotary") and shapes.attention_width // heads % 2:
        raise Misfit
    return NetworkConfig(
        p=tokens.p,
        equals_token=tokens.has_equals,
        separate_vocabularies=tokens.separate,
        answers_equals=False,
        operator_token=tokens.has_operator,
        d_model=shapes.d_model,
        n_layers=shapes.roles.blocks,
        n_heads=heads,
        d_head=shapes.attention_width // heads,
        d_mlp=shapes.d_mlp,
        activation=answers.get("activation", "relu"),
        gated_mlp=shapes.is_gated,
        causal=answers.get("causal", False),
        attention_rate=answers.get("attention rate", 1.0),
        attention_biases=shapes.has_biases("attention"),
        mlp_biases=shapes.d_mlp > 0 and shapes.has_biases("mlp"),
        unembed_bias=shapes.has("unembed.bias"),
        residual=answers["residual"],
        normalization=norm.kind,
        normalization_place=norm.place,
        normalization_weights=norm.weights,
        normalization_epsilon=facts.normalization_epsilon or 1e-5,
        final_normalization=norm.final,
        rotary_base=(facts.rotary_base or 1e4) if positions.startswith("rotary") else 0.0,
        rotary_interleaved=positions == "rotary, interleaved",
    )


def _parameters(shapes: Shapes, config: NetworkConfig, answers: Answers) -> Parameters:
    tokens: Tokens = answers["tokens"]
    factor = {"1": 1.0, "√d_model": math.sqrt(config.d_model)}.get(answers["scale"], math.sqrt(config.d_model / 2))
    W: Parameters = {"embed.W_E": tokens.rows(shapes.embed) * factor, "pos_embed.W_pos": _positions(shapes, config, answers)}
    if "then" in answers["scale"]:
        W["pos_embed.W_pos"] = W["pos_embed.W_pos"] * math.sqrt(0.5)
    for block in range(config.n_layers):
        W |= attention(shapes, config, block, answers)
        W |= _mlp(shapes, config, block, answers)
        for mine, theirs in (("ln1", "normalization_1"), ("ln2", "normalization_2")):
            W |= _normalization(shapes, f"blocks.{block}.{mine}", f"{block}.{theirs}")
    W |= _normalization(shapes, "ln_final", "final_normalization")
    W["unembed.W_U"] = shapes.unembed[:, : config.p]
    if config.unembed_bias:
        W["unembed.b_U"] = shapes.roles.tensors["unembed.bias"][: config.p]
    expected = parameter_shapes(config)
    for name, shape in expected.items():  # biases that are missing where others are present
        if name not in W and (".b_" in name or name.endswith(".b")):
            W[name] = W["embed.W_E"].new_zeros(shape)
    if missing := expected.keys() - W.keys():
        raise InterpError(f"parts are missing, or not recognised: {', '.join(sorted(missing))}")
    if any(tuple(W[name].shape) != shape for name, shape in expected.items()):
        raise Misfit
    return {name: W[name] for name in expected}


def _positions(shapes: Shapes, config: NetworkConfig, answers: Answers) -> Tensor:
    """The vectors that are added to the embeddings, zeros where there are none."""
    if shapes.positions is not None:
        if len(shapes.positions) < config.n_ctx:
            raise Misfit
        return shapes.positions[: config.n_ctx]
    d, zeros = config.d_model, shapes.embed.new_zeros(config.n_ctx, config.d_model)
    if not answers["positions"].startswith("sinusoidal"):
        return zeros
    places = torch.arange(config.n_ctx, dtype=torch.float64)[:, None]
    angles = places * 1e4 ** (-torch.arange(0, d, 2, dtype=torch.float64) / d)
    if answers["positions"] == "sinusoidal":  # Vaswani et al. 2017: sines and cosines take turns
        return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)[:, :d].to(zeros)
    return torch.cat([angles.sin(), angles.cos()], dim=-1)[:, :d].to(zeros)


def _mlp(shapes: Shapes, config: NetworkConfig, block: int, answers: Answers) -> Parameters:
    if not config.d_mlp:
        return {}
    name, square = f"blocks.{block}.mlp", answers.get("matrices")
    made: Parameters = {}
    if shapes.of_block("mlp.gate_in", block) is not None:
        gate = 0 if answers["gate"] == "first" else 1
        halves = shapes.linear("mlp.gate_in", block, square).chunk(2, dim=1)
        made[f"{name}.W_gate"], made[f"{name}.W_in"] = halves[gate], halves[1 - gate]
        bias = shapes.of_block("mlp.gate_in.bias", block)
        if bias is not None:
            made[f"{name}.b_gate"], made[f"{name}.b_in"] = bias.chunk(2)[gate], bias.chunk(2)[1 - gate]
    else:
        made[f"{name}.W_in"] = shapes.linear("mlp.in", block, square)
        if config.gated_mlp:
            made[f"{name}.W_gate"] = shapes.linear("mlp.gate", block, square)
    made[f"{name}.W_out"] = shapes.linear("mlp.out", block, square)
    for part in ("in", "gate", "out"):
        bias = shapes.of_block(f"mlp.{part}.bias", block)
        if bias is not None:
            made[f"{name}.b_{part}"] = bias
    return made


def _normalization(shapes: Shapes, mine: str, theirs: str) -> Parameters:
    weights, bias = shapes.roles.get(theirs), shapes.roles.get(f"{theirs}.bias")
    made = {} if weights is None else {f"{mine}.w": weights}
    return made if bias is None else {**made, f"{mine}.b": bias}
