"""The environment variables that code not yet trusted gets to see: an allow-list, never a block-list.

See: DESIGN decisions 6 and 10.
"""

from collections.abc import Iterable, Mapping

__all__ = ["build_environment", "child_environment"]

_PASSED: tuple[str, ...] = ("PATH", "LANG", "TZ", "CUDA_VISIBLE_DEVICES", "LD_LIBRARY_PATH")
_THREAD_COUNTS: tuple[str, ...] = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)
_PASSED_TO_BUILDS: tuple[str, ...] = (
    "CC",
    "CXX",
    "FC",
    "AR",
    "CFLAGS",
    "CXXFLAGS",
    "CPPFLAGS",
    "FFLAGS",
    "LDFLAGS",
    "LIBRARY_PATH",
    "CPATH",
    "C_INCLUDE_PATH",
    "CPLUS_INCLUDE_PATH",
    "PKG_CONFIG_PATH",
    "MACOSX_DEPLOYMENT_TARGET",
    "SDKROOT",
)
_DEFAULT_PATH = "/usr/local/bin:/usr/bin:/bin"


def child_environment(
    base: Mapping[str, str],
    *,
    home: str,
    tmp: str,
    pass_env: Iterable[str],
    task_env: Mapping[str, str],
    hash_seed: int = 0,
) -> dict[str, str]:
    """Return the variables of a task's process: those allowed of `base`, then the task's own, then the fixed ones.

    One thread for each numeric library unless `pass_env` or the task says otherwise: other counts give other bits. The
    only variable that Python itself reads is ``PYTHONHASHSEED``, which neither `pass_env` nor the task can change.
    """
    environment = {"PATH": _DEFAULT_PATH, "LANG": "C.UTF-8"}
    environment.update(_picked(base, _PASSED))
    environment.update(dict.fromkeys(_THREAD_COUNTS, "1"))
    environment.update(_picked(base, pass_env))
    environment.update({name: value for name, value in task_env.items() if not name.startswith("PYTHON")})
    environment.update(HOME=home, TMPDIR=tmp, PYTHONHASHSEED=str(hash_seed))
    return environment


def build_environment(base: Mapping[str, str], *, home: str, tmp: str, pass_env: Iterable[str]) -> dict[str, str]:
    """Return the variables of a bundle's build: as for a task, and compilers, their flags and ``CMAKE_*`` besides."""
    environment = child_environment(base, home=home, tmp=tmp, pass_env=(), task_env={})
    cmake = (name for name in base if name.startswith("CMAKE_"))
    environment.update(_picked(base, [*_PASSED_TO_BUILDS, *cmake, *pass_env]))
    environment.update(HOME=home, TMPDIR=tmp, PYTHONHASHSEED="0")
    return environment


def _picked(base: Mapping[str, str], names: Iterable[str]) -> dict[str, str]:
    return {name: base[name] for name in names if base.get(name) and not name.startswith("PYTHON")}
