"""Stands in for Grafana where its repository cannot be reached: same paths, ini, provisioning, HTTP API and messages.

Statuses and messages are those that a real Grafana 7.5.5 was recorded with; what later servers do otherwise is told by
flavour.py. It draws nothing. Python 3.9 and its standard library, with PyYAML packed beside it.
"""
