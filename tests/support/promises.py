"""Says what customers commit to and sellers promise, and what came of it."""

from datetime import date

from domain.events.customer import (
    CommitmentBroken,
    CommitmentKept,
    CommitmentRenegotiated,
    CommitmentWithdrawn,
    CustomerCommitmentRecorded,
    SellerPromiseBroken,
    SellerPromiseKept,
    SellerPromiseMade,
)


def commits(
    name: str,
    level: int = 3,
    *,
    due: str | None = None,
    role: str | None = None,
    by: str | None = None,
) -> CustomerCommitmentRecorded:
    """The customer says that it will do something."""
    return CustomerCommitmentRecorded(
        commitment_id=name,
        what=f"They do {name}",
        kind="action",
        level=level,
        due=date.fromisoformat(due) if due else None,
        role=role,
        by=by,
    )


def keeps(name: str) -> CommitmentKept:
    return CommitmentKept(commitment_id=name)


def breaks(name: str) -> CommitmentBroken:
    return CommitmentBroken(commitment_id=name)


def withdraws(name: str) -> CommitmentWithdrawn:
    return CommitmentWithdrawn(commitment_id=name)


def moves_to(name: str, due: str) -> CommitmentRenegotiated:
    """The customer still means it, by another day."""
    return CommitmentRenegotiated(commitment_id=name, due=date.fromisoformat(due))


def promises(name: str, *, due: str | None = None) -> SellerPromiseMade:
    """The seller says that it will do something."""
    return SellerPromiseMade(
        promise_id=name, what=f"We do {name}", due=date.fromisoformat(due) if due else None
    )


def keeps_promise(name: str) -> SellerPromiseKept:
    return SellerPromiseKept(promise_id=name)


def breaks_promise(name: str) -> SellerPromiseBroken:
    return SellerPromiseBroken(promise_id=name)
