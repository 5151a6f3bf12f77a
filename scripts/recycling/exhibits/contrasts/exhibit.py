"""Contrasts beyond the claims: controls, released behaviour, regularised LoRAs, fixed sets."""

from recycling.exhibits.exhibit import Exhibit, runs_and_reported, statistics_and_paper

EXHIBIT = Exhibit("Further comparisons", "Controls", runs_and_reported, statistics_and_paper)
