"""A deterministic SEIR epidemic in three age groups."""
