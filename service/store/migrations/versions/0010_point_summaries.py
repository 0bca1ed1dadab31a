"""A narrow row for each point, and the bounds of each job's metrics, so that reads of many points are quick.

What is stored is brought along: costs in the scope that its job shows, and the mean bits of its layers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

SEQ = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)
METRICS = ("bit_budget", "s_ace", "ns_ace", "weight_kib", "spike_kib", "sops", "cycles", "energy_uj", "table")
OF_ALL_LAYERS = {"weight_kib", "spike_kib", "cycles", "energy_uj"}
BITS = ("mean_weight_bits", "mean_spike_bits", "mean_steps")
KEPT = ("workspace_id", "job_id", "place", "trial_id", "method", "seed", "feasible", "score", "test_score")
ROWS_AT_ONCE = 500


def upgrade() -> None:
    """New tables, filled from what is stored."""
    summaries = op.create_table(
        "point_summaries",
        sa.Column("workspace_id", sa.String(), nullable=False, server_default="default"),
        sa.Column("job_id", sa.String(), nullable=False),
        sa.Column("place", SEQ, nullable=False),
        sa.Column("point_id", sa.String(), nullable=False),
        sa.Column("trial_id", sa.String(), nullable=False),
        sa.Column("method", sa.String(), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("feasible", sa.Boolean(), nullable=False),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("test_score", sa.Double(), nullable=False),
        *(sa.Column(name, sa.Double(), nullable=True) for name in BITS),
        *(sa.Column(f"cost_{metric}", sa.Double(), nullable=True) for metric in METRICS),
        sa.Column("created_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name="fk_point_summaries_job_id_jobs"),
        sa.ForeignKeyConstraint(["point_id"], ["points.id"], name="fk_point_summaries_point_id_points"),
        sa.ForeignKeyConstraint(["trial_id"], ["trials.id"], name="fk_point_summaries_trial_id_trials"),
        sa.PrimaryKeyConstraint("job_id", "place", name="pk_point_summaries"),
        sqlite_with_rowid=False,
    )
    extents = op.create_table(
        "front_extents",
        sa.Column("workspace_id", sa.String(), nullable=False, server_default="default"),
        sa.Column("job_id", sa.String(), nullable=False),
        sa.Column("metric", sa.String(), nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("greatest", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name="fk_front_extents_job_id_jobs"),
        sa.PrimaryKeyConstraint("job_id", "metric", name="pk_front_extents"),
    )
    _fill(op.get_bind(), summaries, extents)


def downgrade() -> None:
    """Both follow from what else is stored."""
    op.drop_table("front_extents")
    op.drop_table("point_summaries")


def _fill(bind: sa.Connection, summaries: sa.Table, extents: sa.Table) -> None:
    jobs, points, trials = (_table(bind, name) for name in ("jobs", "points", "trials"))
    for job_id, workspace, spec, plan in bind.execute(
        sa.select(jobs.c.id, jobs.c.workspace_id, jobs.c.spec, jobs.c.plan)
    ).all():
        query = sa.select(points, trials.c.proposal).join(trials, trials.c.id == points.c.trial_id)
        query = query.where(points.c.job_id == job_id).order_by(points.c.place)
        found = bind.execute(query.execution_options(yield_per=ROWS_AT_ONCE)).mappings()
        known: dict[str, tuple[int, float]] = {}
        for lot in found.partitions(ROWS_AT_ONCE):
            rows = [_summary(dict(point), spec, plan) for point in lot]
            bind.execute(sa.insert(summaries), rows)
            for row in rows:
                known |= dict(_widened(known, row))
        if known:
            one = {"workspace_id": workspace, "job_id": job_id}
            bounds = [one | {"metric": m, "points": n, "greatest": top} for m, (n, top) in known.items()]
            bind.execute(sa.insert(extents), bounds)


def _table(bind: sa.Connection, name: str) -> sa.Table:
    """A table as it is now, with its documents read as such."""
    as_json = {"spec", "plan", "proposal", "allocation", "costs"}
    table = sa.Table(name, sa.MetaData(), autoload_with=bind)
    for column in table.columns:
        column.type = sa.JSON() if column.name in as_json else column.type
    return table


def _summary(point: Mapping[str, Any], spec: Mapping[str, Any], plan: Mapping[str, Any]) -> dict[str, Any]:
    row = {name: point[name] for name in KEPT} | {"point_id": point["id"], "created_at": point["created_at"]}
    for metric in METRICS:
        own = spec["budget"].get("scope") if metric == spec["budget"]["metric"] else None
        scope = own or ("all" if metric in OF_ALL_LAYERS else "searched")
        shown = metric != "table" or spec.get("cost_table") is not None
        row[f"cost_{metric}"] = point["costs"].get(scope, {}).get(metric) if shown else None
    means = _mean_bits(plan, point["proposal"].get("settings", {}), point["allocation"])
    return row | dict(zip(BITS, means, strict=True))


def _mean_bits(
    plan: Mapping[str, Any], settings: Mapping[str, Any], allocation: Mapping[str, Any]
) -> Sequence[float | None]:
    """Bw weighted by weights, Bs and T by inputs."""
    tables = plan.get("tables", ())
    named = plan.get("layers", ()) if not settings else next(
        (one["layers"] for one in tables if one["settings"] == settings), ()
    )
    layers = [layer for layer in named if layer["searched"]]
    if not layers or {layer["name"] for layer in layers} != set(allocation):
        return None, None, None
    bits = [allocation[layer["name"]] for layer in layers]
    weights, inputs = ([layer[kind] for layer in layers] for kind in ("weights", "inputs"))
    wide = [_mean(one.get("channel_bits") or [one["weight_bits"]]) for one in bits]
    spikes = [_mean(one["spike_bits"]) for one in bits]
    return _mean(wide, weights), _mean(spikes, inputs), _mean([one["steps"] for one in bits], inputs)


def _mean(values: Sequence[float], weights: Sequence[float] | None = None) -> float:
    weights = weights or [1] * len(values)
    return sum(value * weight for value, weight in zip(values, weights, strict=True)) / max(sum(weights), 1)


def _widened(
    known: Mapping[str, tuple[int, float]], row: Mapping[str, Any]
) -> Iterator[tuple[str, tuple[int, float]]]:
    for metric in METRICS:
        cost = row[f"cost_{metric}"]
        if cost is not None:
            count, greatest = known.get(metric, (0, 0.0))
            yield metric, (count + 1, max(greatest, cost if row["feasible"] else 0.0))
