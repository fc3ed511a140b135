"""Counts infections in the extension module."""

import json


def wire(entrypoint, params, seed):
    from counting._counting import step

    return {"infections": json.dumps(step(params.get("new", 1))).encode()}
