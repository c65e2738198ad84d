"""Reads JSON texts off stdin by the harness, and tells what each means and how it is written again."""

import datetime
import importlib.util
import json
import sys

specification = importlib.util.spec_from_file_location("harness", sys.argv[1])
harness = importlib.util.module_from_spec(specification)
specification.loader.exec_module(harness)

FLOATS = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity", "-0.0": "-0"}


def meaning(value):
    if value is None:
        return {"null": True}
    if isinstance(value, bool):
        return {"bool": value}
    if isinstance(value, int):
        return {"int" if abs(value) < 2**53 else "bigint": str(value)}
    if isinstance(value, float):
        return {"float": FLOATS.get(str(value), str(value))}
    if isinstance(value, str):
        return {"string": value}
    if isinstance(value, bytes):
        return {"bytes": list(value)}
    if isinstance(value, datetime.datetime):
        return {"date": round(value.timestamp() * 1000)}
    if isinstance(value, list):
        return {"list": [meaning(item) for item in value]}
    return {"object": [[key, meaning(item)] for key, item in value.items()]}


def told(text):
    value = harness.read_json(text)
    return {"means": meaning(value), "again": harness.write_json(value).decode()}


json.dump([told(text) for text in json.load(sys.stdin)], sys.stdout)
