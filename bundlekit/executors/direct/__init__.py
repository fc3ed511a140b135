"""The direct executor: bundle code in the host's own process, for tests of what stands around it.

There is no isolation: a task can change what the next one meets, a deadline is noticed only when it is over, limits do
not hold, and a crash is the host's. What the host had of the working directory, variables, import path and modules it
gets back after each task.
"""
