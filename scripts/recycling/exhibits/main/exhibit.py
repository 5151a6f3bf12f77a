"""Every method without and with the target LoRA, the paper's figure beside."""

from recycling.exhibits.exhibit import Exhibit, runs_and_reported, statistics_and_paper

EXHIBIT = Exhibit("All methods", "Methods", runs_and_reported, statistics_and_paper)
