"""PromQL judged at rest: what a query would do is told from the contracts, without a Prometheus.

    known.py     which series exist: contracts, scrape definitions, Prometheus' own, recorded ones
    judge.py     one query: what it yields (vector.py), and everything that is wrong with it
    matching.py  what becomes of labels where two vectors meet
    rules.py     rule files, their templates and their tests
    dashboards.py  every query of a Grafana dashboard, its variables filled in

Needs the package promql-parser, which only tests and developers have.
"""
