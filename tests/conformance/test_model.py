"""The model oracle: what the server says of itself agrees with AWS's service model, pinned in requirements.txt.

Which errors an operation may answer with is checked on every call that any test here makes: see conftest.
"""

import botocore
import botocore.session
import pytest

from keystead import REPOSITORY
from models import members, normal

SESSION = botocore.session.get_session()
MODEL = SESSION.get_service_model("kms")
SHAPES = SESSION.get_component("data_loader").load_service_model("kms", "service-2")["shapes"]
BUILT = 45


def unbuilt():
    """The one list of operations that are still to come."""
    return (REPOSITORY / "crates/service/src/kms/unbuilt.txt").read_text().split()


def test_the_model_is_the_pinned_one():
    pinned = (REPOSITORY / "tests/requirements.txt").read_text()
    assert f"botocore=={botocore.__version__}\n" in pinned
    assert len(MODEL.operation_names) == 56


def test_what_is_built_and_what_is_not_make_the_model(ours):
    built = list(ours["operations"])
    assert len(built) == len(set(built)) == BUILT
    assert sorted([*built, *unbuilt()]) == sorted(MODEL.operation_names)


@pytest.mark.parametrize("name", sorted(set(MODEL.operation_names) - set(unbuilt())))
def test_requests_agree(ours, name):
    request = ours["operations"][name]["request"]
    told = {member["name"]: normal(member) for member in request}
    assert told == members(MODEL.operation_model(name).input_shape)


@pytest.mark.parametrize("name", sorted(set(MODEL.operation_names) - set(unbuilt())))
def test_answers_agree(ours, name):
    shape = MODEL.operation_model(name).output_shape
    assert sorted(ours["operations"][name]["answer"]) == sorted(shape.members if shape else {})


def test_structures_of_answers_agree(ours):
    for name, told in ours["structures"].items():
        assert sorted(told) == sorted(MODEL.shape_for(name).members), name


def test_every_error_of_the_model_is_known_with_its_status(ours):
    modelled = {name: 500 if shape.get("fault") else 400 for name, shape in SHAPES.items()
                if shape.get("exception")}
    told = {error["name"]: error["status"] for error in ours["errors"] if error["modelled"]}
    assert told == modelled


def test_enumerations_agree(ours):
    for name, values in ours["enumerations"].items():
        assert sorted(values) == sorted(MODEL.shape_for(name).enum), name
