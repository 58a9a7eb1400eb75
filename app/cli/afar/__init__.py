"""The same operations through a console elsewhere: its /api/v1, and a token.

choice      whether a console is meant, and which
client      one request there and its answer back
letters, acts, groups, runs, recipes, books   one noun each, as app/operations/face.py has them
elsewhere   the face they make up
"""
