"""A stochastic SIR epidemic, simulated by the extension module `epidemic._sir`."""
