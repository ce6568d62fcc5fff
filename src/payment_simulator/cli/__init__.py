"""The command line, ``payment-sim``."""

from payment_simulator.cli.main import main

__all__ = ["main"]
