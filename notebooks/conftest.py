"""How pytest runs the notebooks (``make test``, by nbmake): each in a kernel of its own, which inherits what is set here."""

import os
import shutil

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
HAS_BROWSER = bool(os.environ.get("BROWSER_PATH")) or any(map(shutil.which, BROWSERS))

# Pictures, as in the .ipynb that are committed, where there is a browser to draw them.
os.environ.setdefault("PLOTLY_RENDERER", "png" if HAS_BROWSER else "plotly_mimetype")
# One thread each: several kernels share the processor.
os.environ.setdefault("OMP_NUM_THREADS", "1")


def pytest_report_header() -> str:
    """Say which figures were tried."""
    drawn = "" if HAS_BROWSER else " (no chromium was found: the pictures are not drawn)"
    return f"notebooks: figures as {os.environ['PLOTLY_RENDERER']}{drawn}"
