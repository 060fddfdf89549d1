"""What the usual words in the names of tensors say about the parts that they play."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from torch import Tensor

_BLOCKS = r"(?:blocks?|layers?|h|resblocks|encoder|decoder|transformer|stack|block_list)"
_BLOCK = re.compile(rf"(?:^|\.){_BLOCKS}[._]?(\d{{1,2}})(?=[._])|(?:^|\.)block(?=\.)")
_SUFFIX = re.compile(r"[._](weight|bias|gamma|beta|scale|kernel|embedding_weight|w|b|g)$")
_BIASES = ("bias", "beta", "b")

_SILENT = re.compile(r"mask|tril|triu|inv_freq|ignore|position_ids|rotary|rope|(^|_)(cos|sin)(_|$)|cached|num_batches")
"""Names of buffers that hold no weights: masks, angles of rotary positions, counters."""

_ATTENTION = r"(attn|attention|mha|sa|self_attention|msa)"
_MLP = r"(mlp|ff|ffn|feed_forward|feedforward|net|fc_net)"
_TAILS: tuple[tuple[str, str], ...] = (
    ("attention.qkv", r"qkv|in_proj|c_attn|query_key_value|(^|_)wqkv"),
    ("attention.q", r"(^|_)(w_?q|q|query|q_?proj|to_q|queries|q_linear|w_query)$"),
    ("attention.k", r"(^|_)(w_?k|k|key|k_?proj|to_k|keys|k_linear|w_key)$"),
    ("attention.v", r"(^|_)(w_?v|v|value|v_?proj|to_v|values|v_linear|w_value)$"),
    (
        "attention.o",
        rf"(^|_)(w_o|wo|o_?proj|to_out(_0)?)$|{_ATTENTION}_(\w+_)?(out|o|proj|out_proj|c_proj|dense|output|fc|w_out)$",
    ),
    ("mlp.gate_in", r"gate_?(and_)?(up|in)|w12$|(^|_)wi$|gate_proj_up"),
    ("mlp.gate", r"gate"),
    (
        "mlp.in",
        r"(^|_)(w_in|win|up|up_?proj|fc_?1|c_fc|fc_in|linear_?1|lin_?1|dense_h_to_4h|intermediate_dense|l_?1|hidden|wi_1)$",
    ),
    (
        "mlp.out",
        rf"(^|_)(w_out|wout|down|down_?proj|fc_?2|fc_out|linear_?2|lin_?2|dense_4h_to_h|l_?2)$|{_MLP}_(c_)?(proj|out|output)$",
    ),
    ("mlp.in", rf"{_MLP}_(in|fc|inp|input)$"),
)
"""Roles within a block, each with what its name looks like without the block's number and the ending; the first fits."""

_OUTPUT = r"(out|output|proj|out_proj|proj_out|output_proj)"
"""Names that say no more than that something is written with this."""

NUMBERED_MLP = re.compile(rf"{_MLP}(?:_\w+)?_(\d{{1,2}})$")
"""Names of the linear layers of an MLP that are only numbered, as those of nn.Sequential."""

IS_NORMALIZATION = re.compile(r"(^|_)(ln|norm|layer_?norm|rms_?norm|rms)\w*$|norm")
"""Names of normalisations."""


@dataclass(frozen=True)
class Words:
    """A tensor's name, taken apart."""

    block: int | None
    """The number of its block, None outside of blocks."""
    tail: str
    """What follows, as one lower_case_word."""
    is_bias: bool


def words(name: str) -> Words:
    """The name of a tensor taken apart."""
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z][a-z])", "_", name).lower()
    block, rest = None, snake
    for match in _BLOCK.finditer(snake):
        if not re.search(rf"(^|[._]){_MLP}([._]|$)", snake[: match.start()]):
            block, rest = int(match[1] or 0), snake[match.end() :]
            break
    rest = rest.strip("._")
    if letter := re.search(r"(?:^|[._])b_(q|k|v|o|qkv|in|out|gate|u|e)$", rest):
        return Words(block, _one_word(f"{rest[: letter.start()]}_w_{letter[1]}"), is_bias=True)
    ending = _SUFFIX.search(f".{rest}")
    if ending is None or len(ending[0]) > len(rest):
        return Words(block, _one_word(rest), is_bias=False)
    return Words(block, _one_word(rest[: len(rest) - len(ending[0])]), is_bias=ending[1] in _BIASES)


def _one_word(rest: str) -> str:
    return rest.replace(".", "_").strip("_")


def is_silent(name: str, tensor: Tensor) -> bool:
    """Is it a buffer that holds no weights?"""
    masks = name.endswith("attn.bias") and tensor.dim() > 1
    return bool(_SILENT.search(words(name).tail)) or tensor.dim() == 0 or not tensor.is_floating_point() or masks


def roles_of(said: Words, is_gated: bool) -> tuple[str, ...]:
    """The roles that a name can have, the likeliest first; () for none. ``is_gated``: has its block a matrix w3, as Llama's?"""
    suffix = ".bias" if said.is_bias else ""
    found = _at_top(said.tail) if said.block is None else _in_block(said.tail, is_gated)
    whole = ("embed", "positions", "unembed")
    return tuple(f"{role}{suffix}" if role in whole else f"{said.block or 0}.{role}{suffix}" for role in found)


def _in_block(tail: str, is_gated: bool) -> tuple[str, ...]:
    numbered = re.search(r"(?:^|_)w_?([123])$", tail)
    if numbered:  # Llama's names: w1 is the gate, w3 the linear input, w2 the output.
        return ({"1": "mlp.gate" if is_gated else "mlp.in", "2": "mlp.out", "3": "mlp.in"}[numbered[1]],)
    sure = next((role for role, looks in _TAILS if re.search(looks, tail)), None)
    if sure is not None:
        return (sure,)
    return ("attention.o", "mlp.out") if re.search(rf"(^|_){_OUTPUT}$", tail) else ()


def _at_top(tail: str) -> tuple[str, ...]:
    """Roles of a name outside of numbered blocks: those of a whole network, or of the only block."""
    if re.search(r"(^|_)(pos|position|positions|positional|wpe|pe|pos_?emb\w*)(_|$)|pos_?enc", tail):
        return ("positions",)
    if re.search(r"unembed|lm_head|(^|_)heads?(_|$)|(^|_)w_?u$|readout|classifier|to_logits", tail):
        return ("unembed",)
    if re.search(r"emb|(^|_)(wte|w_?e|tok|token|tokens)(_|$)", tail):
        return ("embed",)
    if re.search(r"(^|_)out_proj$", tail):
        return ("attention.o", "unembed")
    sure = next((role for role, looks in _TAILS if re.search(looks, tail)), None)
    if sure is not None or re.search(r"(?:^|_)w_?([123])$", tail):
        return _in_block(tail, is_gated=False)
    if re.search(rf"(^|_){_OUTPUT}$", tail):
        return ("unembed", "attention.o")
    return ("unembed",) if re.search(r"(^|_)(fc|linear|final|lin|decoder)$", tail) else ()


def normalizations(block: int | None, members: Mapping[str, Words]) -> Iterator[tuple[str, str]]:
    """Roles and names of the normalisations of a block, or outside of blocks, by the words and numbers in their names, and
    else in their order; the role is "" where there are more than a block has."""
    free = [f"{block or 0}.normalization_1", f"{block or 0}.normalization_2"]
    unsure = []
    for name, said in members.items():
        if block is None and re.search(r"(^|_)(f|final|out|last|head|end|post)(_|$)|(ln|norm)_?f$", said.tail):
            yield "final_normalization", name
            continue
        wanted = ""
        if re.search(r"2$|post_attention|ffn?|mlp|feed", said.tail):
            wanted = f"{block or 0}.normalization_2"
        elif re.search(r"1$|attn|attention|input|pre", said.tail):
            wanted = f"{block or 0}.normalization_1"
        if wanted in free:
            free.remove(wanted)
            yield wanted, name
        else:
            unsure.append(name)
    for name in unsure:
        if block is None and (len(members) == 1 or not free):
            yield "final_normalization", name
        else:
            yield free.pop(0) if free else "", name
