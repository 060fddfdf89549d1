"""Shape and type annotations are checked at run time in every test."""

import os

import torch
from jaxtyping import install_import_hook

install_import_hook(["interp", "analyses"], "beartype.beartype")
# Two threads beside another busy process lose more than they gain.
torch.set_num_threads(1)
os.environ.setdefault("OMP_NUM_THREADS", "1")  # of the commands that tests run
