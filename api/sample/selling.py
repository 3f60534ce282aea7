"""A deal of a simulated history in its ordinary course, from the first call to the decision."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from itertools import pairwise
from typing import Final

from api.sample import phrases
from api.sample.activities import lead, learn, show, tick_run, work
from api.sample.chance import Chance
from api.sample.endings import after_close, lose
from api.sample.process import ACTIVITIES, COMMIT, DISCOVER, PROPOSAL, QUALIFY, WORKING
from api.sample.profiles import Profile
from api.sample.pursuit import DAY, Pursuit
from api.sample.quarter_end import share_credit
from api.sample.record import ASKED, CHASED, CUSTOMERS_DEADLINE, ROUTINE
from api.sample.timeline import WINDOW, office_moment
from domain.fiscal import FiscalQuarter

_SHARES: Final = (0.0, 0.16, 0.36, 0.57, 0.79, 1.0)
"""When each stage is entered, as a share of the time from opening to decision."""
_JITTER: Final = 3
"""Per cent of that time by which a stage comes earlier or later."""
_NEAR_ENOUGH: Final = 3
"""Days by which an expected close date may be wrong without anybody correcting it."""
_SECOND_OFFER: Final = 0.4
_CALLED: Final = 0.6
"""Chance that a deal which comes to its last stage is called commit."""
_REACHED: Final = 0.9
"""Chance that an activity reaches its outcome with a rep who ticks only weeks later."""
_OFF_FIT: Final = 0.1
"""Chance that a deal does not fit, whoever opens it."""
_ASSESSED: Final = 0.7
_FOUND: Final[Mapping[bool, tuple[str, ...]]] = {
    False: (*["in"] * 17, "unclear", "unclear", "out"),
    True: (*["out"] * 8, "unclear", "in"),
}
"""What is found of a deal's fit, by whether it is off; each as likely as the next."""
_WITHDRAWN: Final = 0.02
"""Chance that a customer takes back its order for reasons of its own."""
_RETURNS: Final = 0.03
"""Chance that a customer that decided otherwise comes back."""


@dataclass(slots=True)
class Prospect:
    """What a deal comes to if no quarter's end changes it.

    `usual` is the discount, in per cent, that its rep gives in the ordinary course. `deadline`
    is the quarter by whose end the customer has to order, if there is one. With a `backlog` the
    rep does what is to be done and ticks it weeks later. `divided` says that the deal is a part of
    an order that was divided because its discount would have needed approval.
    """

    opened: date
    decided: date
    won: bool
    expected: date
    usual: Decimal
    split: bool = False
    deadline: FiscalQuarter | None = None
    backlog: bool = False
    divided: bool = False


class Sale:
    """A deal on its way; what the end of a quarter does to it is told elsewhere.

    `look` is called some days before each quarter's end that the deal lives to see, `postponed`
    when the customer is ready: it says whether the closing is put off.
    """

    def __init__(
        self,
        pursuit: Pursuit,
        prospect: Prospect,
        profile: Profile,
        *,
        look: Callable[["Sale", FiscalQuarter], None],
        postponed: Callable[["Sale"], bool],
    ) -> None:
        self.pursuit = pursuit
        self.prospect = prospect
        self.profile = profile
        self._look = look
        self._postponed = postponed

    @property
    def chance(self) -> Chance:
        return self.pursuit.chance

    def begin(self) -> None:
        """Lay out the steps of the ordinary course."""
        opened, days = self.prospect.opened, (self.prospect.decided - self.prospect.opened).days
        marks = [opened + timedelta(days=round(days * share)) for share in _SHARES]
        for index in range(1, len(WORKING)):
            marks[index] += self.chance.between(-_JITTER, _JITTER) * days // 100 * DAY
        self.on(marks[0], self._open)
        self.on(marks[0] + self.chance.between(3, 9) * DAY, self._assess)
        for stage, (start, end) in zip(WORKING, pairwise(marks), strict=True):
            self._lay_stage(stage, start, end)
        self._lay_offers(marks)
        if self.prospect.split:
            self.on(marks[2], partial(share_credit, self.pursuit))
        if self.prospect.backlog:
            self.on(marks[4] + self.chance.between(2, 6) * DAY, self._catch_up)
        self.on(marks[5], self.decide)
        self.watch(marks[2])

    def on(self, day: date, act: Callable[[], None]) -> None:
        """Plan a step of the course for some moment of a day."""
        at = office_moment(day, self.chance)
        self.pursuit.plan(at, lambda _: self._while_open(act), course=True)

    def after(self, days: int, act: Callable[[], None]) -> None:
        """Plan a step of the course for some days later."""
        self.pursuit.plan_in(days, lambda _: self._while_open(act), course=True)

    def _while_open(self, act: Callable[[], None]) -> None:
        if self.pursuit.memory.open or self.pursuit.memory.stage is None:
            act()

    def watch(self, since: date) -> None:
        """Look at the deal before each quarter's end from a day until it is decided."""
        calendar = self.pursuit.market.timeline.calendar
        quarter = calendar.quarter_on(since)
        while quarter.start <= self.prospect.decided:
            day = quarter.end - self.chance.between(5, 12) * DAY
            if since < day < self.prospect.decided:
                self.on(day, partial(self._look, self, quarter))
            quarter = calendar.after(quarter)

    def _open(self) -> None:
        pursuit, position = self.pursuit, self.pursuit.position
        behind = position is not None and position.behind
        chased = behind and self.chance.happens(self.profile.chases)
        pursuit.memory.off_fit = chased or self.chance.happens(_OFF_FIT)
        with pursuit.because(CHASED if chased else ROUTINE):
            pursuit.open(version=2, close_date=self.prospect.expected)
        pursuit.enter(QUALIFY)

    def _assess(self) -> None:
        if self.chance.happens(_ASSESSED):
            found = self.chance.one_of(_FOUND[self.pursuit.memory.off_fit])
            self.pursuit.tell("fit_assessed", verdict=found)

    def _lay_stage(self, stage: str, start: date, end: date) -> None:
        if stage != QUALIFY:
            self._lay_move(stage, start)
        activities = ACTIVITIES[stage]
        for place, activity in enumerate(activities):
            share = (place + 0.4) / len(activities)
            day = start + timedelta(days=round((end - start).days * share))
            self.on(day, partial(self._work, stage, activity))

    def _lay_move(self, stage: str, day: date) -> None:
        hurried = self.hurried_by_customer(day)
        led = hurried or self.chance.happens(self.pursuit.habits.led)
        motive = CUSTOMERS_DEADLINE if hurried else ASKED if led else ROUTINE
        at = office_moment(day, self.chance)
        if led:
            previous = WORKING[WORKING.index(stage) - 1]
            before = office_moment(day - self.chance.between(1, 3) * DAY, self.chance)
            self.pursuit.plan(
                min(before, at - timedelta(minutes=30)),
                lambda _: self._while_open(partial(lead, self.pursuit, previous, in_writing=True)),
                course=True,
            )

        def advance(pursuit: Pursuit) -> None:
            if pursuit.memory.open:
                with pursuit.because(motive):
                    self._advance(stage)

        self.pursuit.plan(at, advance, course=True)

    def hurried_by_customer(self, day: date) -> bool:
        """Say whether the customer's own deadline is near."""
        deadline = self.prospect.deadline
        return deadline is not None and (deadline.end - day).days < WINDOW

    def _work(self, stage: str, activity: str) -> None:
        if self.pursuit.memory.stage != stage:
            return
        if not self.prospect.backlog:
            work(self.pursuit, activity)
        elif self.chance.happens(_REACHED):
            show(self.pursuit, activity)

    def _catch_up(self) -> None:
        """Tick what was done in the stages that the deal has left."""
        stage = self.pursuit.memory.stage
        if stage in WORKING:
            tick_run(self.pursuit, *WORKING[: WORKING.index(stage)])

    def _advance(self, stage: str) -> None:
        pursuit = self.pursuit
        if pursuit.memory.stage is not None and self.chance.happens(pursuit.habits.bulk):
            tick_run(pursuit, pursuit.memory.stage)
        pursuit.enter(stage)
        if stage == COMMIT and self.chance.happens(_CALLED):
            pursuit.forecast("commit")
        if stage == DISCOVER:
            learn(pursuit, stage)
        if stage in {DISCOVER, PROPOSAL} and self.chance.happens(0.5):
            self._replan()

    def _replan(self) -> None:
        """Bring the expected close date nearer to what the customer plans."""
        pursuit, chance = self.pursuit, self.chance
        close_date = pursuit.memory.close_date or self.prospect.decided
        to = self.prospect.decided + chance.between(-2, 4) * DAY
        if self.prospect.deadline or abs((to - close_date).days) <= _NEAR_ENOUGH:
            return
        later = to > close_date
        cause, motive = None, ROUTINE
        if chance.happens(pursuit.habits.led):
            cause = pursuit.request("later" if later else "date", level=chance.between(2, 4))
            motive = ASKED
        reason = chance.one_of(phrases.MOVES["out" if later else "plan"])
        with pursuit.because(motive):
            pursuit.move(to, reason, caused_by=cause)

    def _lay_offers(self, marks: list[date]) -> None:
        day = marks[3] + timedelta(days=round((marks[4] - marks[3]).days * 0.5))
        self.on(day, lambda: self.offer(self.prospect.usual))
        if self.chance.happens(_SECOND_OFFER):
            step = Decimal(self.chance.between(1, 5) + self.chance.between(1, 5)) / 2
            self.on(
                marks[4] + self.chance.between(1, 4) * DAY,
                lambda: self.offer(self.pursuit.memory.depth + step),
            )

    def offer(self, percent: Decimal) -> None:
        """Offer a price, most often because the customer asked for one."""
        pursuit, chance = self.pursuit, self.chance
        cause, by, motive = None, "rep", ROUTINE
        if chance.happens(pursuit.habits.asked):
            topic = "competitor" if chance.happens(0.25) else "discount"
            lag = pursuit.lag()
            cause = pursuit.request(topic, level=chance.one_of((1, 2, 3, 3, 4)), lag=lag)
            linked = lag is None and chance.happens(0.5)
            cause, by, motive = cause if linked else None, "customer", ASKED
            pursuit.at += timedelta(minutes=chance.between(40, 200))
        if self.prospect.divided:
            motive = replace(motive, pattern="approval_splitting")
        with pursuit.because(motive):
            reason = chance.one_of(phrases.DISCOUNT_REASONS)
            pursuit.offer(percent, caused_by=cause, requested_by=by, reason=reason)

    def decide(self) -> None:
        """Let the customer decide."""
        if not self.prospect.won:
            self.lose()
        elif not self._postponed(self):
            self.sign()

    def lose(self) -> None:
        """Let the customer decide otherwise; now and then its first choice lets it down."""
        lose(self.pursuit)
        if self.chance.happens(_RETURNS):
            back = partial(
                self.pursuit.reopen, "The customer called: its first choice fell through."
            )
            self.resume(self.chance.between(3, 40), back, won=self.chance.happens(0.6))

    def resume(self, days: int, back: Callable[[], None], *, won: bool) -> None:
        """Take the deal up again some days after it was closed, to be decided weeks later."""

        def again(pursuit: Pursuit) -> None:
            back()
            pursuit.enter(COMMIT)
            self.prospect.decided = pursuit.today + self.chance.between(15, 45) * DAY
            self.prospect.won, self.prospect.deadline = won, None
            pursuit.move(self.prospect.decided, None)
            self.on(self.prospect.decided, self.decide)
            self.watch(pursuit.today + DAY)

        self.pursuit.plan_in(days, again, course=True)

    def sign(self) -> None:
        """The customer orders, most often announced by its own written commitment."""
        pursuit, chance = self.pursuit, self.chance
        named, hurried = None, self.hurried_by_customer(pursuit.today)
        announced = hurried or chance.happens(0.4 + pursuit.habits.led / 2)
        if announced:
            kind = "signature" if chance.happens(0.5) else "order"
            named = pursuit.commitment(kind, due=pursuit.today)
            pursuit.at += timedelta(minutes=chance.between(30, 120))
        motive = CUSTOMERS_DEADLINE if hurried else ASKED if announced else ROUTINE
        with pursuit.because(motive):
            pursuit.win()
        if named:
            pursuit.tell("commitment_kept", commitment_id=named)
        after_close(pursuit)
        if chance.happens(_WITHDRAWN):
            back = partial(pursuit.reverse, "The customer's board stopped all spending.")
            self.resume(chance.between(3, 45), back, won=chance.happens(0.3))
