"""The build backend that the bundles bring along: no requirements, and the system's compiler for extension modules."""

__all__ = ["BACKEND"]

BACKEND = '''\
"""Builds the wheel of this bundle, and its extension module if it has one."""

import os
import pathlib
import subprocess
import sys
import sysconfig
import tomllib
import zipfile


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    document = tomllib.loads(pathlib.Path("pyproject.toml").read_text())
    project = document["project"]
    stem = f"{project['name']}-{project['version']}"
    info = f"{stem}.dist-info"
    points = "".join(
        f"[{group}]\\n" + "".join(f"{name} = {value}\\n" for name, value in values.items())
        for group, values in project["entry-points"].items()
    )
    needs = "".join(f"Requires-Dist: {need}\\n" for need in project["dependencies"])
    python = f"cp3{sys.version_info[1]}"
    tag = f"{python}-{python}-{sysconfig.get_platform().replace('-', '_').replace('.', '_')}"
    files = {str(path): path.read_bytes() for path in pathlib.Path(project["name"]).rglob("*.py")}
    for source in pathlib.Path(".").glob("native/module.c*"):
        target = compiled(source, strip=document.get("tool", {}).get("own", {}).get("strip", False))
        files[f"{project['name']}/{target.name}"] = target.read_bytes()
    files[f"{info}/METADATA"] = f"Metadata-Version: 2.1\\nName: {project['name']}\\nVersion: 1.0\\n{needs}".encode()
    files[f"{info}/WHEEL"] = f"Wheel-Version: 1.0\\nGenerator: own\\nRoot-Is-Purelib: false\\nTag: {tag}\\n".encode()
    files[f"{info}/entry_points.txt"] = points.encode()
    files[f"{info}/RECORD"] = "".join(f"{name},,\\n" for name in [*files, f"{info}/RECORD"]).encode()
    with zipfile.ZipFile(os.path.join(wheel_directory, f"{stem}-{tag}.whl"), "w") as wheel:
        for name, data in files.items():
            wheel.writestr(name, data)
    return f"{stem}-{tag}.whl"


def compiled(source, strip=False):
    compiler = "g++" if source.suffix == ".cpp" else "gcc"
    target = source.with_name("_native" + sysconfig.get_config_var("EXT_SUFFIX"))
    options = ["-O2", "-shared", "-fPIC", "-w", *(["-s"] if strip else [])]
    include = f"-I{sysconfig.get_path('include')}"
    subprocess.run([compiler, *options, include, str(source), "-o", str(target), "-lm"], check=True)
    return target
'''
"""Of wheels it writes what installers ask for and no more."""
