#!/usr/bin/env python3
"""A job program: a diffsync host runs an adapter pair of the Python package `diffsync` with its history and its limits."""

import json
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
        COMMANDS.put(command)
        if command in ("stop", "cancel"):
            break
    STOPPED.set()  # the end of the input is the end of the host
    COMMANDS.put("stop")


class Sync(DiffSyncSyncer):
    seqs, counts = {}, {}  # positions by model and name; numbers by model and action

    def tell(self, diff, parent=None, depth=0):
        for element in diff.get_children():
            model = getattr(self.dst_diffsync, element.type)
            name, action = model.create_unique_id(**element.keys), element.action
            self.counts.setdefault(element.type, Counter())[action or "no_change"] += 1
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
        try:
            written = super().sync_model(src_model, dst_model, ids, attrs)[1]
            reason = None if written else "it was not written"
        except ObjectCrudException as error:
            written, reason = None, str(error)
        outcome = "failed" if reason else DONE[operation]
        self.outcomes[outcome] += 1
        say("record_done", at=now(), seq=self.seqs[model, name], model=model, record=name, operation=operation,
            outcome=outcome, reason=reason, url=None, object=None)
        return True, written


def run(request):
    dry_run, variables = request["dry_run"], request["variables"]
    say("run_started", stream=1, job=request["job"], dry_run=dry_run, at=now())
    source, target = SitesFile(variables["source"]), WrittenFile(variables["target"])
    step("load_source", source.load)
    if not dry_run:
        say("lock_target", resource="file://" + variables["target"])
        if COMMANDS.get() != "load":
            return "cancelled", Counter()
    step("load_target", target.load)
    diff = step("calculate_diff", target.diff_from, source)
    sync = Sync(diff, source, target, flags=DiffSyncFlags.NONE)
    sync.outcomes = Counter()
    sync.tell(diff)
    total = sum(sync.counts.values(), Counter())
    say("diff_ready", counts={"total": total, "models": [{"model": model, **of} for model, of in sync.counts.items()]})
    sync.outcomes["unchanged"] = total["no_change"]
    if not dry_run and COMMANDS.get() == "write":
        if step("execute_sync", sync.perform_sync):
            target.sync_complete(source, diff)
    rest = sum(total[operation] for operation in DONE) - sum(sync.outcomes.values()) + total["no_change"]
    sync.outcomes["not_attempted"] = rest
    status = "cancelled" if STOPPED.is_set() else "partial" if not dry_run and (rest or sync.outcomes["failed"]) else "completed"
    return status, sync.outcomes


if sys.argv[1:] == ["protocol", "describe"]:
    print(json.dumps({"protocol": 1, "program": {"name": "python_job", "version": "1"}, "jobs": [JOB]}), file=EVENTS)
elif sys.argv[1:] == ["protocol", "run"]:
    request = json.loads(sys.stdin.readline())
    threading.Thread(target=listen, daemon=True).start()
    try:
        status, counts = run(request)
        say("run_finished", status=status, error="the run was cancelled" if status == "cancelled" else None, counts=counts)
    except Exception as error:
        say("run_finished", status="failed", error=f"{type(error).__name__}: {error}")
        raise
