"""The results in a browser: a local, read-only server."""
