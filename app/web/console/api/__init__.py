"""/api/v1: JSON for programs, and for `sluice` from elsewhere. A bearer token lets in, and nothing
else: no cookie, so no foreign page can send one along.

    table     every address, who may call it, and a line about it: also as an answer
    asked     what is asked for, read
    letters, acts, exchange, groups, runs, recipes, books   one noun each

Handlers read, ask app/operations under the name of user and token, and answer; nothing more.
"""
