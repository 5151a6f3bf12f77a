"""Recycled minus randomly re-initialised LoRAs of the same selection."""

from recycling.exhibits.exhibit import Exhibit, runs_and_reported, statistics_and_paper

EXHIBIT = Exhibit("Recycled against random", "Controls", runs_and_reported, statistics_and_paper)
