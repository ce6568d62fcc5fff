"""How far the policies of a game are from an equilibrium: what each bank could still gain alone.

``deviations`` says what is tried, ``search`` looks for more, ``bounds`` and ``regret`` measure what
a bank gains by it, ``measure`` draws days until that is known well enough, and ``certify`` puts the
certificate of a game together.
"""

from payment_simulator.ai_cash_mgmt.certificate.certify import (
    MAX_PROFILES,
    Certificate,
    certify,
    has_better_response,
)
from payment_simulator.ai_cash_mgmt.certificate.regret import Regret

__all__ = ["MAX_PROFILES", "Certificate", "Regret", "certify", "has_better_response"]
