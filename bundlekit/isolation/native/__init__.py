"""What the memory of extension modules tells of one task's effect on the next, read from outside of the process.

`memory` reads and writes the process, `libraries` finds what is loaded, `heap` and `thread_local` what hangs on it;
`snapshot` takes all of it at once. `comparison` makes changes of snapshots, and `intervention` undoes one of them.
"""
