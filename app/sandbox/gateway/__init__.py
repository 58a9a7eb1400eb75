"""`platform.adobe.io`: what Platform says of data after its edge took it (platform.md 0, 1.11, 6).

errors.py     the error bodies of the gateway and of each API behind it
entry.py      headers and token, before any API
view.py       what of the lake shows now, under the faults in force
filters.py    Flow Service's `property=` and `orderby=`
routes.py     all paths behind the gateway, the control plane's too
runs.py       GET /flowservice/runs; run.py: the form of one run
batches.py    GET /catalog/batches; batch.py: the form of one batch
files.py      GET /export/batches/{id}/failed and /meta
metrics.py    POST /observability/insights/metrics; series.py: the numbers
"""
