"""The oracle of the conformance tests: the Python package `diffsync`, asked over standard input.

Each line is a request, a JSON document; each is answered by one line. A request describes the models of a data set and
the records of both sides:

    {"models": [{"name": "device", "identifiers": [["name", "String"]], "attributes": [["site", "String"]],
                 "parent": {"model": "site", "fields": ["site"]}}],
     "source": {"device": [{"name": "sw1", "site": "berlin"}]},
     "target": {"device": []}}

and may say how they are to be handled:

    "syncs"    how often the sync is repeated at most while its diff is not empty; 1 unless given
    "orphans"  "abort" (default): the loader looks every parent up, as loaders do; "keep": it skips the missing ones
    "failing"  the operations that fail: [["delete", "device", "sw1"]]

The answer holds the diff, its summary, what each sync did, the target's records after the last one, and the diff that
is left then; or the exception that ended it all, and in which step.

Everything here is used as its documentation says: models by `_identifiers`, `_attributes` and `_children`, records by
`Adapter.add` and `add_child`. Nothing of the package is patched.
"""

import json
import math
import sys
from typing import Any, List, Optional

import structlog
from diffsync import Adapter, DiffSyncModel
from diffsync.enum import DiffSyncFlags
from diffsync.exceptions import ObjectNotCreated, ObjectNotDeleted, ObjectNotFound, ObjectNotUpdated

# The types of a model's fields as they are written in Rust.
TYPES = {
    "String": str,
    "bool": bool,
    "i64": int,
    "u64": int,
    "f64": float,
    "Value": Any,
    "Vec<String>": List[str],
    "Option<String>": Optional[str],
    "Option<i64>": Optional[int],
    "Option<f64>": Optional[float],
}

# The messages of the package's own log that report an error. With `CONTINUE_ON_FAILURE` it reports them nowhere else.
LOGGED_ERRORS: List[str] = []


def note_error(_logger, _method, event):
    """Keep the message of an error, and print nothing."""
    LOGGED_ERRORS.append(event["event"])
    raise structlog.DropEvent


structlog.configure(processors=[note_error], wrapper_class=structlog.make_filtering_bound_logger(40))


class Record(DiffSyncModel):
    """A record that tells its adapter what is done with it, or fails to do it."""

    @classmethod
    def create(cls, adapter, ids, attrs):
        adapter.do("create", cls, ids, attrs, ObjectNotCreated)
        return super().create(adapter, ids, attrs)

    def update(self, attrs):
        self.adapter.do("update", type(self), self.get_identifiers(), attrs, ObjectNotUpdated)
        return super().update(attrs)

    def delete(self):
        self.adapter.do("delete", type(self), self.get_identifiers(), {}, ObjectNotDeleted)
        return super().delete()


class System(Adapter):
    """One side."""

    def __init__(self, failing):
        super().__init__()
        self.failing = failing
        self.operations = []

    def do(self, operation, model, ids, attrs, failure):
        if [operation, model.get_type(), model.create_unique_id(**ids)] in self.failing:
            raise failure(f"{operation} is made to fail")
        self.operations.append({"operation": operation, "model": model.get_type(), "ids": ids, "attrs": attrs})


def children_field(model):
    return f"{model}_children"


class Schema:
    """The classes of a data set's models, and of the adapters that hold them."""

    def __init__(self, models):
        self.models = models
        self.classes = {model["name"]: self.model_class(model) for model in models}
        # A model that nests in itself has its topmost records at the top.
        top = [m["name"] for m in models if m["parent"] is None or m["parent"]["model"] == m["name"]]
        self.system_class = type("SystemOfThese", (System,), {**self.classes, "top_level": top})

    def model_class(self, model):
        fields = dict(model["identifiers"] + model["attributes"])
        children = [m["name"] for m in self.models if m["parent"] and m["parent"]["model"] == model["name"]]
        body = {
            "__module__": __name__,
            "__annotations__": {name: TYPES[kind] for name, kind in fields.items()},
            "_modelname": model["name"],
            "_identifiers": tuple(name for name, _ in model["identifiers"]),
            "_attributes": tuple(name for name, _ in model["attributes"]),
            "_children": {child: children_field(child) for child in children},
        }
        for child in children:
            body["__annotations__"][children_field(child)] = List[str]
            body[children_field(child)] = []
        return type(model["name"], (Record,), body)

    def load(self, rows, orphans, failing):
        system = self.system_class(failing)
        for model in self.models:
            for row in rows[model["name"]]:
                system.add(self.classes[model["name"]](**row))
        for model in self.models:
            if model["parent"] is not None:
                for row, record in zip(rows[model["name"]], system.get_all(model["name"])):
                    self.attach(system, model["parent"], row, record, orphans)
        return system

    def attach(self, system, link, row, record, orphans):
        names = [row[field] for field in link["fields"]]
        if None in names:
            return
        try:
            parent = system.get(link["model"], "__".join(map(str, names)))
        except ObjectNotFound:
            if orphans == "keep":
                return
            raise
        parent.add_child(record)

    def contents(self, system):
        return {
            name: [{**record.get_identifiers(), **record.get_attrs()} for record in system.get_all(name)]
            for name in self.classes
        }


SCHEMAS = {}


def schema_of(models):
    """Making classes is slow, so those of a data set are made once."""
    key = json.dumps(models)
    if key not in SCHEMAS:
        SCHEMAS[key] = Schema(models)
    return SCHEMAS[key]


def answer(request):
    step = "load source"
    try:
        schema = schema_of(request["models"])
        orphans = request.get("orphans", "abort")
        source = schema.load(request["source"], orphans, [])
        step = "load target"
        target = schema.load(request["target"], orphans, request.get("failing", []))
        step = "diff"
        diff = target.diff_from(source)
        result = {"diff": diff.dict(), "summary": diff.summary(), "syncs": []}
        step = "sync"
        for _ in range(request.get("syncs", 1)):
            if not diff.has_diffs():
                break
            LOGGED_ERRORS.clear()
            target.operations.clear()
            target.sync_from(source, flags=DiffSyncFlags.CONTINUE_ON_FAILURE, diff=diff)
            result["syncs"].append({"operations": list(target.operations), "errors": list(LOGGED_ERRORS)})
            diff = target.diff_from(source)
        return {**result, "contents": schema.contents(target), "left": diff.dict()}
    except Exception as error:  # pylint: disable=broad-exception-caught
        return {"exception": type(error).__name__, "message": str(error), "step": step}


def writable(value):
    """JSON knows no NaN; it travels as text, and a field of a number's type reads it back."""
    if isinstance(value, float) and math.isnan(value):
        return "NaN"
    if isinstance(value, dict):
        return {key: writable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [writable(item) for item in value]
    return value


def main():
    # In bytes, so that only a line feed ends a line.
    for line in sys.stdin.buffer:
        text = json.dumps(writable(answer(json.loads(line))), allow_nan=False)
        sys.stdout.buffer.write(text.encode() + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
