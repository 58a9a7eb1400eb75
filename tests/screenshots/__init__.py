"""Pictures of every page of the console, over a whole Sluice with something going on.

    python -m tests.screenshots FOLDER [PAGE...]      needs Debian's chromium

scene.py makes it lively; __main__.py takes the pictures, at both widths, light, and some dark.
"""
