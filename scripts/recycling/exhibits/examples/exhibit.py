"""The claims' comparisons example by example, from the runs' records in the store."""

from recycling.exhibits.exhibit import Exhibit, runs, statistics

EXHIBIT = Exhibit("Example by example", "Methods", runs, statistics)
