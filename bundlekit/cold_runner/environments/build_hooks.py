"""Calls a build backend's hooks. Runs as source under ``-I -c`` in the interpreter of the build requirements.

The one argument is the path of a request, a JSON document with the keys of :class:`Request`; the answer, one of
:class:`Answer`, goes to the path that the request names, never to stdout, where backends print what they like. The
working directory is the source tree, as PEP 517 wants.
"""

import json
import os
import sys
import traceback
from importlib import import_module
from typing import TypedDict

__all__ = ["Answer", "Request"]


class Request(TypedDict):
    """`known` are the requirements already installed for the hook ``get_requires_for_build_wheel``, or None before."""

    backend: str
    backend_path: list[str]
    wheels: str
    answer: str
    known: list[str] | None


class Answer(TypedDict):
    """Exactly one is set: the wheel's file name, further requirements to install first, or what went wrong."""

    wheel: str | None
    requires: list[str] | None
    error: str | None


def _called(request: Request) -> Answer:
    sys.path[:0] = [os.path.abspath(path) for path in request["backend_path"]]
    module, _, attributes = request["backend"].partition(":")
    backend: object = import_module(module)
    for name in filter(None, attributes.split(".")):
        backend = getattr(backend, name)
    if request["known"] is None:
        requires = getattr(backend, "get_requires_for_build_wheel", list)
        wanted = [str(requirement) for requirement in requires()]
        if wanted:
            return {"wheel": None, "requires": wanted, "error": None}
    build_wheel = getattr(backend, "build_wheel", None)
    if build_wheel is None:
        return {"wheel": None, "requires": None, "error": f"the backend {request['backend']} has no hook build_wheel"}
    return {"wheel": str(build_wheel(request["wheels"])), "requires": None, "error": None}


def _main(path: str) -> int:
    with open(path, encoding="utf-8") as file:
        request: Request = json.load(file)
    try:
        answer = _called(request)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - foreign code: whatever it raises is the answer
        traceback.print_exc()
        answer = {"wheel": None, "requires": None, "error": f"{type(error).__name__}: {error}"}
    with open(request["answer"], "w", encoding="utf-8") as file:
        json.dump(answer, file)
    return 1 if answer["error"] else 0


if __name__ == "__main__":
    raise SystemExit(_main(sys.argv[1]))
