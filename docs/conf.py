"""How Sphinx builds these pages: `make docs`."""

project = "xenci"
author = "The xenci authors"
extensions = ["myst_parser"]
html_theme = "alabaster"
html_theme_options = {"description": "A third-party CI on real Xen", "fixed_sidebar": True}
myst_heading_anchors = 3
