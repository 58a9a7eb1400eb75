"""Recipes: repairs of many dead letters at once, saved by name.

reading.py   which there are, and what one says
writing.py   writing one, tried as it is typed; saving, deleting
trying.py    what one would do
running.py   a replay that follows one
"""
