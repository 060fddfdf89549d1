"""Sizes of a transformer and the orientation of its matrices, as far as the shapes of a stranger's tensors tell them."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import torch
from torch import Tensor

from interp.errors import InterpError
from interp.files.formats.strangers.roles import Roles

Orientation = Literal["[out, in]", "[in, out]"]
"""The order of the axes of a matrix: nn.Linear's, or that of x @ W."""

_READ_THE_STREAM = {"attention.q", "attention.k", "attention.v", "attention.qkv", "mlp.in", "mlp.gate", "mlp.gate_in"}
"""Roles of a block's matrices whose input, and not whose output, is the residual stream."""


@dataclass(frozen=True, eq=False)
class Shapes:
    """The tensors of a transformer by their roles, in the orientation of this project's parameters."""

    roles: Roles

    @cached_property
    def d_model(self) -> int:
        """Width of the residual stream: the axis of the embedding that most other tensors share."""
        embed = self.roles.tensors["embed"]
        if embed.dim() != 2:
            raise InterpError(f"expected an embedding with 2 axes, got {list(embed.shape)}")
        others = [set(x.shape) for role, x in self.roles.tensors.items() if role != "embed"]
        rows, columns = embed.shape
        return max((columns, rows), key=lambda width: sum(width in shape for shape in others))

    @property
    def vocabulary(self) -> int:
        """Number of tokens of the embedding."""
        return len(self.embed)

    @property
    def embed(self) -> Tensor:
        """The embedding, [token, d_model]; where b has one of its own, its tokens after those of a."""
        tables = [x for role in ("embed", "embed_b") if (x := self.roles.get(role)) is not None]
        if len({x.shape for x in tables}) > 1:
            raise InterpError(f"expected two embeddings of one shape, got {', '.join(str(list(x.shape)) for x in tables)}")
        turned = tables[0].shape[0] == self.d_model and tables[0].shape[1] != self.d_model
        return torch.cat([x.T if turned else x for x in tables]) if len(tables) > 1 else tables[0].T if turned else tables[0]

    @property
    def unembed(self) -> Tensor:
        """The map to the logits, [d_model, answer]: the embedding where a file has none."""
        unembed = self.roles.get("unembed")
        if unembed is None:
            return self.embed.T
        if unembed.dim() != 2 or self.d_model not in unembed.shape:
            raise InterpError(f"expected an unembedding with an axis of {self.d_model}, got {list(unembed.shape)}")
        return unembed if unembed.shape[0] == self.d_model and unembed.shape[1] != self.d_model else unembed.T

    @property
    def positions(self) -> Tensor | None:
        """The vectors of the positions, [position, d_model]; None where no such vectors are stored."""
        positions = self.roles.get("positions")
        if positions is None:
            return None
        if 0 in positions.shape or positions.numel() % self.d_model:
            raise InterpError(f"expected positions with an axis of {self.d_model}, got {list(positions.shape)}")
        return positions.reshape(-1, self.d_model) if positions.shape[-1] == self.d_model else positions.T

    @property
    def attention_width(self) -> int:
        """Number of heads times width of a head: the inputs of the output map."""
        o = self.of_block("attention.o")
        if o is None:
            raise InterpError("has attention without an output map that is recognised (W_O, out_proj)")
        return o.numel() // self.d_model

    @property
    def d_mlp(self) -> int:
        """Number of neurons, 0 in a network of attention alone."""
        W = self.of_block("mlp.out")
        return 0 if W is None else W.numel() // self.d_model

    @property
    def is_gated(self) -> bool:
        """Are the neurons gated?"""
        return any(role.endswith((".mlp.gate", ".mlp.gate_in")) for role in self.roles.tensors)

    def of_block(self, role: str, block: int = 0) -> Tensor | None:
        """The tensor of a block's role, None where there is none."""
        return self.roles.get(f"{block}.{role}")

    def has(self, ending: str) -> bool:
        """Does some role end so?"""
        return any(role.endswith(ending) for role in self.roles.tensors)

    def has_biases(self, part: Literal["attention", "mlp"]) -> bool:
        """Has attention, or have the neurons, a bias anywhere?"""
        return any(f".{part}." in role and role.endswith(".bias") for role in self.roles.tensors)

    @property
    def is_square(self) -> bool:
        """Is the orientation of some matrix of a block told neither by its shape nor by that of its neighbours?"""
        within = [x for role, x in self.roles.tensors.items() if role[0].isdigit() and x.dim() == 2]
        return any(x.shape[0] == x.shape[1] for x in within) and self.orientation is None

    @property
    def are_linear_modules(self) -> bool:
        """Are the matrices of blocks those of nn.Linear, as names that end in weight say?"""
        names = (name for role, name in self.roles.names.items() if ".mlp." in role or ".attention." in role)
        return any(name.endswith("weight") for name in names)

    @cached_property
    def orientation(self) -> Orientation | None:
        """The orientation of those matrices of blocks that are not square, if all agree on one."""
        said = set[Orientation]()
        for role, x in self.roles.tensors.items():
            kind = role.partition(".")[2]
            if role[0].isdigit() and x.dim() == 2 and x.shape[0] != x.shape[1] and not kind.endswith("bias"):
                stream_first = x.shape[0] == self.d_model
                said.add("[in, out]" if stream_first == (kind in _READ_THE_STREAM) else "[out, in]")
        return said.pop() if len(said) == 1 else None

    def linear(self, role: str, block: int, square: Orientation | None) -> Tensor:
        """A matrix of a block as [in, out]; ``square``: the orientation of square ones where their neighbours do not tell."""
        W = self.of_block(role, block)
        if W is None:
            raise InterpError(f"block {block} has no {role} that is recognised")
        if W.dim() != 2:
            raise InterpError(f"expected {role} of block {block} with 2 axes, got {list(W.shape)}")
        if W.shape[0] == W.shape[1]:
            return W if (square or self.orientation) == "[in, out]" else W.T
        return W if (W.shape[0] == self.d_model) == (role in _READ_THE_STREAM) else W.T
