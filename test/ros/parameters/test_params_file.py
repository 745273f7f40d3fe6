"""launch/params.yaml holds every parameter with a comment and is what the generator writes."""

import itertools

from checkout import ROOT

from dtalker_model.card import DEFAULT_MODEL, model_path, read_card
from dtalker_ros.parameters.parameters import NODE_PARAMETERS, setting_parameters
from dtalker_ros.parameters.params_file import params_yaml

FILE = ROOT / "launch" / "params.yaml"


def test_the_file_is_current() -> None:
    emotions = tuple(read_card(model_path(DEFAULT_MODEL)).emotions)
    assert FILE.read_text(encoding="utf-8") == params_yaml(emotions), (
        "python -m dtalker_ros.parameters.params_file > launch/params.yaml"
    )


def test_every_parameter_is_there_with_a_comment_and_its_default() -> None:
    emotions = tuple(read_card(model_path(DEFAULT_MODEL)).emotions)
    lines = FILE.read_text(encoding="utf-8").splitlines()
    found, group = set(), ""
    for before, line in itertools.pairwise(lines):
        key, _, value = line.strip().partition(":")
        if line.startswith("    ") and not line.strip().startswith("#"):
            group = "" if line[4] != " " else group
            if not value:
                group = f"{key}."
                continue
            assert before.strip().startswith("# "), line
            found.add(group + key)
    assert found == {spec.name for spec in (*NODE_PARAMETERS, *setting_parameters(emotions))}
