"""Settings of the site that `make docs` builds: https://www.sphinx-doc.org/en/master/usage/configuration.html"""

# pyright: reportMissingImports=false
from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import docstrings  # these two lie beside this file
import generated
from sphinx.application import Sphinx

from bert_tf import __version__

project = "bert_tf"
author = "The authors of bert_tf"
version = release = __version__
language = "en"

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode", "sphinx_copybutton"]
exclude_patterns = ["_build", "README.md"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
suppress_warnings = ["misc.highlighting_failure"]

# Reference pages: what a class takes stands in its docstring, in Google's form.
autodoc_member_order = "bysource"
autodoc_typehints = "none"
autodoc_default_options = {"members": True, "show-inheritance": True}
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_custom_sections = [("Call arguments", "params_style"), ("Reference", "notes_style")]

html_theme = "furo"
html_title = f"bert_tf {version}"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
copybutton_prompt_text = "$ "
copybutton_exclude = ".linenos, .gp, .go"


def setup(app: Sphinx) -> None:
    """What the program itself knows best, its settings, commands, kinds and sources, is written before each build."""
    generated.write(Path(__file__).resolve().parent / "reference" / "generated")
    app.connect("autodoc-process-docstring", _reshape, priority=100)  # before napoleon


def _reshape(app: Sphinx, what: str, name: str, found: object, options: object, lines: list[str]) -> None:
    lines[:] = docstrings.as_sections(lines)
