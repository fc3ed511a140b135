"""Starts the runner: as ``python -m bundlekit.cold_runner``, as ``python FOLDER``, and as a zipapp.

Started from a folder or an archive this module has no package, so it loads its siblings as one under a private name.
Nothing that is beside the code or in the working directory may be imported in place of the standard library: the entry
that Python itself put first on sys.path goes before anything else is imported.
"""

import os
import sys

__all__: list[str] = []

_PRIVATE_NAME = "_bundlekit_cold_runner"
_INTERRUPTED = 130
"""As in the table of exit statuses, which may not have been loaded yet."""


def _main() -> int:
    folder = os.path.dirname(os.path.abspath(__file__))
    if __package__:
        package = __package__
        if not sys.flags.safe_path:
            del sys.path[0]
    else:
        package = _PRIVATE_NAME
        unwanted = {folder, os.path.dirname(folder)}
        sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry) not in unwanted]
        module = type(sys)(package)
        module.__path__ = [folder]
        sys.modules[package] = module
    from importlib import import_module  # noqa: PLC0415 - after sys.path has been put right

    status: int = import_module(f"{package}.command_line").main()
    return status


if __name__ == "__main__":
    try:
        sys.exit(_main())
    except KeyboardInterrupt:
        # The guardian handles it once it is there. What was forked by then sees us gone and ends.
        os._exit(_INTERRUPTED)
