"""The instructions of a policy program, and the actions at its leaves.

A program is postfix: values are pushed on a stack, an operation takes its arguments from the top. A
comparison jumps when it does not hold. Every path ends in an action, whose arguments then stand at
the bottom of the stack. ``code`` has two columns: instruction and argument.
"""

from __future__ import annotations

OP_CONST = 0  # push rate[argument]
OP_BANK_FIELD = 1  # push a field
OP_PAYMENT_FIELD = 2
OP_REGISTER = 3
OP_ADD = 4
OP_SUBTRACT = 5
OP_MULTIPLY = 6
OP_DIVIDE = 7
OP_DIV0 = 8  # numerator, denominator, default
OP_MAX = 9
OP_MIN = 10
OP_CEIL = 11
OP_FLOOR = 12
OP_ROUND = 13
OP_ABS = 14
OP_CLAMP = 15  # value, min, max
OP_JUMP = 16  # to instruction `argument`
OP_JUMP_UNLESS_EQ = 17
OP_JUMP_UNLESS_NE = 18
OP_JUMP_UNLESS_LT = 19
OP_JUMP_UNLESS_LE = 20
OP_JUMP_UNLESS_GT = 21
OP_JUMP_UNLESS_GE = 22
OP_ACT = 23  # the end; argument: an ACTION_ code

#: An amount or a number of ticks that is not given; a tree computes no such number.
NOT_GIVEN = -1.7e308

ACTION_NONE = 0
ACTION_RELEASE = 1  # RTGS class or -1, tick or -1
ACTION_SPLIT = 2  # parts
ACTION_STAGGER = 3  # parts, now, gap, boost
ACTION_DROP = 4
ACTION_REPRIORITIZE = 5  # priority
ACTION_WITHDRAW = 6
ACTION_RESUBMIT = 7  # RTGS class
ACTION_BUDGET = 8  # most, list of `wide` or -1, most to each or NOT_GIVEN
ACTION_SET_STATE = 9  # register, value
ACTION_ADD_STATE = 10
ACTION_POST = 11  # cents, ticks until it is withdrawn or NOT_GIVEN
ACTION_TAKE_BACK = 12  # cents
ACTION_RELEASE_DUE = 13  # a reserved payment whose tick has come; no tree says this
