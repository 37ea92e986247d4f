"""What shows an outsider that one entry is in the ledger, unchanged since it was sealed."""

from typing import Any

from ledger.errors import Conflict
from ledger.models import JournalEntry, Seal
from ledger.proof import VERSION, NotProved, check_proof, inclusion_path
from ledger.seals import contents, link_of, seal_fields
from ledger.services.reversals import EntryNotFound


class NotSealedYet(Conflict):
    code = "not_sealed_yet"

    def __init__(self, entry: JournalEntry) -> None:
        super().__init__(f"{entry} is not sealed yet; manage.py seal_ledger seals what is final.")


class NotWhatWasSealed(Conflict):
    code = "not_what_was_sealed"

    def __init__(self, entry: JournalEntry, problem: NotProved) -> None:
        super().__init__(
            f"There is no proof of {entry}: {problem} manage.py verify_ledger says more."
        )


def prove_entry(public_id: str) -> dict[str, Any]:
    """The proof of an entry, for `ledger/proof.py`: it, its path to the seal, and all seals since.

    Raises EntryNotFound, NotSealedYet, and NotWhatWasSealed if the proof would not hold.
    """
    entry = JournalEntry.objects.filter(public_id=public_id).first()
    if entry is None:
        raise EntryNotFound()
    seals = Seal.objects.defer("leaf_marks").order_by("number")
    seal = seals.filter(last_entry_id__gte=entry.pk).first()
    if seal is None:
        raise NotSealedYet(entry)
    before = link_of(seals.filter(number=seal.number - 1).first())
    block = list(contents(after=before.last_entry_id, up_to=seal.last_entry_id))
    index = next(at for at, content in enumerate(block) if content.id == entry.pk)
    leaves = [content.hash for content in block]
    proof = {
        "version": VERSION,
        "entry": block[index].fields,
        "index": index,
        "path": [node.hex() for node in inclusion_path(leaves, index)],
        "seal": seal_fields(seal),
        "later_seals": [
            seal_fields(later) for later in seals.filter(number__gt=seal.number).iterator()
        ],
    }
    try:
        check_proof(proof)
    except NotProved as problem:
        raise NotWhatWasSealed(entry, problem) from problem
    return proof
