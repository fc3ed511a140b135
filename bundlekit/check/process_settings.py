"""Settings of a whole process that a task can leave changed, and the global random generators, by dotted name."""

from typing import NamedTuple

__all__ = ["DRAWS", "GENERATORS", "RESEEDING", "SEEDS", "Setting", "setting_called", "setting_stored"]


class Setting(NamedTuple):
    """What is changed, as messages say it, and the context manager that would undo it."""

    what: str
    undone_by: str = ""


_ENVIRONMENT = Setting("the environment variables")
_ERRORS = Setting("numpy's handling of floating-point errors", "errstate")
_WARNINGS = Setting("the warning filters", "catch_warnings")
_DECIMAL = Setting("the decimal context", "localcontext")
_MATPLOTLIB = Setting("matplotlib's rcParams", "rc_context")
_CALLS = {
    "os.chdir": Setting("the working directory"),
    "os.putenv": _ENVIRONMENT,
    "os.unsetenv": _ENVIRONMENT,
    "numpy.seterr": _ERRORS,
    "warnings.filterwarnings": _WARNINGS,
    "warnings.simplefilter": _WARNINGS,
    "warnings.resetwarnings": _WARNINGS,
    "locale.setlocale": Setting("the locale"),
    "decimal.setcontext": _DECIMAL,
    "matplotlib.rc": _MATPLOTLIB,
    "matplotlib.pyplot.rc": _MATPLOTLIB,
}
_STORES = {
    "os.environ": _ENVIRONMENT,
    "sys.path": Setting("sys.path"),
    "decimal.getcontext.()": _DECIMAL,
    "matplotlib.rcParams": _MATPLOTLIB,
    "matplotlib.pyplot.rcParams": _MATPLOTLIB,
}
_CHANGING = frozenset(
    {"append", "clear", "extend", "insert", "pop", "popitem", "remove", "reverse", "setdefault", "sort", "update"}
)

_NUMPY_DRAWS = (
    "beta binomial bytes chisquare choice dirichlet exponential f gamma geometric gumbel hypergeometric laplace"
    " logistic lognormal logseries multinomial multivariate_normal negative_binomial noncentral_chisquare noncentral_f"
    " normal pareto permutation poisson power rand randint randn random random_integers random_sample ranf"
    " rayleigh sample shuffle standard_cauchy standard_exponential standard_gamma standard_normal standard_t"
    " triangular uniform vonmises wald weibull zipf"
)
_PYTHON_DRAWS = (
    "betavariate binomialvariate choice choices expovariate gammavariate gauss getrandbits lognormvariate normalvariate"
    " paretovariate randbytes randint random randrange sample shuffle triangular uniform vonmisesvariate weibullvariate"
)
DRAWS = {
    **{f"numpy.random.{name}": "numpy.random" for name in _NUMPY_DRAWS.split()},
    **{f"random.{name}": "random" for name in _PYTHON_DRAWS.split()},
}
"""The functions that draw from a global generator, and the module that it is of."""

GENERATORS = frozenset(
    {"numpy.random.Generator", "numpy.random.RandomState", "numpy.random.default_rng", "random.Random"}
)
"""What makes a generator of one's own."""

RESEEDING = frozenset({"seed", "set_state", "setstate"})
"""The methods that put such a generator into a state."""

SEEDS = {
    "numpy.random.seed": "numpy.random",
    "numpy.random.set_state": "numpy.random",
    "random.seed": "random",
    "random.setstate": "random",
}
"""The functions that put a global generator into a state."""


def setting_called(dotted: str) -> Setting | None:
    """Return the setting that calling `dotted` changes."""
    start, _, method = dotted.rpartition(".")
    return _CALLS.get(dotted) or (_STORES.get(start) if method in _CHANGING else None)


def setting_stored(dotted: str) -> Setting | None:
    """Return the setting that storing into `dotted` changes: it itself, an item or an attribute of it."""
    return _STORES.get(dotted) or _STORES.get(dotted.rpartition(".")[0])
