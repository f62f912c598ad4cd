"""Ten thousand random calls, a tenth of them refused, and the journal agree; tests/completeness makes more of them."""

import pytest

import completeness
from completeness import Logged, differences

CALLS = 10_000
ONE, TWO = Logged("1", "Encrypt", None), Logged("2", "Decrypt", "AccessDeniedException")
TWO_RECORDED = Logged("2", "Decrypt", "AccessDenied")


@pytest.mark.parametrize("logs, records, found", [
    ([[ONE, TWO]], [ONE, TWO_RECORDED], None),
    ([[ONE], [TWO]], [TWO_RECORDED, ONE], None),
    ([[ONE, TWO]], [ONE], "is not recorded"),
    ([[ONE]], [ONE, TWO_RECORDED], "was answered to nobody"),
    ([[ONE]], [ONE, ONE], "is recorded twice"),
    ([[ONE, ONE]], [ONE], "was answered 2 times"),
    ([[ONE, TWO]], [TWO_RECORDED, ONE], "before an earlier call"),
    ([[ONE]], [Logged("1", "Encrypt", "AccessDenied")], "is recorded as"),
    ([[ONE]], [Logged("1", "Decrypt", None)], "is recorded as"),
])
def test_every_difference_is_found(logs, records, found):
    told = list(differences(logs, records))
    assert (told == []) if found is None else any(found in sentence for sentence in told), told


def test_clients_and_journal_agree():
    logs, records, verdict = completeness.run(CALLS, seed=1)
    assert list(differences(logs, records)) == []
    assert verdict.returncode == 0, verdict.stderr
    errors = [logged.error for log in logs for logged in log]
    refused = [error for error in errors if error]
    assert CALLS <= len(errors) == len(records)
    assert 0.07 < len(refused) / len(errors) < 0.13
    assert {"AccessDeniedException", "AccessDenied", "ThrottlingException", "SerializationException", "ValidationException",
            "InvalidSignatureException", "UnknownOperationException"} <= set(refused)
