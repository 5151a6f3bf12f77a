rule random_init:
    input:
        paths_of("random_init"),


rule target_alone:
    input:
        paths_of("target_alone"),
