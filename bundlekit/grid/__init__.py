"""Many tasks of one bundle: on this machine, several at once, and wherever else :mod:`.workers` finds a crew for."""
