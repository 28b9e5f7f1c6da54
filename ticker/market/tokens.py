"""What is traded on the embedded market, and how it stands when the market opens.

Plain data. Prices, volumes and supplies are plausible round figures, not quotations; where each token is
listed, and under which name, is its venue's affair.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Token:
    """One token at the opening of the market.

    `price` is in US dollars, `change` the percent it has gained in the 24 hours before, `volatility` the
    standard deviation of a day in percent, `turnover` what all venues trade of it in a day in US dollars,
    `supply` in units. `decimals` is the usual tick size of exchanges: 2 means 0.01.
    """

    id: str
    symbol: str
    price: Decimal
    change: Decimal
    volatility: Decimal
    turnover: Decimal
    supply: Decimal
    decimals: int


# id, symbol, price, change %, volatility % a day, turnover in millions, supply in millions, decimals
_TABLE = """
talus               US    0.01021      0.19  11    4.1      2600      5
bitcoin             BTC   73012.40     1.12  2.6   31000    20.03     2
ethereum            ETH   3904.15     -0.84  3.4   17500    120.7     2
tether              USDT  0.9998       0.01  0.01  68000    187000    4
ripple              XRP   2.4138       2.37  4.1   3900     60700     4
binancecoin         BNB   872.31       0.46  2.8   1900     137.7     2
solana              SOL   163.48      -1.93  4.3   5200     556       2
usd-coin            USDC  0.9999       0.00  0.01  11000    75400     4
dogecoin            DOGE  0.18342      3.05  4.8   2100     152000    5
cardano             ADA   0.5871      -0.37  4.2   920      36500     4
tron                TRX   0.2914       0.73  2.2   760      94700     4
avalanche-2         AVAX  18.42       -2.61  4.6   480      427       2
chainlink           LINK  16.87        1.48  4.4   640      697       2
the-open-network    TON   2.146       -0.92  3.7   190      2500      3
stellar             XLM   0.2857       1.91  4.4   260      32200     4
shiba-inu           SHIB  0.00001027  -1.15  4.5   210      589200000 8
sui                 SUI   2.3419       4.02  5.2   980      3600      4
bitcoin-cash        BCH   521.6        0.88  3.5   410      19.95     1
polkadot            DOT   3.127       -1.47  4.3   240      1620      3
litecoin            LTC   96.34        0.29  3.6   560      76.5      2
pepe                PEPE  0.000008412  5.63  6.3   610      420690000 8
hedera-hashgraph    HBAR  0.1764       1.06  4.6   310      42500     5
uniswap             UNI   6.231       -3.08  5.1   330      630       3
near                NEAR  2.318        2.14  5.0   280      1280      3
aptos               APT   3.284       -0.65  4.9   220      720       3
internet-computer   ICP   4.917        0.97  4.7   150      543       3
ethereum-classic    ETC   15.83       -0.58  3.9   130      154       2
aave                AAVE  207.4        1.77  4.8   360      15.2      2
cosmos              ATOM  3.046       -1.26  4.5   110      480       3
"""

_MILLION = Decimal(1_000_000)


def _token(row: str) -> Token:
    slug, symbol, price, change, volatility, turnover, supply, decimals = row.split()
    return Token(
        id=slug,
        symbol=symbol,
        price=Decimal(price),
        change=Decimal(change),
        volatility=Decimal(volatility),
        turnover=Decimal(turnover) * _MILLION,
        supply=Decimal(supply) * _MILLION,
        decimals=int(decimals),
    )


TOKENS = tuple(_token(row) for row in _TABLE.strip().splitlines())
