"""Which checkpoints are kept, and the removal of the others."""

from service.retention.pruning import Pruned, prune
from service.retention.rule import Rule, rule_of

__all__ = ["Pruned", "Rule", "prune", "rule_of"]
