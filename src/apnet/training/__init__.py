"""Training: recipes, the loop, run folders, exact resume, several processes."""

from apnet.training.callbacks import Listener, Listeners, Silence, TensorBoard
from apnet.training.loop import train
from apnet.training.recipes import load_recipe, recipe_names
from apnet.training.run_folder import RunFolder, versions
from apnet.training.schedule import learning_rate

__all__ = [
    "Listener",
    "Listeners",
    "RunFolder",
    "Silence",
    "TensorBoard",
    "learning_rate",
    "load_recipe",
    "recipe_names",
    "train",
    "versions",
]
