#!/usr/bin/env bash
# The acceptance script of the runner: a simulation, an aggregation, and a failure that is told.
# RUNNER is the command to try, PYTHON any interpreter to read the answers with.
set -euo pipefail

: "${RUNNER:=python -m bundlekit.cold_runner}"
: "${PYTHON:=python}"
read -r -a runner <<<"$RUNNER"

top=$(mktemp -d)
trap 'rm -rf "$top"' EXIT
bundle=$top/bundle
mkdir -p "$bundle/src/mywire" "$bundle/src/targets"
cat >"$bundle/pyproject.toml" <<'TOML'
[project]
name = "mywire"
version = "0.0.1"
dependencies = []
[project.entry-points."modelops.wire"]
execute = "mywire.wire:wire"
[tool.setuptools.packages.find]
where = ["src"]
TOML
cat >"$bundle/src/mywire/wire.py" <<'PY'
def wire(entrypoint, params, seed):
    return {"raw": f"ok-{seed}".encode()}
PY

# 1. Simulation
out=$(echo '{"entrypoint":"main","params":{},"seed":7}' | "${runner[@]}" --bundle-path "$bundle")
"$PYTHON" - "$out" <<'PY'
import base64, json, sys
document = json.loads(sys.argv[1])
assert "task_id" in document and "raw" in document["outputs"], document
assert base64.b64decode(document["outputs"]["raw"]["inline"]) == b"ok-7", document
PY

# 2. Aggregation, old style
cat >"$bundle/src/targets/agg.py" <<'PY'
def loss_one(sim_returns):
    return {"loss": 1.0}
PY
out=$(echo '{"target_entrypoint":"targets.agg:loss_one","sim_returns":[]}' |
  "${runner[@]}" --bundle-path "$bundle" --aggregation)
"$PYTHON" - "$out" <<'PY'
import json, sys
document = json.loads(sys.argv[1])
assert document["loss"] == 1.0, document
PY

# 3. A failure is one JSON document and a status other than 0
status=0
bad=$(echo '{"entrypoint":"does.not.exist:fn","params":{},"seed":1}' |
  "${runner[@]}" --bundle-path "$bundle") || status=$?
[ "$status" -ne 0 ]
"$PYTHON" - "$bad" "$status" <<'PY'
import json, sys
error = json.loads(sys.argv[1])["_fatal_error"]
assert error["error_code"] == "E_ENTRYPOINT" and error["code"] == int(sys.argv[2]), error
PY

# The user's directory is as it was: no build folder, no metadata, no bytecode.
[ "$(cd "$bundle" && find . -type f | sort | tr '\n' ' ')" = \
  "./pyproject.toml ./src/mywire/wire.py ./src/targets/agg.py " ]

echo "cold runner acceptance passed"
