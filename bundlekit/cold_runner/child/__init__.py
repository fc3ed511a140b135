"""The process of one task, from both sides of its pipe.

In the child run `main`, `channel`, `target` and `probe`: handed over as code, in whatever interpreter the environment
has, so they import nothing of this package but each other. With the supervisor stay `job`, which hands them over,
`process`, which starts and watches a child, and `report`, which re-validates what comes back.
"""
