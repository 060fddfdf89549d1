"""How pytest runs the notebooks (``make slow``, by nbmake): each in a kernel of its own, which inherits what is set here."""

import os

# No pictures: drawing them takes a browser, and longer than all else. ``make notebooks`` does, and tests/test_findings.py once.
os.environ["PLOTLY_RENDERER"] = "plotly_mimetype"
# One thread each: several kernels share the processor.
os.environ.setdefault("OMP_NUM_THREADS", "1")
