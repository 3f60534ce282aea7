"""Every projection there is; light to import, because each process of a rebuild does."""

from projections.attainment.projection import attainment_projection
from projections.batch import Projection
from projections.commitments.projection import commitments_projection
from projections.contexts.projection import ContextsProjection
from projections.customers.projection import customers_projection
from projections.pressure.projection import pressure_projection
from projections.progress.projection import progress_projection
from projections.spans.fold import evolve
from projections.spans.projection import SpansProjection


def projections() -> list[Projection]:
    """Give every projection, in the order in which a batch goes through them."""
    return [
        SpansProjection(),
        progress_projection(),
        commitments_projection(),
        attainment_projection(),
        pressure_projection(),
        customers_projection(),
        ContextsProjection(evolve),
    ]
