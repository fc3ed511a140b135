"""State of a module that outlives a task, and what changes it: facts for the rules BK801 to BK806.

Most modules have none, so a pattern over the bytes says first which definitions are worth a walk.
"""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from enum import Enum
from typing import NamedTuple

from bundlekit.check.hits import hit_lines, holds_hit
from bundlekit.check.module_head import ModuleHead
from bundlekit.check.process_settings import DRAWS, RESEEDING, SEEDS, setting_called, setting_stored
from bundlekit.check.scopes import CALLED, ITEM, Act, Scope, Use, name_chain, uses_of
from bundlekit.model.place import Place

__all__ = ["Change", "Draw", "Kind", "ModuleState", "SharedState", "module_state", "runs_tasks"]

_MUTATORS = frozenset(
    {
        *("append", "extend", "insert", "remove", "pop", "clear", "sort", "reverse"),
        *("update", "setdefault", "popitem", "add", "discard", "subtract", "rotate", "move_to_end"),
        *("appendleft", "extendleft", "popleft"),
        *("difference_update", "intersection_update", "symmetric_difference_update"),
    }
)
_TELLTALES = (
    *(b"global ", b"chdir(", b"putenv(", b"unsetenv(", b"environ", b"seterr", b"filterwarnings", b"simplefilter"),
    *(b"resetwarnings", b"setlocale", b"setcontext", b"getcontext", b"rcParams", b"sys.path", b".rc("),
    *(b"random.", b"seed(", b".seed", b"set_state(", b"setstate(", b"seed_everything("),
)
_CHANGED = re.compile(rb"\s*(?:[\[.]|[-+*/|&^%@<>]+=)")
_STORED = re.compile(rb"^[ \t]+(?:del[ \t]+)?(\w+)(?:\.\w+|\[[^\]\n]*\])+[ \t]*(?:[-+*/|&^%@<>]*=(?!=))", re.MULTILINE)
_LOCAL_IMPORT = re.compile(rb"^[ \t]+(?:import|from)[ \t]", re.MULTILINE)
_LEFT_OUT = frozenset({"tests", "test", "docs", "doc", "examples"})
_SEEDING = frozenset({"set_seed", "seed_everything"})


class Kind(Enum):
    """What the state is."""

    MODULE_VALUE = "module value"
    REBOUND = "rebound through global"
    DEFAULT = "default argument"
    CLASS_ATTRIBUTE = "class attribute"
    CACHE = "cached results"
    GENERATOR = "random generator"
    SETTING = "process-wide setting"
    PATCH = "attribute of an import"


class Change(NamedTuple):
    """Where state is changed, and in which function; the outermost one is its first part."""

    line: int
    column: int
    function: str


class SharedState(NamedTuple):
    """Something that outlives a task, at its definition where it has one, else at its first change or use."""

    kind: Kind
    name: str
    place: Place
    changes: tuple[Change, ...] = ()


class Draw(NamedTuple):
    """The first call of a module that draws from the global generator of `generator`."""

    generator: str
    called: str
    place: Place


class ModuleState(NamedTuple):
    """The state of a module; its first draw from each global generator; those it seeds; names of decorators."""

    shared: tuple[SharedState, ...] = ()
    draws: tuple[Draw, ...] = ()
    seeds: frozenset[str] = frozenset()
    decorators: frozenset[str] = frozenset()


def runs_tasks(path: str) -> bool:
    """Whether a source is part of what tasks run: no test, example, documentation or setup script."""
    *folders, name = path.split("/")
    return not (
        name.startswith("test_") or name in {"conftest.py", "setup.py"} or any(each in _LEFT_OUT for each in folders)
    )


def module_state(tree: ast.Module, data: bytes, path: str) -> ModuleState:
    """Return the state of one module, and what changes it."""
    head = ModuleHead(path)
    head.read(tree.body)
    nodes = _worth_a_walk(tree, data, head)
    collected = _Collected(head)
    if nodes:
        module = Scope()
        module.names.update(head.imports)
        for use in uses_of(nodes, module):
            collected.take(use)
    return ModuleState(
        (*(SharedState(Kind.CACHE, *cache) for cache in head.caches), *collected.shared()),
        tuple(collected.draws.values()),
        frozenset(collected.seeds),
        frozenset(head.decorators),
    )


def _worth_a_walk(tree: ast.Module, data: bytes, head: ModuleHead) -> list[ast.stmt]:
    """Return the statements of the module in which a line of the text looks like a change of state."""
    starts = {start for telltale in _TELLTALES for start in _positions(data, telltale)}
    for name in {name for name, dotted in head.imports.items() if dotted in DRAWS}:
        starts.update(_positions(data, name.encode() + b"("))
    for name in head.values.keys() | head.generators.keys() | head.defaults:
        word = name.encode()
        starts.update(start for start in _positions(data, word) if _CHANGED.match(data, start + len(word)))
    for attribute in {attribute for each in head.classes.values() for attribute in each.attributes}:
        starts.update(_positions(data, b"." + attribute.encode()))
    local_imports = _LOCAL_IMPORT.search(data) is not None
    for match in _STORED.finditer(data):
        name = match[1].decode()
        is_class = name == "cls" or name in head.classes or b".__class__." in match[0]
        if is_class or name in head.imports or (local_imports and name not in {"self", "cls"}):
            starts.add(match.start(1))
    if not starts:
        return []
    lines = hit_lines(data, starts)
    return [node for node in tree.body if holds_hit(node, lines)]


def _positions(data: bytes, word: bytes) -> Iterator[int]:
    start = data.find(word)
    while start >= 0:
        yield start
        start = data.find(word, start + 1)


class _Collected:
    """Sorts uses into changes of state, draws and seeds."""

    def __init__(self, head: ModuleHead) -> None:
        self._head = head
        self._changes: defaultdict[tuple[Kind, str], list[Change]] = defaultdict(list)
        self._places: dict[tuple[Kind, str], Place] = {}
        self._assigned: set[tuple[str, str]] = set()
        self._open_classes: set[str] = set()
        self._reseeded: set[str] = set()
        self._restored: set[tuple[Kind, str, str]] = set()
        self.draws: dict[str, Draw] = {}
        self.seeds: set[str] = set()

    def take(self, use: Use) -> None:
        """Take in one use."""
        if use.act in (Act.CALL, Act.MENTION):
            self._random(use)
        if not use.scope.in_function:
            return
        self._note_instance(use)
        function = use.scope.where
        for kind, name, place in self._changed(use):
            if "finally" in use.inside or self._gives_back(use, kind, name):
                self._restored.add((kind, name, function))
            elif function.endswith(".__exit__"):
                self._restored.add((kind, name, function.removesuffix("exit__") + "enter__"))
                self._restored.add((kind, name, function))
            self._places.setdefault((kind, name), place or self._head.place(use.node))
            self._changes[kind, name].append(Change(use.node.lineno, use.node.col_offset + 1, function))

    def _gives_back(self, use: Use, kind: Kind, name: str) -> bool:
        """Whether a call hands in what it found, after an earlier change in the same function: ``seterr(**old)``."""
        earlier = any(each.function == use.scope.where for each in self._changes[kind, name])
        if not earlier or not isinstance(use.node, ast.Call):
            return False
        given = [*use.node.args, *(keyword.value for keyword in use.node.keywords)]
        return bool(given) and isinstance(given[-1], ast.Name)

    def _changed(self, use: Use) -> Iterator[tuple[Kind, str, Place | None]]:
        owner, name, head = use.scope.owner(use.name), use.name, self._head
        is_modules = owner.parent is None
        mutated = _mutated(use)
        is_mutated = mutated is not None and all(each == ITEM for each in mutated)
        if is_modules and name in head.generators and use.trail:
            if use.trail[-1] in RESEEDING or use.act is Act.STORE:
                self._reseeded.add(name)
            elif use.act is Act.CALL and len(use.trail) == 1:
                yield Kind.GENERATOR, name, head.generators[name]
        elif is_modules and name in head.values and (is_mutated or use.act in (Act.BIND, Act.AUGMENT)):
            yield Kind.MODULE_VALUE, name, head.values[name]
        elif is_modules and use.act in (Act.BIND, Act.AUGMENT):
            yield Kind.REBOUND, name, None
        elif name in owner.defaults and name not in owner.rebound and (is_mutated or use.act is Act.AUGMENT):
            yield Kind.DEFAULT, f"{name} of {owner.where}()", head.place(owner.defaults[name])
        elif mutated:
            yield from self._class_attribute(use, owner, mutated)
        elif found := self._constant_of_class(use, owner):
            of_class, attribute = found
            yield Kind.CLASS_ATTRIBUTE, f"{of_class}.{attribute}", head.classes[of_class].constants[attribute]
        if use.dotted:
            yield from _of_imports(use)

    def _class_attribute(
        self, use: Use, owner: Scope, mutated: Sequence[str]
    ) -> Iterator[tuple[Kind, str, Place | None]]:
        of_class = owner.of_class if use.name == owner.receiver else use.name if owner.parent is None else ""
        attribute, *rest = mutated[1:] if mutated[0] == "__class__" and len(mutated) > 1 else mutated
        if all(each == ITEM for each in rest):
            for each in self._head.lineage(of_class):
                if attribute in self._head.classes[each].attributes:
                    yield Kind.CLASS_ATTRIBUTE, f"{each}.{attribute}", self._head.classes[each].attributes[attribute]
                    return

    def _constant_of_class(self, use: Use, owner: Scope) -> tuple[str, str] | None:
        """Return the class and the attribute that ``Agent.count += 1`` sets anew; on ``self`` it would be its own."""
        is_received = use.name == owner.receiver
        is_asked = is_received and use.trail[:1] == ("__class__",)
        trail = use.trail[1:] if is_asked else use.trail
        # By its name alone the receiver of a class method is told from that of others.
        is_class = owner.parent is None or is_asked or (is_received and use.name == "cls")
        if use.act is not Act.STORE or not is_class or len(trail) != 1:
            return None
        lineage = self._head.lineage(owner.of_class if is_received else use.name)
        return next(((each, trail[0]) for each in lineage if trail[0] in self._head.classes[each].constants), None)

    def _note_instance(self, use: Use) -> None:
        """Note attributes that instances have of their own, and classes that set them by other ways."""
        owner = use.scope.owner(use.name)
        if use.name == owner.receiver and self._constant_of_class(use, owner) is None:
            if use.act is Act.STORE and len(use.trail) == 1:
                self._assigned.update((each, use.trail[0]) for each in self._head.lineage(owner.of_class))
            elif "__dict__" in use.trail:
                self._open_classes.update(self._head.lineage(owner.of_class))
        elif use.name == "setattr" and isinstance(use.node, ast.Call) and use.node.args:
            name = name_chain(use.node.args[0])[0]
            receiver = use.scope.owner(name)
            if name and name == receiver.receiver:
                self._open_classes.update(self._head.lineage(receiver.of_class))

    def _random(self, use: Use) -> None:
        dotted = use.dotted
        generator = SEEDS.get(dotted)
        if use.act is Act.CALL and dotted in DRAWS:
            drawn = DRAWS[dotted]
            self.draws.setdefault(drawn, Draw(drawn, ".".join([use.name, *use.trail]), self._head.place(use.node)))
        elif use.act is Act.MENTION and generator:
            # Called by another name, with who knows what.
            self.seeds.add(generator)
        elif use.scope.in_function and isinstance(use.node, ast.Call) and _is_given_a_value(use.node):
            if generator:
                self.seeds.add(generator)
            elif (use.name, *use.trail)[-1] in _SEEDING:
                self.seeds.update(SEEDS.values())

    def shared(self) -> Iterator[SharedState]:
        """Return the state that is left when all uses are known."""
        for (kind, name), changes in self._changes.items():
            if kind is Kind.GENERATOR and (name in self._reseeded or (Kind.REBOUND, name) in self._changes):
                continue
            if kind is Kind.CLASS_ATTRIBUTE:
                of_class, _, attribute = name.rpartition(".")
                if (of_class, attribute) in self._assigned or of_class in self._open_classes:
                    continue
            lasting = [
                each
                for each in changes
                if kind not in (Kind.SETTING, Kind.PATCH) or (kind, name, each.function) not in self._restored
            ]
            if lasting:
                place = self._places[kind, name]
                if kind in (Kind.SETTING, Kind.PATCH):
                    place = Place(self._head.path, lasting[0].line, lasting[0].column)
                yield SharedState(kind, name, place, tuple(lasting))


def _mutated(use: Use) -> tuple[str, ...] | None:
    """Return the trail of what a use changes in place, None if it changes nothing so."""
    *rest, last = use.trail or ("",)
    if (use.act is Act.STORE and last == ITEM) or (use.act is Act.CALL and last in _MUTATORS):
        return tuple(rest)
    return None


def _of_imports(use: Use) -> Iterator[tuple[Kind, str, Place | None]]:
    if use.act is Act.CALL:
        setting = setting_called(use.dotted)
    elif use.act is Act.STORE:
        setting = setting_stored(use.dotted)
        if setting is None and CALLED not in use.trail:
            yield Kind.PATCH, ".".join([use.name, *(each for each in use.trail if each != ITEM)]), None
    else:
        return
    if setting is not None and setting.undone_by not in use.inside:
        yield Kind.SETTING, setting.what, None


def _is_given_a_value(call: ast.Call) -> bool:
    given = [*call.args, *(keyword.value for keyword in call.keywords)]
    return bool(given) and not isinstance(given[0], ast.Constant)
