"""`python -m benchmarks`: run them all, or those named, and print what they found."""

import argparse
from collections.abc import Callable

from benchmarks.database import own_database, own_server
from benchmarks.table import Table


def main() -> None:
    options = _options()
    with own_server():
        from benchmarks.machine import described

        for part in options.parts or PARTS:
            with own_database():
                for table in PARTS[part](options):
                    print(table.as_markdown() if options.markdown else table.as_text(), end="\n\n")
        print(described())


def measure_ledger(options: argparse.Namespace) -> list[Table]:
    from benchmarks import contenders, growth, posting, writers

    effort = writers.Effort(options.seconds, options.rounds)
    contenders.open_accounts()
    with writers.writers() as pool:
        tables = posting.run(pool, effort)
        if options.growth:
            tables += growth.run(pool, effort)
    return tables


def measure_reading(options: argparse.Namespace) -> list[Table]:
    from benchmarks import reading

    return reading.run(has_plans=options.plans)


def measure_http(options: argparse.Namespace) -> list[Table]:
    from benchmarks import http, writers

    return http.run(writers.Effort(max(options.seconds, 1.0), options.rounds))


def measure_engine(options: argparse.Namespace) -> list[Table]:
    from benchmarks import engine

    return engine.run(options.rounds)


def measure_reconciliation(options: argparse.Namespace) -> list[Table]:
    from benchmarks import reconciliation

    return reconciliation.run(options.rows, has_growth=options.growth)


def measure_settlement(_: argparse.Namespace) -> list[Table]:
    from benchmarks import settlement

    return settlement.run()


def measure_webhooks(options: argparse.Namespace) -> list[Table]:
    from benchmarks import webhooks

    return webhooks.run(options.rounds)


def measure_statements(options: argparse.Namespace) -> list[Table]:
    from benchmarks import statements

    return statements.run(options.rows)


PARTS: dict[str, Callable[[argparse.Namespace], list[Table]]] = {
    "ledger": measure_ledger,
    "reading": measure_reading,
    "http": measure_http,
    "engine": measure_engine,
    "webhooks": measure_webhooks,
    "settlement": measure_settlement,
    "statements": measure_statements,
    "reconciliation": measure_reconciliation,
}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="part", help=f"of: {', '.join(PARTS)}")
    parser.add_argument(
        "--rows",
        type=int,
        default=200_000,
        help="of the files that statements and reconciliation load (200000)",
    )
    parser.add_argument(
        "--growth",
        action="store_true",
        help="the ledger on 10,000,000 postings; reconciliation from 10,000 to 2,000,000 lines",
    )
    parser.add_argument("--plans", action="store_true", help="how reads find their rows")
    parser.add_argument("--markdown", action="store_true", help="print tables to paste")
    parser.add_argument("--seconds", type=float, default=1.0, help="that a measurement takes")
    parser.add_argument("--rounds", type=int, default=5, help="that medians are taken of")
    options = parser.parse_args()
    if unknown := set(options.parts) - PARTS.keys():
        parser.error(f"no such part: {', '.join(unknown)}")
    return options


if __name__ == "__main__":
    main()
