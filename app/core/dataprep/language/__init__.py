"""The expression language: its text, its tree, its paths and its operators."""
