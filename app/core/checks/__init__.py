"""Parts of app/core/check.py: what a set writes against its schema, and its examples."""
