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
    "source_flags", "target_flags"  the flags of each record, in the order of the records: {"device": [["IGNORE"]]}
    "diff_flags"  the flags that the diff is calculated with: ["SKIP_UNMATCHED_SRC"]; none unless given
    "sync_flags"  the flags that it is carried out with; ["CONTINUE_ON_FAILURE"] unless given
    "insist"  whether to carry out a diff with nothing in it
    "listen"  whether to note of which records the log says that they do not change

The answer holds the diff, its summary, what becomes of every record that it compared, what each sync did, the target's
records after the last one, and the diff that is left then; or the exception that ended it all, in which step, and what
had been done by then.

Everything here is used as its documentation says: models by `_identifiers`, `_attributes` and `_children`, records by
`Adapter.add` and `add_child`. Nothing of the package is patched.
"""

import json
import math
import sys
from typing import Any, List, Optional

import structlog
from diffsync import Adapter, DiffSyncModel
from diffsync.enum import DiffSyncFlags, DiffSyncModelFlags
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

# The records of which it says in its log that there is nothing to do.
LOGGED_UNCHANGED: List[List[str]] = []


def note(_logger, method, event):
    """Keep what a sync says of a record, and print nothing."""
    if method == "error":
        LOGGED_ERRORS.append(event["event"])
    elif event["event"].startswith("No changes to apply"):
        LOGGED_UNCHANGED.append([event["model"], event["unique_id"]])
    raise structlog.DropEvent


# To listen to everything makes the package three times slower.
LISTENING = {everything: structlog.make_filtering_bound_logger(10 if everything else 40) for everything in (True, False)}


def listen(everything):
    structlog.configure(processors=[note], wrapper_class=LISTENING[everything])


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
        self.failed = []

    def do(self, operation, model, ids, attrs, failure):
        name = [operation, model.get_type(), model.create_unique_id(**ids)]
        if name in self.failing:
            self.failed.append(name)
            raise failure(f"{operation} is made to fail")
        self.operations.append({"operation": operation, "model": model.get_type(), "ids": ids, "attrs": attrs})


def flags_of(kind, names):
    flags = kind.NONE
    for name in names:
        flags |= kind[name]
    return flags


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

    def load(self, rows, flags, orphans, failing):
        system = self.system_class(failing)
        for model in self.models:
            for row in rows[model["name"]]:
                system.add(self.classes[model["name"]](**row))
            for names, record in zip(flags.get(model["name"], []), system.get_all(model["name"])):
                record.model_flags = flags_of(DiffSyncModelFlags, names)
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


def elements(diff):
    """Every record that was compared, and what is to be done with it."""
    for element in diff.get_children():
        yield [element.type, element.name, element.action]
        yield from elements(element)


def done(target):
    """What a sync has done, whether it came to its end or not."""
    return {
        "operations": list(target.operations),
        "failed": list(target.failed),
        "errors": list(LOGGED_ERRORS),
        "unchanged": list(LOGGED_UNCHANGED),
    }


def answer(request):
    step = "load source"
    target = None
    listen(request.get("listen", False))
    try:
        schema = schema_of(request["models"])
        orphans = request.get("orphans", "abort")
        source = schema.load(request["source"], request.get("source_flags", {}), orphans, [])
        step = "load target"
        failing = request.get("failing", [])
        target = schema.load(request["target"], request.get("target_flags", {}), orphans, failing)
        step = "diff"
        diff_flags = flags_of(DiffSyncFlags, request.get("diff_flags", []))
        sync_flags = flags_of(DiffSyncFlags, request.get("sync_flags", ["CONTINUE_ON_FAILURE"]))
        diff = target.diff_from(source, flags=diff_flags)
        result = {"diff": diff.dict(), "summary": diff.summary(), "elements": list(elements(diff)), "syncs": []}
        step = "sync"
        for sync in range(request.get("syncs", 1)):
            # Of sides that are equal it has something to say, too.
            insists = sync == 0 and (request.get("insist", False) or request.get("listen", False) and len(diff) > 0)
            if not diff.has_diffs() and not insists:
                break
            for noted in (LOGGED_ERRORS, LOGGED_UNCHANGED, target.operations, target.failed):
                noted.clear()
            target.sync_from(source, flags=sync_flags, diff=diff)
            result["syncs"].append(done(target))
            diff = target.diff_from(source, flags=diff_flags)
        return {**result, "contents": schema.contents(target), "left": diff.dict()}
    except Exception as error:  # pylint: disable=broad-exception-caught
        ended = {"exception": type(error).__name__, "message": str(error), "step": step}
        return {**ended, "done": done(target), "contents": schema.contents(target)} if step == "sync" else ended


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
