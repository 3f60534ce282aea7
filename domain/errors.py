"""What the model refuses, one class for each kind of refusal."""

from typing import ClassVar


class DomainError(Exception):
    """The model refuses; the message says what and why, `field` where in the request."""

    code: ClassVar[str] = "refused"

    def __init__(self, detail: str, *, field: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.field = field


class DealExistsError(DomainError):
    """A deal is opened once; a second `deal_opened` is refused."""

    code = "deal_exists"


class DealNotOpenedError(DomainError):
    """The first event of a deal is `deal_opened`; nothing may come before it."""

    code = "deal_not_opened"


class DealClosedError(DomainError):
    """A closed deal takes evidence, customer events, notes and corrections, nothing else."""

    code = "deal_closed"


class DealNotClosedError(DomainError):
    """Only a closed deal can be reopened, and only a won one reversed."""

    code = "deal_not_closed"


class DealDeletedError(DomainError):
    """The source deleted this deal; its history stays readable and takes nothing new."""

    code = "deal_deleted"


class UnknownStageError(DomainError):
    """The process version that the deal is pinned to has no such stage."""

    code = "unknown_stage"


class UnknownActivityError(DomainError):
    """The process version that the deal is pinned to has no such activity."""

    code = "unknown_activity"


class UnknownOutcomeError(DomainError):
    """The process version that the deal is pinned to has no such intended outcome."""

    code = "unknown_outcome"


class UnknownReferenceError(DomainError):
    """The event names another fact (commitment, promise, obstacle, event) that is not there."""

    code = "unknown_reference"


class AlreadySoError(DomainError):
    """The event would say again what the deal already says."""

    code = "already_so"


class ContradictionError(DomainError):
    """The event contradicts itself or the state it builds on."""

    code = "contradiction"


class StillNeededError(DomainError):
    """An event that something told since rests on cannot be undone before that."""

    code = "still_needed"


class OccurredInFutureError(DomainError):
    """Nothing is recorded more than five minutes before it happens."""

    code = "occurred_in_future"


class UnknownProcessError(DomainError):
    """No such sales process, or no such version of it, has been published."""

    code = "unknown_process"


class ProcessRefusedError(DomainError):
    """A process needs a purpose and an intended outcome for every activity, and unique ids."""

    code = "process_refused"


class QuotaRefusedError(DomainError):
    """A quota is assigned once, then revised or withdrawn."""

    code = "quota_refused"


class OrganisationRefusedError(DomainError):
    """A rep joins one team at a time and leaves the team they are in."""

    code = "organisation_refused"


class CalendarRefusedError(DomainError):
    """A fiscal calendar needs a known zone, a known kind and complete parameters."""

    code = "calendar_refused"


class PolicyRefusedError(DomainError):
    """A policy names known numbers within their bounds, and a version not used before."""

    code = "policy_refused"


class MisplacedEventError(DomainError):
    """The event type belongs to another kind of stream."""

    code = "misplaced_event"


class PayloadRefusedError(DomainError):
    """No event has this payload: an amount below nothing, or another type than the amended one."""

    code = "payload_refused"
