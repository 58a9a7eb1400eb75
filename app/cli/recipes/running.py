"""`sluice recipes run`: a bulk replay that mends each letter before it is put."""

from __future__ import annotations

from app.cli.dead_letters.bulk import bulk_replay
from app.cli.dead_letters.choosing import Yes
from app.cli.dead_letters.replay import Detach
from app.cli.reading import Json
from app.cli.recipes.finding import Name, known, require_mapping, understood, wanted_by
from app.core.recipe import made_by


def run(name: Name, detach: Detach = False, yes: Yes = False, as_json: Json = False) -> None:
    """Mend what a saved recipe selects, and put it back on the queue.

    What is found now is frozen, shown, and mended and put by a worker at the recipe's rate; what
    the recipe cannot mend stays dead as it is. `sluice replays` steers it.
    """
    saved = known(name)
    recipe = understood(saved.text)
    bulk_replay(
        wanted_by(recipe),
        recipe.orders,
        sure=yes,
        detach=detach,
        as_json=as_json,
        recipe=(made_by(name, saved.version), saved.text),
        check=lambda run: require_mapping(recipe, saved.text, run.census["connections"]),
    )
