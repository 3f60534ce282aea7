"""How far the stages that a deal went through are those of its process (METRICS section 6)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from domain.process import Process


@dataclass(frozen=True, slots=True)
class Alignment:
    """The stages of a deal laid beside those of the model, each unmatched one at a cost of 1."""

    trace: tuple[str, ...]
    model: tuple[str, ...]
    cost: int

    @property
    def fitness(self) -> Fraction | None:
        """1 - cost / (|trace| + |model|); None where there is nothing to compare."""
        length = len(self.trace) + len(self.model)
        return 1 - Fraction(self.cost, length) if length else None


@dataclass(frozen=True, slots=True)
class TokenReplay:
    """The tokens that a replay of the trace produced, consumed, missed and left behind."""

    produced: int
    consumed: int
    missing: int
    remaining: int

    @property
    def fitness(self) -> Fraction:
        """(1 - missing/consumed) / 2 + (1 - remaining/produced) / 2."""
        misses = Fraction(self.missing, self.consumed) + Fraction(self.remaining, self.produced)
        return 1 - misses / 2


def align(trace: Sequence[str], model: Sequence[str]) -> Alignment:
    """Align a trace with a linear model: cost = |trace| + |model| - 2 x LCS.

    LCS is the length of their longest common subsequence: what is in both, in the same order.
    """
    cost = len(trace) + len(model) - 2 * _longest_common(trace, model)
    return Alignment(tuple(trace), tuple(model), cost)


def replay_tokens(trace: Iterable[str], model: Sequence[str]) -> TokenReplay:
    """Replay a trace on the linear net of a model, counting tokens.

    After Rozinat and van der Aalst (2008, Inf. Syst. 33:64). The net has a place before each stage
    and one after the last. The start puts a token into the first place; each stage of the trace
    takes one from the place before it and puts one into the place after it; the end takes one from
    the last place. A token that is not there when it is to be taken is missing, and is made up
    for; one that is never taken remains.

    So a skip, of one stage or of several in a row, leaves one token behind and misses one; and
    going back misses the token that has gone on, and leaves behind the one that is then made
    twice. No silent step of the net stands for either. A stage that the model lacks moves nothing.
    """
    place = {stage: index for index, stage in enumerate(model)}
    tokens = [0] * (len(model) + 1)
    tokens[0], produced, consumed, missing = 1, 1, 0, 0
    for index in [place[stage] for stage in trace if stage in place]:
        missing += tokens[index] == 0
        tokens[index] = max(0, tokens[index] - 1)
        tokens[index + 1] += 1
        produced, consumed = produced + 1, consumed + 1
    missing += tokens[-1] == 0
    tokens[-1] = max(0, tokens[-1] - 1)
    return TokenReplay(produced, consumed + 1, missing, sum(tokens))


def follow(process: Process, stages: Iterable[str], *, won: bool) -> Alignment:
    """Align the stages that a deal entered, in order, with its process.

    The model is the process up to the furthest stage that the deal reached: an open deal is
    compared so far, and one that was given up early is not blamed for what lay beyond. Winning
    is the last step of the model, whether the process has a stage for it or not; entering a
    stage of lost deals is an end and no step.
    """
    goal = win_of(process)
    trace = [goal if s in process.won_stages else s for s in stages if s not in process.lost_stages]
    if won and goal not in trace[-1:]:
        trace.append(goal)
    whole = [*(stage.id for stage in process.working_stages), goal]
    reached = max((whole.index(stage) for stage in trace if stage in whole), default=-1)
    return align(trace, whole[: reached + 1])


def win_of(process: Process) -> str:
    """Give the name of the winning step: the first stage of the process in which deals are won."""
    named = (stage.id for stage in process.stages if stage.id in process.won_stages)
    return next(named, min(process.won_stages))


def _longest_common(one: Sequence[str], other: Sequence[str]) -> int:
    """The classic table of Wagner and Fischer (1974, J. ACM 21:168), a row at a time."""
    row = [0] * (len(other) + 1)
    for left in one:
        before = row
        row = [0]
        for index, right in enumerate(other):
            longest = before[index] + 1 if left == right else max(before[index + 1], row[index])
            row.append(longest)
    return row[-1]
