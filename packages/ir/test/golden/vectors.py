"""Works out the ids of the vectors in another language, from README.md alone. Prints what differs."""

import hashlib
import json
import pathlib
import sys

vectors = pathlib.Path(sys.argv[1])


def canonical(value):
    # Enough for definitions and trees: their keys are ASCII, and their numbers whole.
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def sha256(value):
    return hashlib.sha256(canonical(value).encode()).hexdigest()


def expect(name, actual, expected):
    if actual != expected:
        print(f"{name}: {actual} instead of {expected}")


for case in json.loads((vectors / "definitions.json").read_text()):
    resolved = case["resolved"]
    parent = None
    for operation, layer in zip([resolved["base"], *resolved["steps"]], case["layers"], strict=True):
        key = {"builderVersion": resolved["builderVersion"], "platform": resolved["platform"], "parent": parent, "operation": operation}
        expect(case["name"], canonical(key), layer["canonical"])
        parent = sha256(key)
        expect(case["name"], parent, layer["id"])
    expect(case["name"], parent, case["imageId"])

for case in json.loads((vectors / "trees.json").read_text()):
    entries = sorted(case["entries"], key=lambda entry: entry["path"].encode())
    expect(case["name"], f"sha256:{sha256(entries)}", case["digest"])
