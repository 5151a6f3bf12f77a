"""From runs.tsv to tables, paired statistics and verdicts on the paper's claims."""
