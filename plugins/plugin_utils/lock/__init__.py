"""The lock file: which digest every download must have, taken from the publishers' own sums."""
