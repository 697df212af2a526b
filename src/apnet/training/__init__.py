"""Training: recipes, losses, optimisers and schedules by name, run folders, exact resume."""

from apnet.training.api import resume_run, train
from apnet.training.callbacks import Callback, Callbacks, NoCallback, TensorBoard
from apnet.training.optimisers import OPTIMISERS
from apnet.training.recipes import load_recipe, recipe_names
from apnet.training.run_folder import RunFolder, versions
from apnet.training.schedules import SCHEDULES, Moment, learning_rate

__all__ = [
    "OPTIMISERS",
    "SCHEDULES",
    "Callback",
    "Callbacks",
    "Moment",
    "NoCallback",
    "RunFolder",
    "TensorBoard",
    "learning_rate",
    "load_recipe",
    "recipe_names",
    "resume_run",
    "train",
    "versions",
]
