def wire(entrypoint, params, seed):
    return {"raw": f"ok-{seed}".encode()}
