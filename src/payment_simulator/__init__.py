"""A laboratory for AI cash management in large-value payment systems."""

from payment_simulator._version import __version__

__all__ = ["__version__"]
