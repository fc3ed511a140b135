"""The sandbox for bundle code that nobody trusts yet: what can hold on this machine, and the start of a child in it.

It holds before the child's interpreter starts, not in it: `.pth` files and a ``sitecustomize`` of the bundle or of its
dependencies are run by the interpreter before any code of ours is. So the supervisor forks, the fork gives up what the
child is not to have, and becomes the interpreter. `probe` finds out which layers work here, `choice` says which of
them a request gets, `grounds` names the files that a task needs, `confinement` applies it all, `held_start` starts.

See: DESIGN decision 10.
"""
