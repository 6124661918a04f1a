"""The emitter of a program of yours: typed events, checked here, kept on this disk until the centre has them.

    from services.emit import Emitter
    from schemas.health import VisitsReported

    with Emitter("http://127.0.0.1:8010", secret, source="/tram-y-te", outbox="outbox.sqlite") as emitter:
        emitter.emit(VisitsReported(facility="tram_y_te", day=date(2026, 11, 25), visits=41, insured=38), WARD)

It knows the contracts alone (`schemas`), so it can be installed without the rest: `pip install ./services/emit`.
"""

from services.emit.emitter import AsyncEmitter, Emitter, Refusal
from services.emit.outbox import OutboxFailed

__all__ = ["AsyncEmitter", "Emitter", "OutboxFailed", "Refusal"]
