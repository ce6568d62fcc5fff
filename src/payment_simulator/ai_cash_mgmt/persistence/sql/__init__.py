"""The queries of the repository."""
