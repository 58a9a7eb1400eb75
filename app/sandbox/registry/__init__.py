"""Schema Registry (`/data/foundation/schemaregistry`): platform.md section 5.1.

routes.py       its paths
accept.py       `Accept`, which decides what an answer looks like
resource.py     one class, field group or schema, in the forms in which it shows
compose.py      what a schema comes to: its class and field groups as one JSON schema
rules.py        what a field group or schema must say
evolution.py    what may change once a dataset uses it
resources.py    the calls about classes, field groups and schemas
listing.py      lists: filters, order, pages
descriptors.py  identity descriptors
library.py      Adobe's own classes and field groups
"""
