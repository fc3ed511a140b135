"""An outbreak among people who are known by name."""
