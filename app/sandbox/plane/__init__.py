"""Platform's control plane: what the APIs that set up a dataflow keep, and how they read a call.

state.py      Plane: every object there is
mint.py       ids and etags
body.py       a request's body and headers, or the refusal
document.py   one stored object with its times and makers
seeds.py      what is there from the start: the objects behind the configured inlets
judge.py      what becomes of a record: mapping set and schema of its flow

The APIs: flowservice/, registry/, catalog/ (datasets), dataprep/, identity/ (namespaces).
"""
