"""A stochastic SIR epidemic in a closed, well-mixed population."""
