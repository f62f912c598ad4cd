"""What the time of a refusal tells a stranger about an access key (threat N-6): pairs of requests on one connection.

    python tests/timing/timing.py [--pairs N] [--binary PATH]

Two requests are sent by turns, in an order drawn for each pair, and the times of their answers are compared by the
Mann-Whitney test. Printed are the medians, how often a time of the second is the longer one (one half if nothing can be
told), and p. A comparison of a request with itself says what the machine makes of nothing at all; those after it ask

  an access key that does not exist, beside a wrong secret
  a wrong secret for a Region that the owner uses, beside one for a Region where nobody called

The answers of the first differ, as AWS's do, and so do their lengths. Those of the second are the same.
"""

import argparse
import math
import random
import socket
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "conformance"))

import keystead
from signing import CONTENT_TYPE, Caller

PAIRS_COUNT = 100_000
WARMING_PAIRS_COUNT = 2_000
# A signature is good for five minutes; its requests are made anew long before.
PAIRS_FOR_A_SIGNATURE = 10_000
ANSWER_SECONDS_MAX = 30
UNUSED_REGION = "us-west-1"


class Asking:
    """One connection that sends finished requests."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=ANSWER_SECONDS_MAX)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def nanoseconds(self, request):
        """How long one answer took."""
        began = time.perf_counter_ns()
        self.socket.sendall(request)
        answer = self.socket.recv(65536)
        took = time.perf_counter_ns() - began
        # A refusal is short and is written at once.
        assert answer.startswith(b"HTTP/1.1 400 ") and answer.endswith(b"}"), answer
        return took


def finished(caller):
    """The bytes of a signed request."""
    headers = [("content-type", CONTENT_TYPE), ("x-amz-target", "TrentService.ListKeys")]
    method, target, headers, body = caller.request(body=b"{}", headers=headers)
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers),
             f"content-length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


def measure(port, first, second, pairs_count):
    """The times of both requests, in nanoseconds."""
    asking, times = Asking(port), ([], [])
    for number in range(-WARMING_PAIRS_COUNT, pairs_count):
        if number % PAIRS_FOR_A_SIGNATURE == 0 or number == -WARMING_PAIRS_COUNT:
            requests = finished(first), finished(second)
        order = (0, 1) if random.getrandbits(1) else (1, 0)
        for which in order:
            took = asking.nanoseconds(requests[which])
            if number >= 0:
                times[which].append(took)
    return times


def mann_whitney(first, second):
    """How often a value of `second` is above one of `first`, and the two-sided p of the normal approximation.

    Ties have their mean rank and are taken out of the variance (Mann and Whitney 1947; Lehmann, Nonparametrics, 1.2).
    """
    ordered = sorted([(value, 0) for value in first] + [(value, 1) for value in second])
    total, rank_sum, ties = len(ordered), 0.0, 0
    begin = 0
    while begin < total:
        end = begin
        while end < total and ordered[end][0] == ordered[begin][0]:
            end += 1
        mean_rank = (begin + 1 + end) / 2
        rank_sum += mean_rank * sum(which for _, which in ordered[begin:end])
        ties += (end - begin) ** 3 - (end - begin)
        begin = end
    product = len(first) * len(second)
    u = rank_sum - len(second) * (len(second) + 1) / 2
    variance = product / 12 * (total + 1 - ties / (total * (total - 1)))
    z = (u - product / 2) / math.sqrt(variance)
    return u / product, math.erfc(abs(z) / math.sqrt(2))


def check_test():
    """The test tells what is known of it: 3, 4, 6 above 1, 2, 5 seven times in nine, and two of one kind alike."""
    share, p = mann_whitney([1, 2, 5], [3, 4, 6])
    assert math.isclose(share, 7 / 9) and math.isclose(p, 0.2752, abs_tol=1e-4), (share, p)
    assert mann_whitney([1, 2, 2], [2, 2, 1]) == (0.5, 1.0)


def main():
    """Starts a server, measures, and prints one line for each comparison."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=PAIRS_COUNT)
    parser.add_argument("--binary", type=Path)
    options = parser.parse_args()
    check_test()
    with tempfile.TemporaryDirectory() as folder:
        server = keystead.Server(Path(folder) / "data", "--journal-durability", "50ms",
                                 program=options.binary)
        try:
            access_key_id, secret = server.root_credentials()
            assert Caller(server.port, access_key_id, secret).call("ListKeys").status == 200
            wrong = Caller(server.port, access_key_id, "w" * 40)
            unknown = Caller(server.port, access_key_id[:4] + "Z" * 16, "w" * 40)
            unused = Caller(server.port, access_key_id, "w" * 40, region=UNUSED_REGION)
            for name, first, second in (("a request and itself", wrong, wrong),
                                        ("unknown id, wrong secret", unknown, wrong),
                                        ("used Region, unused Region", wrong, unused)):
                times = measure(server.port, first, second, options.pairs)
                medians = [sorted(part)[len(part) // 2] / 1000 for part in times]
                share, p = mann_whitney(*times)
                print(f"{name}: medians {medians[0]:.1f} and {medians[1]:.1f} us, "
                      f"the second longer in {share:.4f}, p = {p:.3g}", flush=True)
        finally:
            server.stop()


if __name__ == "__main__":
    main()
