"""How long the steps of a run took, and how many records it wrote: reads the report of `run … --output json`."""
import json
import sys

report = json.load(sys.stdin)
if report["status"] != "completed":
    sys.exit(f"the run ended as {report['status']}: {report['error']} {report['failures'][:3]} {report['problems'][:3]}")
took = {step["step"]: step["duration_seconds"] for step in report["steps"]}
for model in report["summary"]["models"]:
    done = {what: count for what, count in model.items() if what in ("create", "update", "delete", "no_change") and count}
    if done:
        print(f"  {model['model']:<20} " + ", ".join(f"{what} {count}" for what, count in done.items()))
total = report["summary"]["total"]
written = total["create"] + total["update"] + total["delete"]
for step, seconds in took.items():
    print(f"  {step.replace('_', ' '):<15} {seconds:9.2f} s")
if written and took.get("execute_sync"):
    print(f"  {written} records written, {written / took['execute_sync']:.1f} a second")
