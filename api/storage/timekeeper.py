"""What time a record may bear, and whether a clock keeps anything from being recorded."""

from datetime import datetime

import structlog

from api import clock
from api.storage.errors import ClockRefusedError


class Timekeeper:
    """Tells the time as long as it can be trusted; the log has it as an alert where it cannot.

    Nothing is guessed: until the clocks agree again, whoever wants to record is refused.
    """

    def __init__(self) -> None:
        self._clock = clock.SteadyClock()
        self._log = structlog.get_logger("dealtrail.clock")
        self._refusal: str | None = None

    @property
    def refusing(self) -> bool:
        """Whether a clock was wrong when it was last looked at."""
        return self._refusal is not None

    def now(self) -> datetime:
        """Tell the time that a record may bear.

        Raises:
            ClockRefusedError: the clock of this machine was set since this process began.
        """
        try:
            return self._clock.now()
        except clock.ClockSetError as error:
            refusal = ClockRefusedError(f"a clock jumped: {error}")
            self.refused(refusal)
            raise refusal from error

    def refused(self, refusal: ClockRefusedError) -> None:
        """Note that something was refused for a clock."""
        if self._refusal is None:
            self._log.critical("nothing is recorded: a clock is wrong", reason=str(refusal))
        self._refusal = str(refusal)

    def agreed(self) -> None:
        """Note that the log took something, so that all clocks agree."""
        if self._refusal is not None:
            self._log.warning("the clocks agree again", was=self._refusal)
        self._refusal = None
