"""The entry of the cache that is a bundle's code, built: a private copy of the files, and an environment of its own.

Who looks at the memory of its libraries wants the names of their variables, which builds strip: such code has an entry
of its own, unless nothing is stripped.
"""

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

from ..runner_error import RunnerError
from .bundle_copy import ListedBundle, copy_bundle
from .cache_entry import held_entry, is_complete
from .declaration import BuildSystem
from .environment import Environment, Place, Workshop
from .tree_digest import inventory_digest
from .tree_removal import remove_tree
from .venv_layout import lay_out_venv, python_of, site_of

__all__ = ["Code", "CodeOrder", "held_code"]


class CodeOrder(NamedTuple):
    """What is to be built, for which environment, and where; `digest` is the caller's word for the bundle."""

    bundle: ListedBundle
    digest: str
    system: BuildSystem | None
    environment: Environment
    place: Place
    workshop: Workshop


class Code(NamedTuple):
    """The private copy of the files, the environment with the bundle in it, and what getting them took."""

    tree: str
    venv: str
    reused: bool
    seconds: float


class _Entry(NamedTuple):
    directory: str
    lock_path: str
    key: dict[str, str]
    needs: tuple[str, ...]
    keeps_symbols: bool


@contextmanager
def held_code(order: CodeOrder, *, keep_symbols: bool = False) -> Iterator[Code]:
    """Hold the code of a bundle, built first if need be; with `keep_symbols` its libraries have theirs if they can.

    Raises:
        RunnerError: as :func:`build_and_install`, and as :func:`held_entry`.
    """
    with ExitStack() as held:
        entry = _entry(order)
        if keep_symbols and order.system is not None:
            yield _with_symbols(order, entry, held)
        else:
            yield held.enter_context(_held(order, entry))


def _with_symbols(order: CodeOrder, usual: _Entry, held: ExitStack) -> Code:
    from .symbols import has_stripped_libraries  # noqa: PLC0415 - only who looks at memory asks for it

    if is_complete(usual.directory, usual.key, usual.needs):
        code = held.enter_context(_held(order, usual))
        if not has_stripped_libraries(site_of(code.venv, order.workshop.interpreter)):
            return code
    try:
        return held.enter_context(_held(order, _entry(order, keeps_symbols=True)))
    except RunnerError as error:
        if error.type_name != "BuildError":
            raise
        order.workshop.log(f"The bundle is built without symbols, as it cannot be built with them: {error.message}")
        return held.enter_context(_held(order, usual))


def _entry(order: CodeOrder, *, keeps_symbols: bool = False) -> _Entry:
    key = {
        "schema": "bundlekit/code/2",
        "environment": order.environment.key,
        "digest": order.digest,
        # The digest is the caller's word; this is what was read. Code built from other files is built again.
        "content": inventory_digest(order.bundle.files),
    }
    name = order.digest.removeprefix("sha256:")
    if keeps_symbols:
        key["symbols"] = "kept"
        name += "-symbols"
    needs = ("tree", "venv/bin/python", "venv/pyvenv.cfg", site_of("venv", order.workshop.interpreter))
    return _Entry(*order.place.entry("code", order.environment.key, name), key, needs, keeps_symbols)


@contextmanager
def _held(order: CodeOrder, entry: _Entry) -> Iterator[Code]:
    started = time.monotonic()
    with held_entry(
        entry.directory,
        entry.key,
        lambda path, lock_descriptor: _build(order, entry, path, lock_descriptor),
        lock_path=entry.lock_path,
        needs=entry.needs,
        deadline=order.workshop.deadline,
        log=order.workshop.log,
        lasting=order.place.lasting,
    ) as reused:
        seconds = time.monotonic() - started
        if not reused and order.system is not None:
            order.workshop.log(f"Built the bundle in {seconds:.1f} s")
        tree, venv = (os.path.join(entry.directory, name) for name in ("tree", "venv"))
        yield Code(tree, venv, reused, seconds)


def _build(order: CodeOrder, entry: _Entry, path: str, lock_descriptor: int) -> None:
    os.mkdir(path)
    tree, venv = os.path.join(path, "tree"), os.path.join(path, "venv")
    copy_bundle(order.bundle, tree)
    lay_out_venv(venv, order.workshop.interpreter, linked_site=order.environment.site)
    if order.system is None:
        return
    from .build_backend import BuildJob, build_and_install  # noqa: PLC0415 - ready code is not built

    workshop, linking = order.workshop, os.path.join(path, "linking")
    if entry.keeps_symbols:
        from .symbols import keeping_symbols  # noqa: PLC0415 - as above

        workshop = keeping_symbols(workshop, linking)
    job = BuildJob(ListedBundle(tree, order.bundle.files), os.path.join(path, "building"), lock_descriptor)
    build_and_install(order.system, python_of(venv), job, workshop, compile_bytecode=order.place.lasting)
    remove_tree(linking)
