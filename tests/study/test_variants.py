from recycling.study.variants import in_words, variants, varied

SETTINGS = {"init": "zero", "training": {"lr": 0.1, "steps": 5}}


def test_every_combination_is_a_variant_without_what_is_so_anyway():
    vary = {"training.lr": [0.1, 0.3], "init": ["equal", "zero"]}
    assert list(variants(vary, SETTINGS)) == [
        (("init", "equal"),),
        (("init", "equal"), ("training.lr", 0.3)),
        (),
        (("training.lr", 0.3),),
    ]
    assert list(variants({}, SETTINGS)) == [()]


def test_a_setting_that_is_not_there_yet_can_be_varied():
    (variant,) = variants({"tuning.l1": [0.0]}, SETTINGS)
    assert varied(SETTINGS, dict(variant)) == {**SETTINGS, "tuning": {"l1": 0.0}}


def test_varied_settings_leave_the_method_alone():
    changed = varied(SETTINGS, {"training.lr": 0.3})
    assert changed == {"init": "zero", "training": {"lr": 0.3, "steps": 5}}
    assert SETTINGS["training"] == {"lr": 0.1, "steps": 5}


def test_a_variant_reads_as_a_cell_of_a_table():
    assert (
        in_words({"training.lr": 0.3, "activation": "softmax"})
        == "activation=softmax,training.lr=0.3"
    )
    assert in_words({}) == ""
