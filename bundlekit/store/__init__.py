"""The content-addressed store of bundles on this machine, and the registries they are pushed to and pulled from."""
