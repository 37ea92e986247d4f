"""Replays a chain of seals against the records there are, and names what does not fit."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from ledger.models import ChainedSeal
from ledger.proof import merkle_root, seal_hash
from ledger.seals import MARK_BYTES, Chain, Leaf, Link, link_of, seal_fields

SEALS_PER_PAGE = 50


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is not as it was posted or sealed.

    `subject` is an entry's public id (`#id` if it has none), an account's code, an audit event or a
    seal. Problems of entries also have the entry's id, and come first and in its order.
    """

    check: str
    subject: str
    message: str
    entry_id: int | None = None


def replay_seals(chain: Chain, after: Link, *, up_to: int) -> Iterator[Problem]:
    """What is wrong with seals after this link, up to and including number `up_to`."""
    previous = after
    while seals := _seals_after(chain, previous, up_to):
        for seal in seals:
            if seal.number != previous.number + 1:
                yield _of(seal, f"Seal {previous.number + 1} is missing before it.")
            elif bytes(seal.previous_hash).hex() != previous.hash:
                yield _of(seal, "It does not follow from the seal before.")
            if seal_hash(seal_fields(seal), chain.purpose) != bytes(seal.hash).hex():
                yield _of(seal, "Its hash is not that of what it says.")
            yield from _replay_block(chain, seal, previous)
            previous = link_of(seal)


def _seals_after(chain: Chain, link: Link, up_to: int) -> list[ChainedSeal]:
    # By pages, because a cursor kept open for minutes would keep the database from cleaning up.
    seals = chain.seals._default_manager.filter(number__gt=link.number, number__lte=up_to)
    return list(seals.order_by("number")[:SEALS_PER_PAGE])


def _replay_block(chain: Chain, seal: ChainedSeal, previous: Link) -> Iterator[Problem]:
    # Whatever stands between two seals counts as part of the later block, where it is not known.
    is_next = seal.number == previous.number + 1
    after = previous.last_entry_id if is_next else seal.first_entry_id - 1
    # One entry more than sealed is enough to see that there are too many.
    contents = chain.contents(after=after, up_to=seal.last_entry_id)
    block = list(islice(contents, seal.entry_count + 1))
    leaves = [content.hash for content in block]
    if len(block) == seal.entry_count and block and merkle_root(leaves) == bytes(seal.merkle_root):
        ends = block[0].id, block[-1].id
        if ends != (seal.first_entry_id, seal.last_entry_id):
            yield _of(seal, f"It names other entries than its first and last, {ends}.")
        return
    yield _first_bad_entry(chain, seal, after, block, leaves)


def _first_bad_entry(
    chain: Chain, seal: ChainedSeal, after: int, block: list[Leaf], leaves: list[bytes]
) -> Problem:
    """The entry because of which the block has another root than its seal."""
    text = bytes(seal.leaf_marks)
    sealed = [text[at : at + MARK_BYTES] for at in range(0, len(text), MARK_BYTES)]
    marks = [leaf[:MARK_BYTES] for leaf in leaves]
    pairs = enumerate(zip(marks, sealed, strict=False))
    place = next((at for at, (now, then) in pairs if now != then), min(len(marks), len(sealed)))
    is_gone = place < len(sealed) and sealed[place] not in set(marks)
    is_new = place < len(marks) and marks[place] not in set(sealed)
    if is_new:
        bad = block[place]
        message = "It is not what was sealed." if is_gone else "It was inserted after sealing."
        return Problem("seal", bad.public_id, f"{message} ({seal})", bad.id)
    if is_gone:
        return _missing_entry(chain, seal, after, block, place)
    changed = changed_entry(chain, after=after, up_to=seal.last_entry_id)
    if changed is not None:
        return Problem("seal", changed.public_id, "It is not what was sealed.", changed.id)
    return _of(seal, "Its root is not that of its entries, and its marks do not say which.")


def _missing_entry(
    chain: Chain, seal: ChainedSeal, after: int, block: list[Leaf], place: int
) -> Problem:
    low = (block[place - 1].id if place else max(after, seal.first_entry_id - 1)) + 1
    high = block[place].id - 1 if place < len(block) else seal.last_entry_id
    which = chain.noun + (f"#{low}" if low == high else f"#{low}..#{high}")
    return Problem("seal", which, f"An entry sealed there is gone. ({seal})", low)


def changed_entry(chain: Chain, *, after: int, up_to: int) -> Leaf | None:
    """The first entry there that does not give the fingerprint stored with it."""
    return next(
        (leaf for leaf in chain.contents(after=after, up_to=up_to) if not leaf.is_as_asked),
        None,
    )


def _of(seal: ChainedSeal, message: str) -> Problem:
    return Problem("seal", str(seal), message)
