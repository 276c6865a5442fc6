"""The graph's functions and the gateway's routing table alone, against the work done naively: the whole instead of what changed."""

import os
import subprocess

OVERLAYS = int(os.environ.get("BENCH_OVERLAYS", 100_000))
FEW, MANY = "1000 overlays ", f"{OVERLAYS} overlays "
CONTRACTS = {"contract of 1,000 operations": "of our own making, 1,000 operations", "largest contract": "other people's, named by `BENCH_OPENAPI`"}


def measure(tell):
    program = os.environ["GRAPH_BENCH"]
    tell(f"graph: {OVERLAYS} overlays")
    values = {}
    for line in subprocess.run([program], check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines():
        name, _, value = line.rpartition(": ")
        values[name] = float(value)
        tell(f"  {name}: {float(value):,.3f}")
    return values


def times(number):
    return f"{number:,.0f}" if number >= 20 else f"{number:.1f}"


def table(values):
    def row(what, wanted, name, form, naive=None, how=""):
        told = form.format(values[name])
        if naive is None:
            return [what, wanted, told, "", ""]
        return [what, wanted, told, f"{form.format(values[naive])} ({how})", times(values[naive] / values[name])]

    rows = [
        ["what", "wanted", "measured", "naively", "naively / measured"],
        row("an overlay of 3 changes on 200 services: read, composed, compared, planned", "under 5 ms", "plan ms", "{:.2f} ms",
            "plan naive ms", "all 200 read, compared as text, planned"),
        row(f"routing table of {OVERLAYS:,} overlays on 200 services: built", "under 2 s", MANY + "built ms", "{:,.0f} ms"),
        row("its memory", "under 200 MB", MANY + "compiled MB", "{:,.0f} MB"),
        row("the table that it was told, beside it", "", MANY + "told MB", "{:,.0f} MB"),
        row("one overlay added", "under 1 ms", MANY + "added ms", "{:.3f} ms", MANY + "recompiled ms", "compiled whole"),
        row("the slowest of 200", "", MANY + "added most ms", "{:.3f} ms"),
        row("one overlay removed", "under 1 ms", MANY + "removed ms", "{:.3f} ms", MANY + "recompiled ms", "compiled whole"),
        row("one lookup, 1,000 of the overlays called in turn", "under 150 ns", MANY + "busy lookup ns", "{:.0f} ns"),
        row("one lookup, 65,536 of them called in turn: every one waits for memory", "under 150 ns", MANY + "lookup ns", "{:.0f} ns"),
        row("the same after 400 changes", "", MANY + "lookup after changes ns", "{:.0f} ns"),
        row("one lookup in a table of 1,000 overlays", "", FEW + "lookup ns", "{:.0f} ns"),
    ]
    if "siblings ms" in values:
        rows.append(row("one new overlay against 10,000 siblings: conflicts", "under 20 ms", "siblings ms", "{:.2f} ms",
                        "siblings naive ms", "every pair of overlays"))
    for name, what in CONTRACTS.items():
        if name + " MB" in values:
            size = f"{values[name + ' MB']:.1f} MB"
            rows.append(row(f"OpenAPI document of {size} ({what}): read", "under 2 s", name + " read ms", "{:,.0f} ms"))
            rows.append(row("the same, compared with itself", "", name + " compared ms", "{:,.0f} ms"))
    return rows


def section(header, rows):
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    text = "\n".join([lines[0], "|" + "---|" * len(rows[0]), *lines[1:]])
    return f"""## Graph

{header}

{text}

One thread, release build; times are processor time of that thread, so that who else runs matters less. Each overlay of the routing table changes one service; a lookup goes from a context by way of its
overlay to the copy that answers, in an order that no cache foresees, half of the time for a service that is inherited.
Memory is what the process has grown by. Adding is making the next table: the gateway's own file, and the event loops' taking
it, are not in it.

To repeat: `BENCH_ONLY=graph make bench`."""
