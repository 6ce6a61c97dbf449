"""What inputs of several features share: how they are read, and the codes that a listing may carry.

Countries are those of ISO 3166-1 alpha-2, currencies those of ISO 4217 without metals, bond units and test codes:
nothing is sold in them.
"""

from __future__ import annotations

from typing import Annotated, Any, get_args
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError
from sqlalchemy import Enum

from freehold import NotFound
from freehold.fields import Prose

INPUT = ConfigDict(extra="forbid", strict=True)

COUNTRIES = frozenset(
    """
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW
    BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI
    FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN
    IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME
    MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF
    PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV
    SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE
    YT ZA ZM ZW
    """.split()  # noqa: SIM905  # one code a line is 400 lines
)

CURRENCIES = frozenset(
    """
    AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BOV BRL BSD BTN BWP BYN BZD
    CAD CDF CHE CHF CHW CLF CLP CNY COP COU CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL
    GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD
    KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO
    NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD
    SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD USN UYI UYU UYW UZS VED VES VND VUV
    WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG ZWL
    """.split()  # noqa: SIM905  # one code a line is 400 lines
)


def _country(code: str) -> str:
    if code not in COUNTRIES:
        raise PydanticCustomError("country", "not a country code of ISO 3166-1 alpha-2, in capitals")
    return code


def _currency(code: str) -> str:
    if code not in CURRENCIES:
        raise PydanticCustomError("currency", "not a currency code of ISO 4217, in capitals")
    return code


Country = Annotated[str, Field(min_length=2, max_length=2, examples=["US"]), AfterValidator(_country)]
Currency = Annotated[str, Field(min_length=3, max_length=3, examples=["USD"]), AfterValidator(_currency)]


def one_of(choices: Any) -> Enum:
    """The column type of a `Literal`: text, wide enough that a further choice needs no other column."""
    return Enum(*get_args(choices), native_enum=False, length=20)


def key_in_path(text: str) -> UUID:
    """The key of a row in a path of one's own. Raises NotFound for one that is not of its form: it names nothing."""
    try:
        return UUID(text)
    except ValueError:
        raise NotFound from None


def not_blank(text: str) -> str:
    """Refuse text that shows nothing."""
    if not text.strip():
        raise PydanticCustomError("blank", "blank")
    return text


class Reason(BaseModel):
    """Why it was decided so. The other side reads it."""

    model_config = INPUT

    reason: Annotated[Prose, Field(min_length=1, max_length=500), AfterValidator(not_blank)]
