"""Recipes: which dead letters, what to change in each, how to replay them. Pure, and repeatable.

document     the YAML text -> Recipe, with every fault at once
steps        one step, on one parsed body
mending      all steps, on one letter
"""

from app.core.recipe.document import NAME, Recipe, made_by, read_recipe
from app.core.recipe.mending import Difference, Mended, differences, mend
from app.core.recipe.steps import Step, StepFailed

__all__ = [
    "NAME",
    "Difference",
    "Mended",
    "Recipe",
    "Step",
    "StepFailed",
    "differences",
    "made_by",
    "mend",
    "read_recipe",
]
