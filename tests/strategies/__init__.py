"""Strategies of Hypothesis that several suites draw from."""
