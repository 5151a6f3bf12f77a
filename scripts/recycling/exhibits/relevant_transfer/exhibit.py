"""Transfer from in-house LoRAs, against the number of most relevant ones skipped."""

from recycling.exhibits.exhibit import Exhibit, runs_and_reported, statistics_and_paper

EXHIBIT = Exhibit("Relevant LoRAs", "Transfer", runs_and_reported, statistics_and_paper)
