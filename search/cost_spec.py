"""What costs are computed with, as a user writes it in a job: hardware in numbers, and a table of costs."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from models.cost import CostTable, Energies, Hardware
from models.cost.table import COLUMNS, CostRow
from models.errors import InvalidInputError
from search.fields import Model

LONGEST_TABLE = 1_000_000
_DEFAULT = Hardware()
_ENERGIES = _DEFAULT.energies


class EnergiesSpec(Model):
    """Picojoules of a one-bit product, an addition of a neuron, and of moving a bit on and off the chip."""

    bit_operation: float = Field(default=_ENERGIES.bit_operation, ge=0, le=1e6)
    add: float = Field(default=_ENERGIES.add, ge=0, le=1e6)
    sram_bit: float = Field(default=_ENERGIES.sram_bit, ge=0, le=1e6)
    dram_bit: float = Field(default=_ENERGIES.dram_bit, gt=0, le=1e6)


class HardwareSpec(Model):
    """The bit-serial unit that `cycles` and `energy_uj` are about (models.cost.hardware)."""

    rows: int = Field(default=_DEFAULT.rows, ge=1, le=65_536)
    columns: int = Field(default=_DEFAULT.columns, ge=1, le=65_536)
    clock_mhz: float = Field(default=_DEFAULT.clock_mhz, gt=0, le=1e6)
    bytes_per_cycle: float = Field(default=_DEFAULT.bytes_per_cycle, ge=1e-3, le=1e6)
    energies: EnergiesSpec = EnergiesSpec()

    def hardware(self) -> Hardware:
        """The same as the models package knows it."""
        fields = self.model_dump(exclude={"energies"})
        return Hardware(**fields, energies=Energies(**self.energies.model_dump()))

    def telling(self, metric: str) -> dict[str, Any]:
        """What a cost by a metric depends on."""
        chosen = {"energies"} if metric == "energy_uj" else {"rows", "columns", "bytes_per_cycle"}
        return self.model_dump(mode="json", include=chosen)


class CostRowSpec(Model):
    """A row of a cost table, as the schema of a job shows it; models.cost.table checks it."""

    kind: str
    steps: int
    spike_bits: int
    weight_bits: int
    cost: float


@lru_cache(maxsize=16)  # a pure function, asked for at every limit of a job
def table_of(text: str) -> CostTable:
    """The table in a CSV text. Raises InvalidInputError."""
    return CostTable.from_csv(text)


def _as_text(value: Any) -> Any:
    """Rows or CSV as the text of their table, in order, so that equal tables are equal jobs."""
    if value is None or not isinstance(value, str | list | tuple):
        return value
    if isinstance(value, str) and len(value) > LONGEST_TABLE:
        raise ValueError(
            f"the cost table has more than {LONGEST_TABLE} characters; leave out what is not needed"
        )
    try:
        table = table_of(value) if isinstance(value, str) else CostTable.of(map(_row, enumerate(value, 1)))
    except InvalidInputError as error:
        fix = error.fix.rstrip(".")
        raise ValueError("; ".join(filter(None, (error.message.rstrip("."), fix)))) from None
    return table.to_csv()


def _row(numbered: tuple[int, Any]) -> CostRow:
    number, fields = numbered
    if not isinstance(fields, dict) or set(fields) != set(COLUMNS):
        raise InvalidInputError(
            f"row {number} of the cost table has other fields", fix=f"Use {', '.join(COLUMNS)}."
        )
    return CostRow.read(fields, f"row {number}")


CostTableText = Annotated[
    str | None, BeforeValidator(_as_text, json_schema_input_type=str | list[CostRowSpec] | None)
]
"""A table of costs as CSV text; a list of rows is taken too and becomes such text."""

ReferenceRatesSpec = dict[str, Annotated[float, Field(gt=0, le=1)]]
"""{layer name: nonzero spike rate}, for limits on `ns_ace` and `sops`; layers without one have rate 1."""
