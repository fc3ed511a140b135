"""Workers of a cluster: their configuration, what they can run, and, with the extra ``dask``, plugin and service."""
