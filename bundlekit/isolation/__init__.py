"""The experiment that shows whether one task changes the next: plan, run, compare, minimise, and what state it left."""
