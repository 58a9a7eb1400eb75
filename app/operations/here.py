"""The face of the Redis beside us."""

from __future__ import annotations

from app.operations.actor import Actor
from app.operations.books import HereBooks
from app.operations.groups import HereGroups
from app.operations.letters import HereLetters
from app.operations.recipes import HereRecipes
from app.operations.runs import HereRuns
from app.operations.trying import Surroundings
from app.store.scripting import Store


class Here:
    """app.operations.face.Face, for one who acts."""

    def __init__(self, redis: Store, actor: Actor, around: Surroundings) -> None:
        self.letters = HereLetters(redis, actor, around)
        self.groups = HereGroups(redis, actor)
        self.runs = HereRuns(redis, actor)
        self.recipes = HereRecipes(redis, actor, around)
        self.books = HereBooks(redis, actor, around)
