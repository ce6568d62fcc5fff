"""A language model as the treasurer of a bank: prompts, calls, answers."""

from payment_simulator.ai_cash_mgmt.proposers.llm.proposer import LLMProposer

__all__ = ["LLMProposer"]
