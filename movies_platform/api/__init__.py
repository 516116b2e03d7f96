"""The HTTP API over published snapshots: read-only, without Dagster, derived from the contracts.

tables      contracts -> routes, parameters, related rows
index       a snapshot -> one SQLite file that answers are read from
snapshots   which snapshot is served: finding new ones, opening those that callers name
questions   a URL's parameters -> a question, or what is wrong with them
rows        a question -> rows as JSON or CSV
files       the published files, with ranges
auth        API keys and JWTs
quotas      how much a caller may ask for
monitoring  metrics for Prometheus
openapi     contracts -> the OpenAPI document
app         the ASGI application
server      its processes
site/       the page for people, and the pages of the docs
"""
