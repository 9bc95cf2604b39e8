"""Packages that stand in for a vendor's: named, laid out and related like the real ones, with the suffix +lab."""
