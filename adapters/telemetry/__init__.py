"""Telemetry: figures for Prometheus and traces for OpenTelemetry, both off unless the settings ask for them.

No label and no attribute holds a resident, a number, an address or a word that somebody wrote (laws 9, 13): acts,
codes, stages, consumers, routes and ids of cases are all there is.
"""
