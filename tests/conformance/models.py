"""Shapes of AWS's service models and of ours in one form, to be compared."""


def theirs(shape):
    """A shape of the model in the form of ours."""
    told = {"type": {"long": "integer"}.get(shape.type_name, shape.type_name)}
    for name in ("min", "max", "pattern"):
        if name in shape.metadata:
            told[name] = shape.metadata[name]
    if getattr(shape, "enum", None):
        told["enum"] = sorted(shape.enum)
    if shape.type_name == "list":
        told["item"] = theirs(shape.member)
    if shape.type_name == "structure":
        told["members"] = members(shape)
    return told


def members(shape):
    """The members of a structure of the model, by name."""
    return {name: {**theirs(member), "required": name in shape.required_members,
                   "sensitive": bool(member.metadata.get("sensitive"))}
            for name, member in (shape.members if shape is not None else {}).items()}


def normal(description):
    """Our form with members by name and enumerations in order."""
    told = {name: value for name, value in description.items() if name != "name"}
    if "enum" in told:
        told["enum"] = sorted(told["enum"])
    if "item" in told:
        told["item"] = normal(told["item"])
    if "members" in told:
        told["members"] = {member["name"]: normal(member) for member in told["members"]}
    return told
