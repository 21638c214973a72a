"""The JSON Schema of a config."""

from pathlib import Path

import msgspec

from edgeinfer.config import schema


class Camera(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename={"from_": "from"}):
    from_: str
    ca: Path | None = None


class Holder:
    class Options(msgspec.Struct, frozen=True, kw_only=True):
        n: int = 1


class Other:
    class Options(msgspec.Struct, frozen=True, kw_only=True):
        sync_s: float = 1.0


WHOLE = schema(
    {
        "source": {"camera": Camera, "n": Holder.Options},
        "model": {"": Holder.Options},
        "state": {"": Other.Options},
    }
)


def test_each_kind_is_one_closed_alternative_with_its_kind_and_keys():
    camera, other = WHOLE["properties"]["source"]["additionalProperties"]["oneOf"]
    assert camera["properties"]["kind"] == {"const": "camera"}
    assert camera["required"] == ["kind", "from"]
    assert camera["additionalProperties"] is False
    assert list(other["properties"]) == ["kind", "n"]


def test_sections_without_kinds_have_their_keys_directly():
    assert list(WHOLE["properties"]["model"]["additionalProperties"]["properties"]) == ["n"]
    assert list(WHOLE["properties"]["state"]["properties"]) == ["sync_s"]


def test_it_is_json_and_refers_only_to_what_it_defines():
    text = msgspec.json.encode(WHOLE).decode()
    assert text.count("$ref") == 0
    assert WHOLE["$defs"] == {}


def test_each_rule_may_have_limits_within_which_commands_set_its_numbers():
    rules = schema({"rule": {"n": Holder.Options}})
    limits = rules["properties"]["rule"]["additionalProperties"]["properties"]["adjustable"]
    assert limits["additionalProperties"]["minItems"] == limits["additionalProperties"]["maxItems"] == 2
