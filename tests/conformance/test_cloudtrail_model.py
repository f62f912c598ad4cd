"""The model oracle for CloudTrail: every shape that is built agrees with AWS's service model, pinned in requirements.txt.

Only what a journal can answer is built, so nothing is said of the rest.
"""

import botocore.session

from models import members, normal

MODEL = botocore.session.get_session().get_service_model("cloudtrail")


def test_requests_agree(ours):
    for name, operation in ours["cloudtrail"]["operations"].items():
        told = {member["name"]: normal(member) for member in operation["request"]}
        assert told == members(MODEL.operation_model(name).input_shape), name


def test_answers_agree(ours):
    for name, operation in ours["cloudtrail"]["operations"].items():
        shape = MODEL.operation_model(name).output_shape
        assert sorted(operation["answer"]) == sorted(shape.members if shape else {}), name


def test_structures_of_answers_agree(ours):
    for name, told in ours["cloudtrail"]["structures"].items():
        assert sorted(told) == sorted(MODEL.shape_for(name).members), name


def test_enumerations_agree(ours):
    for name, values in ours["cloudtrail"]["enumerations"].items():
        assert sorted(values) == sorted(MODEL.shape_for(name).enum), name


def test_every_error_of_an_operation_is_known(ours):
    told = {error["name"]: error["status"] for error in ours["errors"]}
    for name in ours["cloudtrail"]["operations"]:
        for shape in MODEL.operation_model(name).error_shapes:
            assert told.get(shape.name) == 400, shape.name
