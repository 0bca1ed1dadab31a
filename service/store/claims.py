"""Which job is claimed next: first one whose lease ran out, then one of the queue, fairly between workspaces.

The turn is the workspace's, of those with a queued job, that has the fewest jobs running; of equals, the one
whose last claim is the longest ago. Within it the greatest priority goes first, then the oldest job.
Claimers take turns, since each has to see what the one before it took; a row that somebody else holds (who
cancels it, say) is passed over.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select, text
from sqlalchemy.orm import aliased

from service.store.tables import Job, Workspace
from service.store.transaction import Transaction

HELD = ("running", "cancelling")
"""States in which a job belongs to the dispatcher with its lease."""
CLAIM_LOCK = 0x62697463  # "bitc": another number than that of the migrations


def take_turns(transaction: Transaction) -> None:
    """Make this transaction the only one that claims. SQLite's writing transactions are alone already."""
    session = transaction.write()
    if not transaction.sqlite:
        session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": CLAIM_LOCK})


def anything(now: datetime) -> Select[bool]:
    """Whether there is a job to claim: asked first, since most who ask find nothing and need not wait."""
    return select(or_(exists().where(Job.state == "queued"), exists().where(_ran_out(now))))


def abandoned(now: datetime) -> Select[Job]:
    """Of the jobs whose dispatchers no longer renew their leases, the one whose lease ran out first."""
    query = select(Job).where(_ran_out(now)).order_by(Job.lease_expires_at, Job.seq).limit(1)
    return query.with_for_update(skip_locked=True, of=Job).execution_options(populate_existing=True)


def next_queued() -> Select[Job]:
    """The queued job whose turn it is, in one statement over an index from end to end."""
    turn = select(_turn().cte("turn").c.id).scalar_subquery()
    other = aliased(Job)
    first = select(func.max(other.priority)).where(other.workspace_id == turn, other.state == "queued")
    query = (
        select(Job)
        .where(Job.workspace_id == turn, Job.state == "queued", Job.priority == first.scalar_subquery())
        .order_by(Job.seq)
        .limit(1)
    )
    return query.with_for_update(skip_locked=True, of=Job).execution_options(populate_existing=True)


def _turn() -> Select[str]:
    """The workspace whose turn it is.

    Whether one has a queued job is asked by looking for one: PostgreSQL makes of EXISTS a join that reads
    every queued job.
    """
    held, waiting = aliased(Job), aliased(Job)
    running = select(func.count()).where(held.workspace_id == Workspace.id, held.state.in_(HELD))
    one = (
        select(waiting.seq)
        .where(waiting.workspace_id == Workspace.id, waiting.state == "queued")
        .order_by(waiting.priority, waiting.seq)
        .limit(1)
    )
    return (
        select(Workspace.id)
        .where(one.scalar_subquery().is_not(None))
        .order_by(running.scalar_subquery(), Workspace.last_claimed_at.nulls_first(), Workspace.id)
        .limit(1)
    )


def _ran_out(now: datetime) -> ColumnElement[bool]:
    return and_(Job.lease_expires_at <= now, Job.state.in_(HELD))
