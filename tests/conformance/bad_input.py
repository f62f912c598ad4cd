"""Bad input, made from AWS's service model: for each member of a request what can be wrong with it, and the answer.

Nothing here was recorded. The expected answer follows from the model's types and constraints, in the words of AWS's
validation framework; where the service is narrower than its model, AWS's documentation of the member says so.
"""

import base64
import binascii
import json
import re
from dataclasses import dataclass, field
from datetime import datetime

# A body above this is refused before it is read (docs/divergences.md), so no case is larger.
BODY_BYTES_MAX = 256 * 1024

# Names of a key and an alias that no server has.
ABSENT_KEY_ID = "0987dcba-09fe-87dc-65ba-ab0987654321"
ABSENT_ALIAS = "alias/absent"
# Sound values of the shapes that have a pattern or a meaning; "{" is a text of a policy, and no policy.
EXAMPLES = {
    "AliasNameType": ABSENT_ALIAS,
    "BackingKeyIdType": "0" * 64,
    "DateType": 1_893_456_000,
    "KeyIdType": ABSENT_KEY_ID,
    "PolicyType": "{",
    "RegionType": "eu-west-9",
}
# What a sound request has beside the members that the model requires. CreateKey's is refused for two reasons that
# have nothing to do with each other, so that one of them is left whichever member a case changes.
ALSO_GIVEN = {
    "CreateKey": {"Policy": "{", "KeySpec": "SYMMETRIC_DEFAULT", "KeyUsage": "SIGN_VERIFY"},
    "Decrypt": {"CiphertextBlob": "AAAA"},
    "GenerateDataKey": {"KeySpec": "AES_256"},
    "GenerateDataKeyWithoutPlaintext": {"KeySpec": "AES_256"},
    "GenerateRandom": {"NumberOfBytes": 16},
    "ReEncrypt": {"CiphertextBlob": "AAAA"},
}
# Bounds that the documentation of a member states and the model does not have.
NARROWER = {
    ("ListAliases", "Limit"): (1, 100),
    ("ListResourceTags", "Limit"): (1, 50),
    ("ScheduleKeyDeletion", "PendingWindowInDays"): (7, 30),
}
# Members that are optional in the model for the sake of dry runs only.
REQUIRED_BY_SERVICE = {("Decrypt", "CiphertextBlob"), ("ReEncrypt", "CiphertextBlob")}

# One or two of each kind of JSON value; each member meets them all.
JSON_VALUES = {
    "a number": 7, "a fraction": 1.5, "true": True, "a text": "text", "a list": [], "a list of a text": ["x"],
    "an object": {}, "an object of a text": {"x": "y"},
}
ODD_CHARACTERS = "\0\n\" \u0100\u20ac\U0001f600/:G-"
INTEGER_MAX = 2**31 - 1


@dataclass(frozen=True)
class Expected:
    """What the model wants of an answer: an error with its violations, or only that it is neither of the two."""

    error: str | None
    violations: tuple = ()


@dataclass(frozen=True)
class Case:
    """One request."""

    operation: str
    path: str
    kind: str
    body: dict = field(repr=False)
    expected: Expected

    @property
    def text(self):
        """The body as it is sent."""
        return json.dumps(self.body)


def is_base64(text):
    """Whether a text is padded base64 of the standard alphabet without anything else."""
    try:
        return base64.b64encode(base64.b64decode(text, validate=True)).decode() == text
    except (binascii.Error, ValueError):
        return False


def is_timestamp(value):
    """Whether a value is a number of seconds in the years that a date has, or an ISO 8601 text with an offset."""
    if isinstance(value, str):
        try:
            return datetime.fromisoformat(value.replace("Z", "+00:00")).tzinfo is not None
        except ValueError:
            return False
    return is_number(value) and abs(value) < 253_402_300_800


def is_number(value):
    """Whether a value is a JSON number; in Python True is one too."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def is_readable(shape, value):
    """Whether a JSON value has the type of the shape. Null is absence for members only."""
    if shape.type_name == "structure":
        return isinstance(value, dict) and all(
            value.get(name) is None or is_readable(member, value[name])
            for name, member in shape.members.items())
    if shape.type_name == "list":
        return isinstance(value, list) and all(is_readable(shape.member, item) for item in value)
    if shape.type_name == "map":
        return isinstance(value, dict) and all(isinstance(item, str) for item in value.values())
    return {
        "string": lambda: isinstance(value, str),
        "blob": lambda: isinstance(value, str) and is_base64(value),
        "boolean": lambda: isinstance(value, bool),
        "integer": lambda: is_number(value) and value == int(value),
        "timestamp": lambda: is_timestamp(value),
    }[shape.type_name]()


def size(shape, value):
    """What the bounds of a shape bound: a number, or how many characters, bytes or items there are."""
    if shape.type_name == "integer":
        return value
    return len(base64.b64decode(value)) if shape.type_name == "blob" else len(value)


def at_most(shape, bound):
    """A constraint: the sentence, and whether a value keeps it."""
    measure = "value" if shape.type_name == "integer" else "length"
    return (f"Member must have {measure} less than or equal to {bound}",
            lambda value: size(shape, value) <= bound)


def at_least(shape, bound):
    """The same for the other bound."""
    measure = "value" if shape.type_name == "integer" else "length"
    return (f"Member must have {measure} greater than or equal to {bound}",
            lambda value: size(shape, value) >= bound)


def constraints(shape):
    """All constraints of a shape, as `at_most` gives them, in the order in which AWS tells them."""
    if getattr(shape, "enum", None):
        values = ", ".join(sorted(shape.enum))
        return [(f"Member must satisfy enum value set: [{values}]", lambda value: value in shape.enum)]
    found = []
    if "max" in shape.metadata:
        found.append(at_most(shape, shape.metadata["max"]))
    if "min" in shape.metadata:
        found.append(at_least(shape, shape.metadata["min"]))
    if "pattern" in shape.metadata:
        pattern = shape.metadata["pattern"]
        # Java's \w, \d and \s are ASCII, and it matches the whole text.
        compiled = re.compile(pattern, re.ASCII)
        found.append((f"Member must satisfy regular expression pattern: {pattern}", compiled.fullmatch))
    if shape.type_name == "list" and shape.member.type_name == "string" and constraints(shape.member):
        of_items = constraints(shape.member)
        found.append((f"Member must satisfy constraint: [{', '.join(text for text, _ in of_items)}]",
                      lambda value: all(holds(item) for item in value for _, holds in of_items)))
    return found


def shown(shape, value):
    """How an answer repeats a value: bytes and secrets not at all."""
    if shape.type_name == "blob" or shape.metadata.get("sensitive"):
        return "Value"
    return f"Value '[{', '.join(value)}]'" if isinstance(value, list) else f"Value '{value}'"


def lower_first(name):
    """A member's name as answers write it."""
    return name[0].lower() + name[1:]


def violation(value, path, constraint):
    """AWS's sentence for one broken constraint."""
    return f"{value} at '{path}' failed to satisfy constraint: {constraint}"


def violations(shape, body, path=""):
    """All that is wrong with the members of a structure whose types are right."""
    for name, member in shape.members.items():
        place, value = path + lower_first(name), body.get(name)
        if value is None:
            if name in shape.required_members:
                yield violation("Value null", place, "Member must not be null")
            continue
        for text, holds in constraints(member):
            if not holds(value):
                yield violation(shown(member, value), place, text)
        if member.type_name == "structure":
            yield from violations(member, value, f"{place}.")
        elif member.type_name == "list" and member.member.type_name == "structure":
            for number, item in enumerate(value, start=1):
                yield from violations(member.member, item, f"{place}.{number}.member.")


def violations_of_service(operation, shape, body):
    """What the service asks beyond its model, once that is satisfied."""
    for name, member in shape.members.items():
        place, value = lower_first(name), body.get(name)
        if value is None:
            if (operation, name) in REQUIRED_BY_SERVICE:
                yield violation("Value null", place, "Member must not be null")
        elif (operation, name) in NARROWER:
            low, high = NARROWER[operation, name]
            for text, holds in (at_most(member, high), at_least(member, low)):
                if not holds(value):
                    yield violation(shown(member, value), place, text)


def expected(operation, shape, body):
    """The answer that the model wants for a body."""
    if not is_readable(shape, body):
        return Expected("SerializationException")
    found = tuple(violations(shape, body)) or tuple(violations_of_service(operation, shape, body))
    return Expected("ValidationException", found) if found else Expected(None)


def example(shape):
    """A sound value."""
    if shape.name in EXAMPLES:
        return EXAMPLES[shape.name]
    if getattr(shape, "enum", None):
        return shape.enum[0]
    return {
        "structure": lambda: {name: example(shape.members[name]) for name in shape.required_members},
        "list": lambda: [example(shape.member)],
        "map": lambda: {"a": "b"},
        "string": lambda: "a" * max(1, shape.metadata.get("min", 1)),
        "blob": lambda: "AAAA",
        "boolean": lambda: False,
        "integer": lambda: shape.metadata.get("min", 1),
    }[shape.type_name]()


def sizes(shape):
    """Sizes on both sides of both bounds."""
    bounds = {name: shape.metadata[name] for name in ("min", "max") if name in shape.metadata}
    found = {}
    if "min" in bounds:
        found |= {"too short": bounds["min"] - 1, "as short as allowed": bounds["min"]}
    if "max" in bounds:
        found |= {"as long as allowed": bounds["max"], "too long": bounds["max"] + 1}
    return found


def odd_texts(shape):
    """Texts with an odd character at the front, in the middle, at the end; the pattern, if any, says which are bad."""
    sound = example(shape)
    for number, character in enumerate(ODD_CHARACTERS):
        place = (0, len(sound) // 2, len(sound))[number % 3]
        # One of the characters is replaced, so that the length stays right.
        text = sound[:place] + character + sound[place:]
        yield f"with {character!a}", text[:len(sound)] if place < len(sound) else sound[:-1] + character


def of_texts(shape):
    """Texts, good and bad."""
    yield "empty", ""
    if getattr(shape, "enum", None):
        value = shape.enum[-1]
        yield from {"in lower case": value.lower(), "with a space": f"{value} ", "cut": value[:-1],
                    "unknown": "NO_SUCH_VALUE", "the last value": value}.items()
        return
    for kind, length in sizes(shape).items():
        if length >= 0:
            yield kind, ("a" * length + example(shape))[-length:] if length else ""
    yield from odd_texts(shape)


def of_numbers(shape):
    """Integers, good and bad."""
    for kind, number in sizes(shape).items():
        yield kind.replace("short", "small").replace("long", "large"), number
        yield f"{kind} as a text", str(number)
    yield from {"nought": 0, "negative": -1, "the largest": INTEGER_MAX, "the least": -INTEGER_MAX - 1}.items()


def of_blobs(shape):
    """Base64, good and bad."""
    yield "empty", ""
    for kind, length in sizes(shape).items():
        if length >= 0:
            yield kind, base64.b64encode(bytes(length)).decode()
    yield from {"no base64": "!", "without padding": "AAE", "of another alphabet": "AAEC_w==",
                "with a line break": "AAAA\n", "with bits too many": "AAF=", "with padding inside": "AA==AAAA"}.items()


def of_lists(shape):
    """Lists, good and bad, and all that can be wrong with an item."""
    yield "with null", [None]
    for kind, length in sizes(shape).items():
        if length >= 0:
            yield kind, [example(shape.member)] * length
    for kind, value in values(shape.member):
        yield f"an item: {kind}", [value]
    yield "a second item: a number", [example(shape.member), 1]
    if (bad := first_bad(shape.member)) is not None:
        yield "a second item: bad", [example(shape.member), bad]


def of_maps(_):
    """Maps, good and bad."""
    yield from {"of null": {"x": None}, "of a number": {"x": 1}, "of a list": {"x": []}, "of an object": {"x": {}},
                "of one good and one bad": {"x": "y", "z": True}, "of an empty text": {"": ""}}.items()


def of_structures(shape):
    """Structures with all that can be wrong with a member."""
    for path, kind, value in structures(shape, example(shape)):
        yield f"{path}: {kind}", value


def of_booleans(_):
    """What is no boolean."""
    yield from {"the text true": "true", "empty": "", "one": 1, "nought": 0, "false": False}.items()


def of_timestamps(_):
    """Times, good and bad."""
    yield from {"a text": "tomorrow", "empty": "", "a number as a text": "1893456000", "out of range": 1e300,
                "ISO 8601": "2030-01-01T00:00:00Z", "ISO 8601 without an offset": "2030-01-01T00:00:00",
                "negative": -1, "with milliseconds": 1893456000.123}.items()


OF_TYPES = {
    "string": of_texts, "integer": of_numbers, "blob": of_blobs, "list": of_lists, "map": of_maps,
    "structure": of_structures, "boolean": of_booleans, "timestamp": of_timestamps,
}


def values(shape):
    """Kinds of values for a place of that shape, each with the value."""
    yield from JSON_VALUES.items()
    yield from OF_TYPES[shape.type_name](shape)


def first_bad(shape):
    """A value whose type is right and whose constraints are broken, if the shape has any."""
    def is_bad(value):
        if shape.type_name == "structure":
            return any(violations(shape, value))
        return not all(holds(value) for _, holds in constraints(shape))

    return next((value for _, value in values(shape) if is_readable(shape, value) and is_bad(value)), None)


def structures(shape, sound):
    """The sound structure with one member changed, by the member's name and the kind of change."""
    for name, member in shape.members.items():
        rest = {other: value for other, value in sound.items() if other != name}
        good = sound.get(name, example(member))
        yield name, "missing", rest
        yield name, "null", {**rest, name: None}
        yield name, "under another name", {**rest, lower_first(name): good}
        yield name, "beside an unknown member", {**rest, name: good, f"{name}s": {"x": [None, 1]}}
        for kind, value in values(member):
            yield name, kind, {**rest, name: value}


def aimed(body, existing):
    """The body with the names of what is absent replaced by those of what exists."""
    text = json.dumps(body)
    for absent, name in existing.items():
        text = text.replace(absent, name)
    return json.loads(text)


def cases(operation, existing=()):
    """All cases of an operation of the model, each body once.

    A body that the model refuses is about what exists (`existing` maps the absent names to those): had it not been
    refused, it would have done something. One that the model takes is about what does not exist, and does nothing.
    """
    shape = operation.input_shape
    sound = {**example(shape), **ALSO_GIVEN.get(operation.name, {})}
    all_bad = {name: bad for name, member in shape.members.items() if (bad := first_bad(member)) is not None}
    bodies = [*structures(shape, sound), ("all members", "bad", all_bad)]
    if shape.required_members:
        bodies.append(("all members", "missing", {}))
    found = {}
    for path, kind, body in bodies:
        answer = expected(operation.name, shape, body)
        if answer.error and existing:
            body = aimed(body, existing)
            answer = expected(operation.name, shape, body)
        case = Case(operation.name, path, kind, body, answer)
        if len(case.text) <= BODY_BYTES_MAX:
            found.setdefault(case.text, case)
    return list(found.values())
