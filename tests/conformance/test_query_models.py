"""The model oracle for IAM and STS: every shape that is built agrees with AWS's service model, pinned in requirements.txt.

Which operations the server answers is told by its operation table; operations without shapes stand in unshaped.txt.
"""

import botocore.session
import pytest

from keystead import REPOSITORY
from models import members, normal

SESSION = botocore.session.get_session()
MODELS = {service: SESSION.get_service_model(service) for service in ("iam", "sts")}
OPERATIONS = {"iam": 181, "sts": 12}


def unshaped(service):
    """The operations of a service that have no shapes here."""
    return (REPOSITORY / f"crates/wire/src/{service}/unshaped.txt").read_text().split()


SHAPED = [(service, name) for service, model in MODELS.items()
          for name in sorted(set(model.operation_names) - set(unshaped(service)))]


@pytest.mark.parametrize("service", MODELS)
def test_what_has_shapes_and_what_has_none_make_the_model(ours, service):
    names = MODELS[service].operation_names
    assert len(names) == OPERATIONS[service]
    assert sorted([*ours[service]["operations"], *unshaped(service)]) == sorted(names)


@pytest.mark.parametrize(("service", "name"), SHAPED)
def test_requests_agree(ours, service, name):
    request = ours[service]["operations"][name]["request"]
    told = {member["name"]: normal(member) for member in request}
    assert told == members(MODELS[service].operation_model(name).input_shape)


@pytest.mark.parametrize(("service", "name"), SHAPED)
def test_answers_agree(ours, service, name):
    shape = MODELS[service].operation_model(name).output_shape
    assert sorted(ours[service]["operations"][name]["answer"]) == sorted(shape.members if shape else {})


@pytest.mark.parametrize(("service", "name"), SHAPED)
def test_every_error_of_an_operation_is_known_with_its_code_and_status(ours, service, name):
    told = {(error["name"], *error["query"]) for error in ours["errors"]}
    for shape in MODELS[service].operation_model(name).error_shapes:
        error = shape.metadata["error"]
        assert (shape.name, error["code"], error["httpStatusCode"]) in told


@pytest.mark.parametrize("service", MODELS)
def test_structures_of_answers_agree(ours, service):
    reached = {}
    for name in ours[service]["operations"]:
        structures_in(MODELS[service].operation_model(name).output_shape, reached)
    reached = {name: sorted(shape.members) for name, shape in reached.items()}
    assert {name: sorted(told) for name, told in ours[service]["structures"].items()} == reached


def structures_in(shape, reached):
    """Gathers the structures inside an answer, by name."""
    if shape is None:
        return
    inner = {"structure": lambda: shape.members.values(), "list": lambda: [shape.member],
             "map": lambda: [shape.key, shape.value]}.get(shape.type_name, list)()
    for member in inner:
        if member.type_name == "structure" and member.name not in reached:
            reached[member.name] = member
        structures_in(member, reached)


@pytest.mark.parametrize("service", MODELS)
def test_enumerations_agree(ours, service):
    for name, values in ours[service]["enumerations"].items():
        assert sorted(values) == sorted(MODELS[service].shape_for(name).enum), name


@pytest.mark.parametrize("service", sorted(MODELS))
def test_what_is_answered_and_what_is_not_make_the_model(ours, service):
    unbuilt = (REPOSITORY / f"crates/service/src/{service}/unbuilt.txt").read_text().split()
    built = ours[service]["built"]
    assert len(built) == len(set(built))
    assert sorted([*built, *unbuilt]) == sorted(MODELS[service].operation_names)
