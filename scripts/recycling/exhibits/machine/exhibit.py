"""Time and memory of the study's jobs, by rule.

The table reads the notes beside the jobs' logs. They are no inputs, so they never re-run it.
"""

from recycling.exhibits.exhibit import Exhibit, runs

EXHIBIT = Exhibit("Time and memory of jobs", "Machine", runs)
