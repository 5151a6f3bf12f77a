"""The claims' comparisons task by task, seed by seed."""

from recycling.exhibits.exhibit import Exhibit, runs

EXHIBIT = Exhibit("Claims task by task", "Claims", runs)
