"""What the comparison page shows: one read of the store, turned into the context of its template."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from search.job import JobSpec
from search.objective import likelihood_note, measure_name
from service.comparison import words
from service.comparison.results import budgets_of, comparison_of
from service.comparison.views import Accuracy, ComparisonView, MethodView, PairView
from service.figures.hypervolume import hypervolume_figure
from service.store import Store
from service.views import ENDED_JOB_STATES
from service.web.figures_page import figures_part
from service.web.live import Follow
from service.web.marks import Mark, marks
from service.web.whiskers import Entry, WhiskerPlot, difference_plot, share_plot


def comparison_context(
    store: Store, job_id: str, *, subject: str | None, accuracy: str | None
) -> dict[str, Any]:
    """The context of `comparison.html`; a choice that the page does not offer falls back.

    Raises NotFoundError.
    """
    with store.unit() as unit:
        job, studies = unit.jobs.get(job_id), unit.comparisons.studies(job_id)
    spec = JobSpec.model_validate(job.spec)
    by: Accuracy = "validation" if accuracy == "validation" else "test"
    chosen = subject if subject in spec.all_methods() else None
    view = comparison_of(job.id, spec, studies, subject=chosen, accuracy=by)
    ended = job.state in ENDED_JOB_STATES
    figure = hypervolume_figure(studies, budgets_of(spec), by, spec.objective)
    return {
        "job": job,
        "ended": ended,
        "comparison": view,
        "measure": measure_name(spec.objective),
        "measure_note": likelihood_note(spec.objective),
        "methods": spec.all_methods(),
        "marks": marks(spec.all_methods()),
        "words": words,
        **plots(view, marks(spec.all_methods())),
        **figures_part([figure], f"/v1/jobs/{job.id}/figures"),
        "follow": Follow(jobs=[job_id], ended=ended),
    }


def plots(view: ComparisonView, found: Mapping[str, Mark]) -> dict[str, Any]:
    """The pictures of the page: `differences`, and `scores` with one for each budget."""
    return {
        "differences": _differences(view, found),
        "scores": [_scores(view, place, found) for place in range(len(view.budgets))],
    }


def _differences(view: ComparisonView, found: Mapping[str, Mark]) -> WhiskerPlot:
    return difference_plot([_difference(pair, found[pair.against]) for pair in view.pairs])


def _difference(pair: PairView, mark: Mark) -> Entry:
    value, interval = words.difference_parts(pair.difference)
    said = words.outcome_words(pair.outcome)
    return Entry(
        name=pair.against,
        mark=mark,
        interval=pair.difference,
        words=f"{value} {said}" if pair.difference else said,
        detail=interval,
    )


def _scores(view: ComparisonView, place: int, found: Mapping[str, Mark]) -> WhiskerPlot:
    return share_plot([_score(one, place, found[one.method]) for one in view.methods])


def _score(one: MethodView, place: int, mark: Mark) -> Entry:
    score = one.at_budgets[place].score
    value, interval = words.share_parts(score)
    said = value if score else "no point"
    return Entry(name=one.method, mark=mark, interval=score, words=said, detail=interval)
