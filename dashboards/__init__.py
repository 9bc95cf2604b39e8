"""gpufleet's Grafana dashboards as code; `make dashboards` builds the JSON in the roles.

    style.py      colours, thresholds, words for values
    panels.py     the few kinds of panels there are
    queries.py    PromQL that several topics need
    page.py       a topic: its variables, links and sections, laid out
    dialect.py    from the SDK's schema to the oldest one that is served
    build.py      which topic goes into which role

One module per topic beside them.
"""
