"""Every experiment of the paper, carried out again: runs, tables beside the paper's, figures."""

from apnet.reproduction.catalogue import COST, EXPERIMENTS, NAMES
from apnet.reproduction.costs import cost_table, format_cost_table, write_cost_table
from apnet.reproduction.engine import reproduce
from apnet.reproduction.estimate import estimate, format_estimate
from apnet.reproduction.markdown import format_table
from apnet.reproduction.planning import Plan, Run, make_plan
from apnet.reproduction.running import RunOptions
from apnet.reproduction.tabular import cost_result_table, experiment_table

__all__ = [
    "COST",
    "EXPERIMENTS",
    "NAMES",
    "Plan",
    "Run",
    "RunOptions",
    "cost_result_table",
    "cost_table",
    "estimate",
    "experiment_table",
    "format_cost_table",
    "format_estimate",
    "format_table",
    "make_plan",
    "reproduce",
    "write_cost_table",
]
