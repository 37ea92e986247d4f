"""`python -m benchmarks`: run them all and print one line each."""

from benchmarks.database import own_database


def main() -> None:
    with own_database():
        from benchmarks import posting, reconciliation

        posting.run()
        reconciliation.run()


if __name__ == "__main__":
    main()
