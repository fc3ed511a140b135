"""Dynamic rules: what building, importing and running the private copy of a bundle shows.

``gather`` runs the bundle and collects evidence; the rules are pure functions from evidence to findings.
"""
