"""The docs site: `make docs`. Every warning is an error, and so is a reference page that the code has left behind."""

from __future__ import annotations

import sys
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

sys.path.insert(0, str(Path(__file__).parent))

from from_code import stale_pages

from harness import __version__

project = "humdial"
author = "the HumDial harness authors"
release = version = __version__
extensions = ["myst_parser", "sphinx_click"]
myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence"]
html_theme = "furo"
html_title = f"humdial {release}"
html_show_sphinx = False
html_copy_source = False
# Commands and file trees are shown in fences of several kinds; what cannot be coloured is shown plain.
suppress_warnings = ["misc.highlighting_failure"]


def _refuse_drift(app: Sphinx) -> None:
    """The reference is generated and committed, so that it can be read where there is no site: both must agree."""
    if stale := stale_pages():
        raise ExtensionError(f"stale: {', '.join(stale)}; run `make reference` and commit what it writes")


def setup(app: Sphinx) -> None:
    app.connect("builder-inited", _refuse_drift)
