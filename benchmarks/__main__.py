"""Measures, prints, and says whether the gates are reached."""

import argparse
import subprocess
import sys
import tempfile
from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from .cases import CASES, Case
from .measuring import MIB, Plan, Sample, measure, measure_fairness, middle, save_answer
from .servers import (
    BARE,
    PEERS,
    SHIPPED,
    WIRE,
    CannotRun,
    Kind,
    Running,
    answer_of,
    build,
    cores,
    floor,
    machine,
)

# Of the floor's requests per processor-second, for GET /hello.
GATES = {"shipped": 0.42, "bare": 0.50}
WIRE_GATE = 2.0
"""What recording may make of the processor time of GET /hello, as a multiple."""

FAIR_P99_US = 20_000
FAIR_GROWTH_BYTES = 2 * MIB

FULL = Plan(rounds=5, seconds=2.0, warm_seconds=0.5, connections=64)
QUICK = Plan(rounds=3, seconds=0.7, warm_seconds=0.3, connections=64)

Samples = dict[str, list[Sample]]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="short runs: about a minute in all")
    parser.add_argument("--rounds", type=int, help="runs of each server, taken in turn")
    parser.add_argument("--seconds", type=float, help="length of one run")
    parser.add_argument("--connections", type=int, help="kept-alive connections (default 64)")
    parser.add_argument(
        "--cases", default=",".join(case.name for case in CASES), help="default: %(default)s"
    )
    parser.add_argument(
        "--servers",
        default=",".join(["shipped", "bare", "wire", *(kind.name for kind in PEERS)]),
        help="default: %(default)s, those that are installed; the floor is always measured",
    )
    parser.add_argument("--peers", action="store_true", help="complain about peers not installed")
    parser.add_argument("--no-fairness", action="store_true", help="leave out the hostile pipeline")
    parser.add_argument("--no-path", action="store_true", help="leave out the path in memory")
    parser.add_argument(
        "--check", action="store_true", help="exit with status 1 when a gate is missed"
    )
    return parser.parse_args()


def plan_of(given: argparse.Namespace) -> Plan:
    base = QUICK if given.quick else FULL
    return Plan(
        rounds=given.rounds or base.rounds,
        seconds=given.seconds or base.seconds,
        warm_seconds=base.warm_seconds,
        connections=given.connections or base.connections,
    )


def start_all(kinds: list[Kind], stack: ExitStack, folder: Path) -> list[Running]:
    """Start every server of `kinds`; one that does not start is named and left out."""
    core, _ = cores()
    started = []
    for kind in kinds:
        try:
            started.append(stack.enter_context(Running(kind, core, folder)))
        except CannotRun as error:
            print(f"  left out: {error}")
    return started


def measure_case(case: Case, servers: list[Running], plan: Plan, folder: Path) -> Samples:
    """Measure `case` on the floor and every server, one after the other, `plan.rounds` times over.

    Taking them in turn spreads what else the machine does over all of them.
    """
    servers = [running for running in servers if case.name not in running.kind.skips]
    answer = save_answer(folder, case, answer_of(servers[0], case.request))
    samples: Samples = defaultdict(list)
    with Running(floor(answer, len(case.request)), cores()[0], folder) as lowest:
        for _ in range(plan.rounds):
            for running in [lowest, *servers]:
                try:
                    samples[running.kind.name].append(measure(running, case, plan))
                except CannotRun as error:
                    print(f"  left out: {error}")
    return samples


def print_case(case: Case, samples: Samples, titles: dict[str, str]) -> None:
    print(f"\n{case.title}")
    print(
        f"  {'':36} {'requests/s':>10} {'user µs':>8} {'sys µs':>7} {'both':>7} {'of floor':>9} {'p99 ms':>7}"
    )
    lowest = middle(samples["floor"])
    for name, title in titles.items():
        if name not in samples:
            continue
        seen = middle(samples[name])
        print(
            f"  {title:36} {seen.per_second:10,.0f} {seen.user_us:8.2f} {seen.sys_us:7.2f}"
            f" {seen.total_us:7.2f} {lowest.total_us / seen.total_us:9.2f} {seen.p99_us / 1000:7.1f}"
        )


def print_gates(samples: Samples) -> bool:
    """Say for each gate of GET /hello whether it is reached, and by how much the rounds differ."""
    all_reached = True
    for name, gate in GATES.items():
        if name not in samples:
            continue
        ratios = [
            lowest.total_us / ours.total_us
            for lowest, ours in zip(samples["floor"], samples[name], strict=True)
        ]
        reached = median(ratios) >= gate
        all_reached &= reached
        print(
            f"  {name:8} {median(ratios):.2f} of the floor (rounds {min(ratios):.2f} to {max(ratios):.2f}),"
            f" gate {gate:.2f}: {'reached' if reached else 'MISSED'}"
        )
    return all_reached & print_recording(samples)


def print_recording(samples: Samples) -> bool:
    """Say what recording costs, beside the server as it is shipped, and whether the gate is reached."""
    if not {"shipped", "wire"} <= samples.keys():
        return True
    ratios = [
        on.total_us / off.total_us
        for off, on in zip(samples["shipped"], samples["wire"], strict=True)
    ]
    reached = median(ratios) <= WIRE_GATE
    print(
        f"  wire     {median(ratios):.2f} times what is shipped (rounds {min(ratios):.2f} to {max(ratios):.2f}),"
        f" gate {WIRE_GATE:.2f}: {'reached' if reached else 'MISSED'}"
    )
    return reached


def print_fairness(running: Running, request: bytes, seconds: float) -> bool:
    """Measure the hostile pipeline, and say whether its gate is reached."""
    seen = measure_fairness(running, request, seconds)
    reached = seen.p99_us <= FAIR_P99_US and seen.grown_bytes <= FAIR_GROWTH_BYTES
    print("\nOne connection pipelines 200 KB of requests without pause; another asks and waits")
    print(
        f"  {running.kind.title}: the other's p50 {seen.p50_us / 1000:.1f} ms, p99 {seen.p99_us / 1000:.1f} ms,"
        f" slowest {seen.slowest_us / 1000:.1f} ms; memory +{seen.grown_bytes / MIB:.1f} MiB;"
        f" the pipeline got {seen.flooded_per_second:,.0f} answers/s"
    )
    print(f"  gate p99 20 ms and +2 MiB: {'reached' if reached else 'MISSED'}")
    return reached


def chosen(given: argparse.Namespace) -> tuple[list[Case], list[Kind]]:
    """The cases and servers asked for, in the order of the tables."""
    cases = [case for case in CASES if case.name in given.cases.split(",")]
    kinds = [
        kind for kind in [SHIPPED, BARE, WIRE, *PEERS] if kind.name in given.servers.split(",")
    ]
    if not cases or not kinds:
        raise CannotRun("no such case, or no such server; see --help")
    missing = [kind for kind in kinds if not kind.installed()]
    if given.peers and missing:
        print("not installed:", ", ".join(kind.title for kind in missing))
    return cases, [kind for kind in kinds if kind not in missing]


def run(given: argparse.Namespace) -> bool:
    """Measure everything asked for; whether every gate is reached."""
    plan = plan_of(given)
    build("floor")
    build("load")
    cases, kinds = chosen(given)
    server_core, load_core = cores()
    print(machine())
    print(
        f"server on core {server_core}, load on core {load_core}, {plan.connections} connections kept alive;"
        f" median of {plan.rounds} runs of {plan.seconds} s; processor time per request is the server's own"
    )
    all_reached = True
    titles = {kind.name: kind.title for kind in [*kinds, floor(Path(), 0)]}
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        servers = start_all(kinds, stack, folder)
        if not servers:
            raise CannotRun("no server to measure")
        for case in cases:
            samples = measure_case(case, servers, plan, folder)
            print_case(case, samples, titles)
            if case.name == "hello":
                all_reached &= print_gates(samples)
        if servers[0].kind is SHIPPED and not given.no_fairness:
            all_reached &= print_fairness(servers[0], CASES[0].request, max(2.0, plan.seconds))
    if not given.no_path:
        print("\nThe Python path alone, in memory, without socket or log", flush=True)
        subprocess.run([sys.executable, "-m", "benchmarks.path"], check=False)
    return all_reached


def main() -> int:
    given = arguments()
    try:
        reached = run(given)
    except CannotRun as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return 1 if given.check and not reached else 0


if __name__ == "__main__":
    sys.exit(main())
