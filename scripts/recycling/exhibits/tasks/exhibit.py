"""The tasks of the study: sizes of their splits, and what identifies their content."""

from recycling.exhibits.exhibit import Exhibit, cards

EXHIBIT = Exhibit("The tasks", "Tasks", cards)
