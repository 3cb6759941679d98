#!/usr/bin/env python3
"""A job program: a diffsync host runs an adapter pair of the Python package `diffsync` with its history and its limits."""

import json
import os
import queue
import sys
import threading
import time
from collections import Counter
from datetime import datetime, timezone

from diffsync.enum import DiffSyncFlags
from diffsync.exceptions import ObjectCrudException
from diffsync.helpers import DiffSyncSyncer
from site_adapters import SitesFile, WrittenFile

JOB = {"id": "python-sites", "name": "Sites from Python", "source_label": "Sites file", "target_label": "Inventory file",
       "models": ["site", "device"], "max_deletes": "40%",
       "variables": [{"name": name, "kind": "path", "required": True, "help": help}
                     for name, help in [("source", "The file of sites"), ("target", "The file to be written")]]}
EVENTS, sys.stdout = sys.stdout, sys.stderr  # what adapters print is no event
COMMANDS, STOPPED = queue.Queue(), threading.Event()
DONE = {"create": "created", "update": "updated", "delete": "deleted"}


def say(event, **keys):
    print(json.dumps({"event": event, **keys}), file=EVENTS, flush=True)


def now():
    return datetime.now(timezone.utc).isoformat()


def step(name, work, *arguments):
    say("step_started", step=name)
    begun = time.monotonic()
    result = work(*arguments)
    say("step_finished", step=name, seconds=time.monotonic() - begun, memory=None)
    return result


def listen():
    for line in sys.stdin:
        command = json.loads(line)["command"]
        if command in ("stop", "cancel"):
            break
        COMMANDS.put(command)
    STOPPED.set()  # the end of the input is the end of the host
    COMMANDS.put("stop")


class Sync(DiffSyncSyncer):
    seqs, planned, done = {}, {}, []  # positions by model and name; numbers by model and action; what was done

    def tell(self, diff, parent=None, depth=0):
        for element in diff.get_children():
            model = getattr(self.dst_diffsync, element.type)
            name, action = model.create_unique_id(**element.keys), element.action
            self.planned.setdefault(element.type, Counter())[action or "no_change"] += 1
            seq = None
            if element.has_diffs():
                seq = self.seqs[element.type, name] = len(self.seqs)
                say("change", seq=seq, parent=parent, depth=depth, model=element.type, record=name, action=action,
                    changes=element.get_attrs_diffs() if action else None, held=None)
            self.tell(element.child_diff, seq, depth + 1)

    def sync_model(self, src_model, dst_model, ids, attrs):
        model, name, operation = self.model_class.get_type(), self.model_class.create_unique_id(**ids), self.action
        if operation is None or STOPPED.is_set():
            return False, dst_model if operation is None else None
        written, outcome, reason = None, "unknown", None
        try:
            written = super().sync_model(src_model, dst_model, ids, attrs)[1]
            outcome, reason = (DONE[operation], None) if written else ("failed", "it was not written")
        except ObjectCrudException as error:
            outcome, reason = "failed", str(error)
        finally:
            self.done.append({"at": now(), "seq": self.seqs[model, name], "model": model, "record": name,
                              "operation": operation, "outcome": outcome, "reason": reason, "url": None, "object": None})
        return True, written

    def write(self, counts):
        lost = "the run ended before its target was complete"
        try:
            if self.perform_sync():
                self.dst_diffsync.sync_complete(self.src_diffsync, self.diff)
            lost = None
        finally:  # told only now, since adapters may write in `sync_complete`
            for record in self.done:
                if lost and record["outcome"] != "failed":
                    record.update(outcome="unknown", reason=lost)
                counts.update({record["outcome"]: 1, "not_attempted": -1})
                say("record_done", **record)


def run(request, counts):
    dry_run, variables = request["dry_run"], request["variables"]
    say("run_started", stream=1, job=request["job"], dry_run=dry_run, at=now())
    if request["protocol"] != 1:
        raise ValueError(f"the host speaks version {request['protocol']} of the protocol, and this program version 1")
    if request.get("options"):
        raise ValueError(f"options that this program does not know: {', '.join(request['options'])}")
    source, target = SitesFile(variables["source"]), WrittenFile(variables["target"])
    step("load_source", source.load)
    if not dry_run:
        say("lock_target", resource="file://" + os.path.realpath(variables["target"]))
        if COMMANDS.get() != "load":
            return "cancelled"
    step("load_target", target.load)
    diff = step("calculate_diff", target.diff_from, source)
    sync = Sync(diff, source, target, flags=DiffSyncFlags.NONE)
    sync.tell(diff)
    total = sum(sync.planned.values(), Counter())
    say("diff_ready", counts={"total": total, "models": [{"model": model, **of} for model, of in sync.planned.items()]})
    counts.update(unchanged=total["no_change"], not_attempted=sum(total[operation] for operation in DONE))
    if not dry_run and COMMANDS.get() == "write":
        step("execute_sync", sync.write, counts)
    if STOPPED.is_set() and counts["not_attempted"]:
        return "cancelled"
    return "partial" if not dry_run and (counts["not_attempted"] or counts["failed"]) else "completed"


if sys.argv[1:] == ["protocol", "describe"]:
    print(json.dumps({"protocol": 1, "program": {"name": "python_job", "version": "1"}, "jobs": [JOB]}), file=EVENTS)
elif sys.argv[1:] == ["protocol", "run"]:
    request = json.loads(sys.stdin.readline())
    threading.Thread(target=listen, daemon=True).start()
    counts = Counter()
    try:
        status = run(request, counts)
        say("run_finished", status=status, error="the run was cancelled" if status == "cancelled" else None, counts=counts)
    except Exception as error:
        say("run_finished", status="failed", error=f"{type(error).__name__}: {error}", counts=counts)
        raise
