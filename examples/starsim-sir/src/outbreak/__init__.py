"""An outbreak among agents, with Starsim."""

import os

# Starsim installs fonts beside its own files when it is first imported: plots are not what tasks make.
os.environ.setdefault("STARSIM_INSTALL_FONTS", "0")
