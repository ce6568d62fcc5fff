"""Every array of the engine: its columns, units and sentinels.

A world is a tuple of arrays. Rows are things (banks, payments), columns are named below; int64
unless said otherwise. Money is cents, time is ticks of the run, ``NONE`` stands for nothing.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

NONE = -1
#: No limit: far above all money of a run (4e18), so that sums with it do not overflow.
NO_LIMIT = 2**62
#: The largest single amount (cents).
MAX_CENTS = 10**15
#: What a field says where nothing waits (ticks).
FAR_TICK = 10**9

# --- clock: shape (C_N,): where the run is, and what belongs to no bank -------------------------
C_TICK = 0  # current tick of the run
C_PAYMENTS = 1  # payments made so far: the next number
C_LOG = 2  # rows of the log in use
C_Q2_COUNT = 3  # payments in Queue 2
C_Q2_VALUE = 4  # cents in Queue 2
C_SETTLED_TODAY = 5  # cents settled in the system since the open
C_INJECTED = 6  # sum that all balances must have (cents)
C_RELEASED = 7  # payments on their way into the system, in row M_RELEASED of `room`
C_CHAINS = 8  # chains settled this tick
C_NEWS = 9  # rises when a bank may be able to pay what it could not before
C_ERROR = 10  # one of the E_ codes
C_ERROR_BANK = 11
C_ERROR_PAYMENT = 12
C_ORDERED = 13  # payments that trees are asked about this tick
C_GROUP = 14  # number of the last group that settled at once
C_ARRIVED = 15  # cents that came into being, for the check against overflow
C_HEAD = 16  # first payment of Queue 2 by RTGS class (3)
C_TAIL = 19  # last payment of Queue 2 by RTGS class (3)
C_MOVES = 22  # rises when a payment joins or leaves Queue 2
C_SEEN_NEWS = 23  # C_NEWS and C_MOVES when each algorithm last settled nothing (4 each), or NONE
C_SEEN_MOVES = 27
C_N = 31

# --- rule: shape (R_N,): whole numbers of the scenario ------------------------------------------
R_TICKS_PER_DAY = 0
R_TICKS = 1  # ticks of the whole run
R_DEFERRED = 2  # 0 or 1, as the next six
R_ENTRY_OFFSET = 3
R_PRIORITY_MODE = 4
R_BY_PRIORITY = 5  # queue1_ordering
R_STRICT = 6
R_BOTH_QUEUES = 7
R_BORROW = 8
R_DAILY_FUNDING = 9
R_RESTART = 10  # algorithm_sequencing
R_BILATERAL_LIMITS = 11  # any bank has one
R_ESCALATION = 12  # 0 off, 1 linear, 2 quadratic, 3 step
R_ESCALATION_START = 13  # ticks
R_ESCALATION_BOOST = 14
R_MAX_CHAIN = 15
R_MAX_CHAINS = 16
R_ALGORITHMS = 17  # up to four of the ALGORITHM_ codes, NONE after the last
R_SPLIT_FRICTION = 21  # cents
R_DEADLINE_FIXED = 22  # cents; 0 in rate mode
R_EOD_FIXED = 23
R_CHARGED = 24  # 0 or 1 for each kind of cost (7)
R_TIMERS = 31  # row of `wide` with the collateral timers of tick 0, or NONE
R_FULL = 32  # 0 or 1: what each payment and tick cost is written down
R_N = 33

ALGORITHM_FIFO, ALGORITHM_BILATERAL, ALGORITHM_MULTILATERAL, ALGORITHM_CYCLES = 0, 1, 2, 3

# --- rate: float64, shape (F_CONST + constants,): prices, stack and constants of programs --------
F_LIQUIDITY = 0  # bps a tick
F_OVERDRAFT = 1  # bps a tick
F_COLLATERAL = 2  # bps a tick
F_DELAY = 3  # cents a cent and tick
F_DELAY_FACTOR = 4  # cents a cent and tick by overdue (0, 1) and band (0 urgent .. 2 low): 6
F_DEADLINE_BPS = 10  # 0 in fixed mode
F_EOD_BPS = 11
F_BORROWING = 12  # bps
F_RUSH = 13  # eod_rush_threshold
F_STACK = 14  # room for STACK values
STACK = 256
F_CONST = F_STACK + STACK  # constants of the policy programs

# --- sums: float64, shape (banks, U_COST + K_N * days) ------------------------------------------
U_REGISTER = 0  # state registers (10)
U_DELAY = 10  # settled cents x ticks from arrival, and from release, to settlement (2)
U_COST = 12  # cents by day, then kind
K_LIQUIDITY, K_OVERDRAFT, K_COLLATERAL, K_DELAY, K_DEADLINE, K_EOD, K_SPLIT = range(7)
K_N = 7
REGISTERS = 10

# --- bank: shape (banks, B_N) --------------------------------------------------------------------
B_BALANCE = 0
B_CREDIT = 1  # credit line
B_Q2_HEAD = 2  # first own payment in Queue 2 by RTGS class (3)
B_Q2_TAIL = 5
B_Q1_HEAD = 8
B_Q1_TAIL = 9
B_Q1_COUNT = 10
B_Q1_VALUE = 11
B_Q2_COUNT = 12
B_Q2_VALUE = 13
B_Q2_IN_COUNT = 14  # payments to the bank in Queue 2
B_NET_OUT = 15  # settled out less in since the open
B_LIMIT = 16  # multilateral limit, or NO_LIMIT
B_SETTLED_TODAY = 17  # settled out since the open
B_DEFERRED = 18  # received in this tick, not yet usable
B_VERSION = 19  # rises whenever the bank may be able to pay what it could not before
B_WAIT = 20  # cents unsettled: place (0 Queue 1 and dropped, 1 Queue 2) x overdue x band: 12
B_ALLOCATED = 32  # liquidity funded
B_BORROWED = 33  # at the last close
B_CAP = 34  # unsecured cap
B_POSTED = 35
B_HAIRCUT = 36  # millionths
B_CAPACITY = 37
B_BUDGET = 38  # left to release this tick, or NONE for no budget
B_BUDGET_FOCUS = 39  # which list of `wide`, or NONE
B_BUDGET_EACH = 40  # per counterparty, or NONE
B_NEAREST = 41  # earliest deadline among own payments in Queue 2, or FAR_TICK
B_DROPPED_HEAD = 42
B_POOL = 43  # 1 if the bank has a liquidity pool
B_USES = 44  # what its policy needs prepared: sum of USES_ flags
B_ORDER = 45  # where its payments begin in row M_ORDER of `room`
B_MARK = 46  # scratch of the algorithms
B_START = 47  # first instruction of each tree of its policy (4), or NONE
B_FUND = 51  # what it funds at an open
B_STAT = 52  # counts and sums of the run: S_ columns follow here
S_ARRIVED = 0  # payments that arrived
S_ARRIVED_VALUE = 1
S_SETTLED = 2  # payments settled in full (of children, each counts)
S_SETTLED_VALUE = 3  # parts included
S_ON_TIME_VALUE = 4  # settled at or before the deadline
S_OFFSET_VALUE = 5  # settled by offsetting
S_PEAK_DEBIT = 6  # largest net outflow of a day at the end of a tick
S_PEAK_QUEUE = 7  # largest value in both queues at the end of a tick
S_CREATED = 8  # payments made by splits, less those split: what counts on top of arrivals
S_ON_TIME = 9  # payments settled in full at or before the deadline
S_PEAK_SUM = 10  # sum over the days of the largest net outflow of the day
S_PEAK_TODAY = 11  # largest net outflow since the open

S_N = 12
B_N = B_STAT + S_N

USES_QUEUE2 = 1  # the payment tree has an action for payments in Queue 2
USES_NEAREST = 2  # a tree reads the nearest deadline in Queue 2

# --- pay: shape (capacity, P_N) ------------------------------------------------------------------
# The first eight are what going through Queue 2 reads: one line of the processor's cache.
P_SENDER = 0
P_RECEIVER = 1
P_LEFT = 2  # still due
P_STATE = 3
P_NEXT = 4  # in the list of its bank (Queue 1, own part of Queue 2, dropped)
P_NEXT_ALL = 5  # in Queue 2 of the system
P_CLASS = 6  # RTGS class 0..2
P_TESTED = 7  # B_VERSION of the sender when last found unable to settle, or -2 - tick of a part
P_PREV = 8
P_PREV_ALL = 9
P_BAND = 10  # band of the priority it arrived with
P_OVERDUE = 11  # 0 or 1; the deadline penalty was charged
P_DIVISIBLE = 12
P_DEADLINE = 13
P_ARRIVAL = 14
P_PRIORITY = 15  # present, without escalation
P_TIMED = 16  # tick at which it will be released, or NONE
P_RELEASED = 17  # tick of first entry, or NONE
P_AMOUNT = 18
P_ARRIVED_PRIORITY = 19
P_SETTLED = 20  # tick at which it had settled in full, or NONE
P_PARENT = 21
P_METHOD = 22  # how it settled: one of the H_ codes, or NONE
P_DUE_NEXT = 23  # next payment with the same deadline
P_N = 24

Q1, Q2, SETTLED, DROPPED, SPLIT, RELEASED = range(6)
H_ENTRY, H_FIFO, H_ENTRY_OFFSET, H_BILATERAL, H_MULTILATERAL, H_CYCLE, H_BORROWED = range(7)

# --- pair: shape (6, banks, banks); the last two only where a bank has a bilateral limit --------
X_NET = 0  # settled i to j less j to i since the open
X_VALUE = 1  # Queue 2 from i to j
X_HEAD = 2  # first waiting payment from i to j in a list of an algorithm, NONE between uses
X_TAIL = 3
X_LIMIT = 4  # bilateral limit, or NO_LIMIT
X_FLOW = 5  # cents of a set from i to j, 0 between uses
X_N = 6

# --- wide: shape (W_FOCUS + lists + ticks, banks) ------------------------------------------------
W_OUT = 0  # out of a bank in a set
W_IN = 1
W_SPENT = 2  # released to each counterparty under a budget
W_FOCUS = 3  # lists of counterparties, 1 for those on it; then collateral to withdraw by tick

# --- tick: shape (ticks + 1, Y_N) ----------------------------------------------------------------
Y_ARRIVALS = 0  # first row of `arr`
Y_ACTS = 1  # first row of `act`
Y_DUE_FIRST = 2  # first and last payment due at the tick, or NONE
Y_DUE_LAST = 3
Y_N = 4

# --- room: shape (M_N, payments): scratch --------------------------------------------------------
M_KEY = 0  # sort keys, and room to merge them (2)
M_ORDER = 2  # payments in the order in which trees are asked
M_PICK = 3  # payments of a set, of two sides (2)
M_CHAIN = 5  # banks, payments and next candidates of a chain (3)
M_LINK = 8  # by payment: the next one in a list of an algorithm
M_RELEASED = 9  # keys of payments on their way into the system, from step 2 to step 6
M_N = 10

# --- note: float64, shape (payments, N_N) --------------------------------------------------------
N_ACTION = 0  # what a tree said, by place in M_ORDER
N_ARGUMENT = 1  # arguments of it (4)
N_DELAY = 5  # delay cost of the payment so far
N_PENALTY = 6
N_N = 7

# --- arr: arrivals of the run in order, shape (arrivals, A_N) ------------------------------------
A_SENDER = 0
A_RECEIVER = 1
A_AMOUNT = 2
A_DEADLINE = 3  # tick of the run
A_PRIORITY = 4
A_DIVISIBLE = 5
A_DIRECT = 6  # 1: into the system at once (ScheduledSettlement)
A_TICK = 7
A_N = 8

# --- act: scheduled events that move money or collateral, shape (events, 5), by tick ------------
ACT_TICK, ACT_KIND, ACT_BANK, ACT_OTHER, ACT_AMOUNT = range(5)
ACT_TRANSFER, ACT_COLLATERAL = 0, 1

# --- log: shape (capacity, L_N), or (0, L_N) where nothing is written down -----------------------
L_TICK, L_KIND, L_BANK, L_OTHER, L_PAYMENT, L_AMOUNT, L_DETAIL = range(7)
L_N = 7
(
    LOG_FUND,
    LOG_REPAY,
    LOG_BORROW,
    LOG_REPAY_BORROWED,
    LOG_TRANSFER,
    LOG_COLLATERAL,  # amount: change of what is posted; detail: tree that did it, or NONE
    LOG_ARRIVE,
    LOG_RELEASE,  # detail: RTGS class
    LOG_JOIN_QUEUE2,
    LOG_SETTLE,  # detail: group * 8 + H_ code
    LOG_SETTLE_PART,
    LOG_OVERDUE,
    LOG_SPLIT,  # amount: number of children
    LOG_DROP,
    LOG_REPRIORITIZE,  # detail: new priority
    LOG_WITHDRAW,
    LOG_RESUBMIT,  # detail: RTGS class
    LOG_RESERVE,  # detail: tick
    LOG_BUDGET,  # amount: budget
    LOG_REFUSED,  # a release that the budget did not allow
    LOG_REGISTER,  # detail: register; amount: value rounded down
    LOG_PENALTY,  # detail: K_ code; amount: rounded down
    LOG_CAPACITY,  # amount: collateral not posted for lack of capacity; detail: tree
) = range(23)

# --- trace: state of every bank at the end of each tick, shape (ticks, banks, T_N) ---------------
T_BALANCE, T_CREDIT, T_POSTED, T_Q1_COUNT, T_Q1_VALUE, T_Q2_COUNT, T_Q2_VALUE = range(7)
T_SENT, T_RECEIVED = 7, 8  # settled within the tick
T_N = 9

# --- errors --------------------------------------------------------------------------------------
E_NONE = 0
E_DIVISION = 1  # a policy divides by zero
E_NOT_FINITE = 2  # a policy computes a value that is not finite
E_CONSERVATION = 3  # balances do not sum to what was put in
E_OVERFLOW = 4  # money of the run beyond 4e18
E_PAYMENTS_FULL = 5  # `pay` is too small: to be run again with more
E_LOG_FULL = 6
E_ARRIVALS_FULL = 7

MAX_MONEY = 4 * 10**18


class World(NamedTuple):
    """All arrays of one run. Kernels modify them in place.

    Few and wide on purpose: what a call costs, and what compiling costs, grows with their number.
    Shapes: n banks, m payments at most, t ticks of the run.
    """

    clock: Ints  # (C_N,)
    rule: Ints  # (R_N,)
    rate: Floats  # (F_CONST + constants,)
    bank: Ints  # (n, B_N)
    sums: Floats  # (n, U_COST + K_N * days)
    pay: Ints  # (m, P_N)
    note: Floats  # (m, N_N)
    pair: Ints  # (X_N or X_LIMIT, n, n)
    wide: Ints  # (W_FOCUS + lists + ticks, n)
    tick: Ints  # (t + 1, Y_N)
    code: Ints  # (instructions, 2)
    arr: Ints  # (arrivals, A_N)
    act: Ints  # (events, 5)
    room: Ints  # (M_N, at least 12 and m and n)
    log: Ints  # (rows, L_N)
    trace: Ints  # (t, n, T_N), or (0, n, T_N)
    bill: Floats  # (t, n) what the day has cost by the end of each tick, or (0, n)
