"""The selections and controls that are built in; a config can define others."""

# By the similarity of an adapter to the target LoRA.
SIMILARITIES = ("cosine", "abs", "clamp", "clamp_pm", "quasi_fim", "l2", "similar_rank")
SELECTIONS = ("evaluation", "random", "rank", *SIMILARITIES)
CONTROLS = ("none", "others", "all", "others_norm_matched")
