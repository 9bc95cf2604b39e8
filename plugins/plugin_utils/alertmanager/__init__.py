"""Alertmanager's configuration, from the role's variables."""
