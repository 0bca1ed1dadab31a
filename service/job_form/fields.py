"""The fields of the form that builds a job. What each takes follows from the schema of the job."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from service.api.body import schema_of
from service.api.schema import Place, allowed, follow
from service.api.submission import JobSubmission
from service.api.validation import pointer_of
from service.job_form.texts import Kind

OTHER = "/other"
"""The name of the input of all fields that the form does not show."""
SETTINGS = ("architecture",)
"""Below it each architecture has settings of its own."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FormField:
    """One field: its place in the job, what a person reads, and what it takes."""

    place: Place
    label: str
    kind: Kind = "number"
    help: str = ""
    options: tuple[str, ...] = ()
    default: Any = None
    hint: str = ""  # what it takes, in words

    @property
    def name(self) -> str:
        """The name of its inputs: its JSON pointer, as in the problems of REST."""
        return pointer_of(self.place)


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """Fields that belong together; `more` are not in the first view."""

    title: str
    fields: tuple[FormField, ...]
    more: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Rows:
    """A list of objects, one row of inputs each; every column's name stands once per row."""

    place: Place
    columns: tuple[FormField, ...]
    most: int


def field(place: str, label: str, kind: Kind = "number", about: str = "") -> FormField:
    """A field at `a.b.c`, with its default, options and limits from the schema of a job."""
    steps: Place = tuple(place.split("."))
    return _described(FormField(place=steps, label=label, kind=kind, help=about))


def _described(one: FormField) -> FormField:
    schema = _schema_at(one.place)
    return FormField(
        place=one.place,
        label=one.label,
        kind=one.kind,
        help=one.help,
        options=tuple(str(value) for value in schema.get("enum", ())),
        default=schema.get("default"),
        hint="" if "enum" in schema else allowed(schema),
    )


def _schema_at(place: Place) -> Mapping[str, Any]:
    reached, schema = follow(schema_of(JobSubmission), place)
    assert reached == place, f"a job has no field {place}"  # noqa: S101 - a slip of ours, met at the first import
    return schema


def _constraint(name: str, label: str, kind: Kind) -> FormField:
    schema = follow(schema_of(JobSubmission), ("constraints", 0, name))[1]
    options = tuple(str(value) for value in schema.get("enum", ()))
    return FormField(place=("constraints", "*", name), label=label, kind=kind, options=options)


CONSTRAINTS = Rows(
    place=("constraints",),
    columns=(
        _constraint("metric", "Cost", "choice"),
        _constraint("max", "At most", "number"),
        _constraint("scope", "Over", "choice"),
    ),
    most=8,
)
ARCHITECTURE = field("architecture.name", "Network", "choice")
BUDGET_METRIC = field("budget.metric", "Cost", "choice")
DATASET = field("dataset.name", "Data set", "choice")
METHODS = field("methods", "Methods", "many")
FIRST = (
    Group(title="Job", fields=(field("name", "Name", "text", "Letters, digits, '.', '_' and '-'."),)),
    Group(
        title="Network and data",
        fields=(
            ARCHITECTURE,
            DATASET,
            field("dataset.train_samples", "Training samples", about="All unless given."),
        ),
    ),
    Group(
        title="Budget",
        fields=(
            BUDGET_METRIC,
            field("budget.max", "Budgets", "numbers", "At most this much each, with commas between."),
        ),
    ),
    Group(
        title="Search",
        fields=(
            METHODS,
            field("seeds", "Seeds", "numbers", "Three or more for a comparison, with commas between."),
            field("compute.trials_per_study", "Trials per method and seed"),
            field("training.epochs", "Epochs per trial"),
        ),
    ),
)
MORE = (
    Group(
        title="Bits",
        more=True,
        fields=(
            field("bits.weight", "Weight bits", "pair"),
            field("bits.spike", "Spike bits", "pair"),
            field("bits.steps", "Time steps", "pair"),
            field("bits.initial.weight", "Weight bits at the start"),
            field("bits.initial.spike", "Spike bits at the start"),
            field("bits.initial.steps", "Time steps at the start"),
            field("bits.weight_per", "One weight bit width per", "choice"),
            field("bits.steps_gradient", "Gradient of the time steps", "choice"),
            field("bits.search_first_layer", "Search the first layer too", "flag"),
        ),
    ),
    Group(
        title="Budget and objective",
        more=True,
        fields=(
            field("budget.scope", "Cost of", "choice", "The searched or all layers."),
            field("objective", "Objective", "choice", "What decides between points of equal cost."),
        ),
    ),
    Group(
        title="Training",
        more=True,
        fields=(
            field("training.batch_size", "Batch size"),
            field("training.lr", "Learning rate"),
            field("training.momentum", "Momentum"),
            field("training.weight_decay", "Weight decay"),
            field("training.label_smoothing", "Label smoothing"),
            field("training.accumulate", "Batches per update"),
            field("training.loss", "Loss", "choice"),
            field("training.renewal", "Step-size renewal", "choice"),
            field("training.precision", "Precision", "choice"),
            field("training.warm_start", "Warm start", "text", "The name of a float checkpoint."),
            field("training.neuron.leak", "Leak of the neurons"),
            field("training.neuron.learn_leak", "Learn the leak", "flag"),
        ),
    ),
    Group(
        title="Augmentation",
        more=True,
        fields=(
            field("training.augment.crop", "Padding of a random crop", about="Pixels."),
            field("training.augment.cutout", "Side of a cut-out square", about="Pixels."),
            field("training.augment.mixup", "Alpha of mixed-up pairs"),
            field("training.augment.policy", "Random operations", "choice"),
            field("training.augment.flip", "Mirror at random", "flag"),
        ),
    ),
    Group(
        title="Data",
        more=True,
        fields=(
            field("dataset.split_seed", "Seed of the validation split"),
            field("dataset.frames", "Frames", about="Of event data; its default unless given."),
            field("dataset.size", "Side of a frame", about="Of event data, in pixels."),
        ),
    ),
    Group(
        title="Compute",
        more=True,
        fields=(
            field("compute.concurrent_trials", "Trials at a time"),
            field("compute.processes_per_trial", "Processes per trial", about="They share all that follows."),
            field("compute.cpus_per_trial", "CPUs per trial"),
            field("compute.gpus_per_trial", "GPUs per trial"),
            field("compute.cuda_graphs", "CUDA graphs", "flag", "Replay each training step on the GPU."),
            field("compute.memory_mib_per_trial", "Memory per trial", about="MiB; 0 asks for nothing."),
        ),
    ),
    Group(
        title="Labels and priority",
        more=True,
        fields=(
            field("labels", "Labels", "labels", "One a line, as “paper: figure-3”."),
            field("priority", "Priority", about="A greater one is claimed earlier."),
        ),
    ),
)


def all_fields() -> Iterator[FormField]:
    """Every field that stands by itself."""
    return (one for group in (*FIRST, *MORE) for one in group.fields)


def setting_field(name: str, details: Mapping[str, Any]) -> FormField:
    """The field of a setting of an architecture, from what the catalogue says of it."""
    least, greatest = details.get("minimum"), details.get("maximum")
    return FormField(
        place=(*SETTINGS, name),
        label=name,
        kind="setting",
        options=tuple(str(one) for one in details.get("choices") or ()),
        default=details.get("default"),
        hint=f"{least} to {greatest}" if least is not None and greatest is not None else "",
    )
