"""Data Prep (`/data/foundation/conversion`): platform.md section 4.1.

sets.py      the calls about mapping sets
stored.py    how a stored set shows: with its older twin keys
trying.py    validate and preview
language.py  the expression language: validate, functions, operators
reading/     what preview makes of data: a reading of its own, for sets like the default one

Whether a set is right, and what a set beyond that reading makes of data, is for the engine of
app/core/dataprep to say; the shapes of the answers are the reference's.
"""
