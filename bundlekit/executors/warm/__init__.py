"""The executor isolated_warm: long-lived processes, each for many tasks of one bundle, and nothing restored in between.

`keeper` is the host's side of the one process that starts and reaps them, `process` talks to one of them, `pool` lends
them out, and `executor` makes tasks into calls and answers into outcomes.
"""
