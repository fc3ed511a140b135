"""Bundle code, ready to run: a private copy of the files, and the built bundle in a small environment of its own.

That environment holds the bundle and one ``.pth`` file that adds the dependencies, so two bundles never share code, and
whatever a task starts with ``sys.executable`` finds the bundle and its dependencies.
See: DESIGN decision 4.
"""

import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from typing import NamedTuple

from ..codes import ErrorCode, Phase
from ..limits import Limits
from ..runner_error import RunnerError
from .bundle_copy import ListedBundle
from .cache_place import chosen_place
from .code_entry import CodeOrder, held_code
from .declaration import Declaration
from .declaration_memory import remembered_declaration
from .discovery import Wire, discover
from .environment import Place, Workshop, held_environment
from .installer import find_installer
from .interpreter import choose_interpreter
from .tree_digest import ListedFile, inventory, inventory_digest
from .venv_layout import python_of, site_of

__all__ = ["BundleSource", "PrepareOptions", "Prepared", "prepare"]


class BundleSource(NamedTuple):
    """A bundle directory. With `files` None it holds everything outside the default exclusions.

    `digest` is the full bundle digest that the host knows; None has it computed from the inventory.
    """

    path: str
    digest: str | None
    files: tuple[ListedFile, ...] | None


class PrepareOptions(NamedTuple):
    """`python` is a path, a version such as ``3.12``, or None; `deadline` a value of :func:`time.monotonic`.

    `fresh` builds throw-away environment and code, which `preserve` keeps; `pass_env` names variables for the build.
    With `own_settings` the bundle's [tool.bundlekit] says what `python` leaves open and adds to `pass_env`. With
    `keep_symbols` the bundle's libraries have theirs, also where its build strips them.
    """

    python: str | None
    fresh: bool
    cache_dir: str
    preserve: bool
    deadline: float
    pass_env: tuple[str, ...]
    own_settings: bool = False
    keep_symbols: bool = False


class Prepared(NamedTuple):
    """A bundle ready to run. Exactly one of `wire` and `wire_error` is set.

    `tree` is the private copy, `site` holds the installed bundle, `dependency_site` the environment's packages;
    `pass_env` names the variables that the build was given, for its tasks; `network` and `limits` are the bundle's own
    settings.
    """

    python: str
    tree: str
    site: str
    dependency_site: str
    digest: str
    wire: Wire | None
    wire_error: str | None
    environment_key: str
    installer: str
    interpreter_version: str
    environment_reused: bool
    code_reused: bool
    environment_seconds: float
    code_seconds: float
    installed_top_level: tuple[str, ...]
    pass_env: tuple[str, ...]
    network: bool
    limits: Limits

    @property
    def prefixes(self) -> tuple[str, str]:
        """The directories of the environment and of the installed bundle."""
        return self.dependency_site.rpartition("/lib/")[0], self.python.rpartition("/bin/")[0]

    @property
    def is_there(self) -> bool:
        """Whether its files are: somebody may have cleared the cache by hand, with no eye for locks."""
        return all(os.path.exists(path) for path in (self.python, self.tree, self.site, self.dependency_site))

    @property
    def shadows_standard_modules(self) -> bool:
        """Whether a module of the bundle is named as one that Python loads by itself, so that the order matters."""
        own = {*sys.stdlib_module_names, "sitecustomize"}
        beside = (name.partition(".")[0] for name in os.listdir(self.tree))
        return not own.isdisjoint((*self.installed_top_level, *beside))


@contextmanager
def prepare(source: BundleSource, options: PrepareOptions, log: Callable[[str], None]) -> Iterator[Prepared]:
    """Prepare a bundle and hold it, under shared kernel locks, for as long as the context lasts.

    Raises:
        RunnerError: of phase environment. E_VENV of type InterpreterError, InstallError or BuildError; E_PYPROJECT,
            E_SOURCE, E_CACHE, E_IO, E_TIMEOUT.
    """
    files = inventory(source.path, log) if source.files is None else source.files
    content = inventory_digest(files)
    digest = content if source.digest is None else _checked(source.digest)
    bundle = ListedBundle(source.path, files)
    with ExitStack() as held:
        place = held.enter_context(chosen_place(options.cache_dir, options.fresh, options.preserve, log))
        declaration = remembered_declaration(bundle, content, place.directory)
        if options.own_settings:
            options = _with_settings(options, declaration)
        workshop = _workshop(declaration, options, log)
        declaration = _completed(declaration, bundle, place, workshop)
        environment = held.enter_context(held_environment(declaration, bundle.root, place, workshop))
        order = CodeOrder(bundle, digest, declaration.build, environment, place, workshop)
        code = held.enter_context(held_code(order, keep_symbols=options.keep_symbols))
        site = site_of(code.venv, workshop.interpreter)
        wire, wire_error = discover(code.tree, (site, environment.site))
        yield Prepared(
            python=python_of(code.venv),
            tree=code.tree,
            site=site,
            dependency_site=environment.site,
            digest=digest,
            wire=wire,
            wire_error=wire_error,
            environment_key=f"sha256:{environment.key}",
            installer=environment.installer,
            interpreter_version=workshop.interpreter.version,
            environment_reused=environment.reused,
            code_reused=code.reused,
            environment_seconds=environment.seconds,
            code_seconds=code.seconds,
            installed_top_level=_top_level(site),
            pass_env=options.pass_env,
            network=declaration.network,
            limits=declaration.limits,
        )


def _checked(digest: str) -> str:
    # It becomes the name of a directory.
    if not re.fullmatch(r"sha256:[0-9a-f]{64}", digest, re.ASCII):
        message = f"expected the bundle's digest as 'sha256:' and 64 lower-case hex digits, found {digest!r:.100}"
        raise RunnerError(ErrorCode.USAGE, Phase.ENVIRONMENT, message)
    return digest


def _with_settings(options: PrepareOptions, declaration: Declaration) -> PrepareOptions:
    pass_env = tuple(dict.fromkeys([*options.pass_env, *declaration.pass_env]))
    return options._replace(python=options.python or declaration.python, pass_env=pass_env)


def _workshop(declaration: Declaration, options: PrepareOptions, log: Callable[[str], None]) -> Workshop:
    environ = dict(os.environ)
    interpreter = choose_interpreter(options.python, declaration.requires_python, options.cache_dir, environ)
    # Build requirements are kept also when the run itself is fresh: they are not what a task sees.
    tools = Place(options.cache_dir, lasting=True)
    installer = cache(lambda: find_installer(interpreter, options.cache_dir, environ, log))
    return Workshop(interpreter, environ, options.deadline, log, installer, tools, options.pass_env)


def _completed(declaration: Declaration, bundle: ListedBundle, place: Place, workshop: Workshop) -> Declaration:
    if declaration.build is None or declaration.complete:
        return declaration
    from .stated_requirements import stated_requirements  # noqa: PLC0415 - few bundles leave these to their build

    return declaration._replace(declared=stated_requirements(declaration.build, bundle, place, workshop))


def _top_level(site: str) -> tuple[str, ...]:
    names: set[str] = set()
    with os.scandir(site) as entries:
        for entry in entries:
            name, dot, rest = entry.name.partition(".")
            is_module = not dot or rest == "py" or rest.endswith("so")
            if is_module and name.isidentifier() and name != "__pycache__":
                names.add(name)
    return tuple(sorted(names))
