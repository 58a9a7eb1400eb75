"""The face of a console elsewhere."""

from __future__ import annotations

from app.cli.afar.acts import AfarLetters
from app.cli.afar.books import AfarBooks
from app.cli.afar.client import Client
from app.cli.afar.groups import AfarGroups
from app.cli.afar.recipes import AfarRecipes
from app.cli.afar.runs import AfarRuns


class Afar:
    """app.operations.face.Face."""

    def __init__(self, client: Client) -> None:
        self.letters = AfarLetters(client)
        self.groups = AfarGroups(client)
        self.runs = AfarRuns(client)
        self.recipes = AfarRecipes(client)
        self.books = AfarBooks(client)
