"""The JSON Schema of a profile's file, by which editors complete keys and mark mistakes while one is written."""

import json
from typing import Any

from device_profiles.schema import ProfileText
from wire_format.quantities import QUANTITIES

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def profile_json_schema() -> str:
    """The schema as JSON text.

    It knows keys, types and the catalogue's quantities. What holds between keys (overlaps, helpers that are named) only
    `leanmeter profiles lint` finds.
    """
    schema: dict[str, Any] = {"$schema": DIALECT} | ProfileText.model_json_schema(mode="validation")
    schema["title"] = "Leanmeter device profile"
    # A profile that is based on another inherits what it does not say.
    schema["anyOf"] = [{"required": ["based_on"]}, {"required": schema.pop("required")}]
    names = {"enum": sorted(QUANTITIES)}
    schema["properties"]["registers"]["propertyNames"] = names
    schema["$defs"]["LayoutText"]["properties"]["registers"]["propertyNames"] = names
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
