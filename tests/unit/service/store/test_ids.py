"""Ids are names, unique, and follow from one another."""

from __future__ import annotations

import re

from service.store import ids


def test_ids_are_a_kind_and_sixteen_hexadecimal_digits():
    study = ids.study_id("job-1", "random", 0)
    trial = ids.trial_id(study, 0)
    made = {
        "job": ids.new_job_id(),
        "study": study,
        "trial": trial,
        "point": ids.point_id(trial, 0),
    }
    assert all(re.fullmatch(rf"{kind}-[0-9a-f]{{16}}", made_id) for kind, made_id in made.items())


def test_derived_ids_repeat_and_differ():
    def made() -> list[str]:
        studies = [ids.study_id(job, method, seed) for job in "ab" for method in "xy" for seed in (0, 1)]
        return studies + [ids.trial_id(study, number) for study in studies for number in (0, 1, 10)]

    assert made() == made()
    assert len(set(made())) == len(made())
    assert ids.new_job_id() != ids.new_job_id()
