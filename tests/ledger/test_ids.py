"""Public ids are never given twice, whoever makes them."""

import os
from concurrent.futures import ThreadPoolExecutor

from ledger.ids import new_id, new_ids


def test_ids_of_many_threads_are_all_different() -> None:
    with ThreadPoolExecutor(8) as threads:
        made = [
            name for names in threads.map(lambda _: new_ids("x", 500), range(40)) for name in names
        ]

    assert len(set(made)) == 20_000


def test_child_gives_other_ids_than_its_parent() -> None:
    new_id("x")
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.write(writing, random_part(new_id("x")).encode())
        os._exit(0)
    os.waitpid(child, 0)

    assert os.read(reading, 100).decode() != random_part(new_id("x"))
    os.close(reading)
    os.close(writing)


def random_part(public_id: str) -> str:
    return public_id[-15:]


def test_more_ids_at_once_than_are_fetched_at_once_are_all_different() -> None:
    made = new_ids("x", 3_000)

    assert len(set(made)) == 3_000
    assert {len(name) for name in made} == {34}
