"""The weights of a block's attention, a head at a time: from a matrix for all heads, a fused one, grouped keys and values."""

from collections.abc import Mapping

from einops import rearrange, repeat
from torch import Tensor

from interp.errors import InterpError
from interp.files.formats.strangers.proposal import Answers, Misfit
from interp.files.formats.strangers.shapes import Shapes
from interp.networks.config import NetworkConfig, Parameters


def attention(shapes: Shapes, config: NetworkConfig, block: int, answers: Answers) -> Parameters:
    """W_Q, W_K, W_V, W_O and their biases. Raises Misfit where the answers do not fit, InterpError on a missing part."""
    h, e, d = config.n_heads, config.d_head, config.d_model
    name = f"blocks.{block}.attn"
    made: Parameters = {}
    maps, biases = _queries_keys_values(shapes, config, block, answers)
    for letter, W in maps.items():
        if W.dim() == 2:
            if W.shape[1] % e:
                raise Misfit
            W = rearrange(W, "d (head e) -> head d e", e=e)
        if not len(W) or h % len(W):
            raise Misfit
        groups = h // len(W)  # grouped queries: each key and value head serves several query heads
        made[f"{name}.W_{letter}"] = repeat(W, "head d e -> (head group) d e", group=groups)
        if letter in biases:
            if biases[letter].numel() != len(W) * e:
                raise Misfit
            made[f"{name}.b_{letter}"] = repeat(biases[letter].reshape(-1, e), "head e -> (head group) e", group=groups)
    o = shapes.roles.tensors[f"{block}.attention.o"] if shapes.of_block("attention.o", block) is not None else None
    if o is not None and o.dim() == 3:
        made[f"{name}.W_O"] = _with_axes(o, (h, e, d))
    else:
        W_O = shapes.linear("attention.o", block, answers.get("matrices"))
        if len(W_O) != h * e:
            raise Misfit
        made[f"{name}.W_O"] = rearrange(W_O, "(head e) d -> head e d", head=h)
    bias = shapes.of_block("attention.o.bias", block)
    return made if bias is None else {**made, f"{name}.b_O": bias}


def _queries_keys_values(
    shapes: Shapes, config: NetworkConfig, block: int, answers: Answers
) -> tuple[Mapping[str, Tensor], Mapping[str, Tensor]]:
    """The maps to queries, keys and values, [d_model, heads·d_head] or [head, d_model, d_head], and their biases."""
    if shapes.of_block("attention.qkv", block) is not None:
        return _fused(shapes, config, block, answers)
    maps, biases = {}, {}
    for letter in "QKV":
        role = f"attention.{letter.lower()}"
        W = shapes.of_block(role, block)
        if W is None:
            raise InterpError(f"block {block} has no attention {letter} that is recognised")
        if W.dim() == 3:
            heads = W.numel() // (config.d_model * config.d_head)
            maps[letter] = _with_axes(W, (heads, config.d_model, config.d_head))
        else:
            maps[letter] = shapes.linear(role, block, answers.get("matrices"))
        bias = shapes.of_block(f"{role}.bias", block)
        if bias is not None:
            biases[letter] = bias
    return maps, biases


def _fused(
    shapes: Shapes, config: NetworkConfig, block: int, answers: Answers
) -> tuple[Mapping[str, Tensor], Mapping[str, Tensor]]:
    """The parts of one matrix for queries, keys and values: all queries first, or the three of each head together."""
    h, e = config.n_heads, config.d_head
    W, bias = shapes.linear("attention.qkv", block, answers.get("matrices")), shapes.of_block("attention.qkv.bias", block)
    both = W if bias is None else W.new_zeros(len(W) + 1, W.shape[1])
    if bias is not None:
        if bias.shape != W.shape[1:]:
            raise Misfit
        both[:-1], both[-1] = W, bias
    if answers["qkv"] == "head by head":
        if W.shape[1] != 3 * h * e:
            raise Misfit
        parts = tuple(rearrange(both, "d (head three e) -> three d (head e)", head=h, three=3))
    else:
        rest = W.shape[1] - h * e
        if rest <= 0 or rest % (2 * e):
            raise Misfit
        parts = both.split([h * e, rest // 2, rest // 2], dim=1)
    maps = {letter: part[: len(W)] for letter, part in zip("QKV", parts, strict=True)}
    return maps, {} if bias is None else {letter: part[-1] for letter, part in zip("QKV", parts, strict=True)}


def _with_axes(x: Tensor, wanted: tuple[int, int, int]) -> Tensor:
    """A tensor of three axes in the wanted order: as it is, with the last two exchanged, or from [d_model, head, d_head]."""
    for axes in ((0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0)):
        if tuple(x.shape[axis] for axis in axes) == wanted:
            return x.permute(axes)
    raise Misfit
