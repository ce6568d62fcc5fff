"""Queries of the analysis floor, a file for each module that asks them."""
