rule random_init:
    input:
        STUDY.experiment_files("random_init"),


rule target_alone:
    input:
        STUDY.experiment_files("target_alone"),
