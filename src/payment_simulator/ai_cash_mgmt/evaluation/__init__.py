"""Sample days, what policies cost on them, and whether one takes the place of another."""
