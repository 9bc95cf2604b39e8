"""Service levels: what the inventory promises of a model, as rules for Prometheus.

docs/service-levels.md tells the definitions and their reasons.
"""
