"""Telegrams of scales as the makers' manuals print them, or as their field tables say, and what they mean.

Sources stand in the scale profiles; "printed" telegrams are in a manual as they are here.
"""

from dataclasses import dataclass

from wire_format.quality import Quality


@dataclass(frozen=True)
class Telegram:
    """What a scale sends. A weight is (integer, exponent) in kg, None where the telegram tells none of that kind."""

    protocol: str
    sent: bytes
    net: tuple[int, int] | None = None
    gross: tuple[int, int] | None = None
    tare: tuple[int, int] | None = None
    stable: bool | None = None
    quality: Quality = Quality.GOOD


GOOD = [
    Telegram("mt_sics", b"S S     100.00 g\r\n", net=(10000, -5), stable=True),  # printed
    Telegram("mt_sics", b"S D     100.50 g\r\n", net=(10050, -5), stable=False),
    Telegram("mt_sics", b"S S      -0.012 kg\r\n", net=(-12, -3), stable=True),
    Telegram("kern_kcp", b"S S      12.340 kg\r\n", net=(12340, -3), stable=True),
    Telegram("aandd_standard", b"ST,+001234.5  g\r\n", net=(12345, -4), stable=True),  # printed
    Telegram("aandd_standard", b"ST,+0001.234 kg\r\n", net=(1234, -3), stable=True),  # printed
    Telegram("aandd_standard", b"ST,OK,+0001.234 kg\r\n", net=(1234, -3), stable=True),  # printed
    Telegram("aandd_standard", b"US,-000012.0  g\r\n", net=(-120, -4), stable=False),
    Telegram("aandd_18_byte_gs", b"ST,GS,+0123456kg\r\n", gross=(123456, 0), stable=True),
    Telegram("aandd_18_byte_gs", b"US,NT,-0012.34kg\r\n", net=(-1234, -2), stable=False),
    Telegram("cas_22_byte", b"ST,GS,1\xc4,000013.5 kg\r\n", gross=(135, -1), stable=True),
    Telegram("cas_22_byte", b"US,NT,=\x82,-00002.5 kg\r\n", net=(-25, -1), stable=False),
    Telegram("cas_enq_dc1", b"\x01\x02S 01.234kge\x03\x04", net=(1234, -3), stable=True),
    Telegram("dini_argeo", b"ST,GS,     0.0,kg\r\n", gross=(0, -1), stable=True),  # printed
    Telegram("dini_argeo", b"01US,NT,   -12.5,kg\r\n", net=(-125, -1), stable=False),
    Telegram(
        "dini_argeo",  # printed
        b"1ST,       0.0,PT      20.8,         0,kg\r\n",
        net=(0, -1),
        gross=(208, -1),
        tare=(208, -1),
        stable=True,
    ),
    Telegram(
        "toledo_continuous",
        b"\x02\x2c\x30\x20001250000000\x0d\x2d",
        net=(1250, -2),
        gross=(1250, -2),
        tare=(0, -2),
        stable=True,
    ),
    Telegram("rice_lake_stream", b"\x02  1234.5KG \r\n", gross=(12345, -1), stable=True),
    Telegram("rice_lake_stream", b"\x02-   12.5KNM\r\n", net=(-125, -1), stable=False),
    Telegram("cardinal_stream", b"\r+0012.5  kg g  \x03", gross=(125, -1), stable=True),
    Telegram("cardinal_stream", b"\r-0012.5m kg n  \x03", net=(-125, -1), stable=False),
    Telegram("weightronix_stream", b" g+0012.5 kg\r\n", gross=(125, -1)),
    Telegram("weightronix_stream", b" n-0012.5 kg\r\n", net=(-125, -1)),
    Telegram("condec_demand", b"\x02 00012.50 KG GR\r\n", gross=(1250, -2)),
    Telegram("condec_demand", b"\x02-00012.50 KG NT\r\n", net=(-1250, -2)),
    Telegram("sma", b"\n 1G       5.025lb \r", gross=(2_279_302, -6), stable=True),  # printed; 2.2793016592425 kg
    Telegram("sma", b"\nZ1G       0.000lb \r", gross=(0, -6), stable=True),  # printed
    Telegram("sma", b"\n 1GM      7.650kg \r", gross=(7650, -3), stable=False),  # printed, padded
    Telegram("sma", b"\n 1N       7.650kg \r", net=(7650, -3), stable=True),
    Telegram("sartorius_sbi", b"+   123.56 g  \r\n", net=(12356, -5)),  # printed
    Telegram("sartorius_sbi", b"N     +   123.56 g  \r\n", net=(12356, -5)),  # printed
    Telegram("sartorius_sbi", b"-  123.5[6] g \r\n", net=(-12356, -5)),
    Telegram("ohaus_3000", b"-   12.50 kg     NET\r\n", net=(-1250, -2), stable=True),
    Telegram("ohaus_3000", b"    12.50 kg   ?G  \r\n", gross=(1250, -2), stable=False),
    Telegram("ohaus_portable", b"     192.21 g\r\n", net=(19221, -5), stable=True),  # printed
    Telegram("ohaus_portable", b"       0.01 g ?\r\n", net=(1, -5), stable=False),  # printed
    Telegram("nci", b"\n 12.34KG\r\n001\r\x03", gross=(1234, -2), stable=True),
    Telegram("nci", b"\n -1.50KG\r\n104\r\x03", net=(-150, -2), stable=False),
]

OVERFLOW, DEVICE_ERROR = Quality.OVERFLOW, Quality.DEVICE_ERROR

WITHOUT_WEIGHT = [
    Telegram("mt_sics", b"S +\r\n", quality=OVERFLOW),  # printed
    Telegram("mt_sics", b"S -\r\n", quality=OVERFLOW),
    Telegram("mt_sics", b"S I\r\n", quality=DEVICE_ERROR),
    Telegram("mt_sics", b"ES\r\n", quality=DEVICE_ERROR),  # printed
    Telegram("kern_kcp", b"S +\r\n", quality=OVERFLOW),
    Telegram("aandd_standard", b"OL,+999999.9  g\r\n", quality=OVERFLOW),  # printed
    Telegram("aandd_standard", b"OL,-99999999 PC\r\n", quality=OVERFLOW),  # printed
    Telegram("aandd_standard", b"OL,+9999999E+19\r\n", quality=OVERFLOW),  # printed
    Telegram("aandd_standard", b"QT,+00012345 PC\r\n", quality=DEVICE_ERROR),  # printed
    Telegram("aandd_standard", b"ST,+000123.4  %\r\n", quality=DEVICE_ERROR),  # printed
    Telegram("aandd_18_byte_gs", b"OL,GS,+9999999kg\r\n", quality=OVERFLOW),
    Telegram("aandd_18_byte_gs", b"ST,GS,+0123456\r\n", quality=DEVICE_ERROR),  # printed: it has no unit
    Telegram("cas_22_byte", b"OL,GS,1\x84,999999.9 kg\r\n", quality=OVERFLOW),
    Telegram("cas_22_byte", b"ERR 03\r\n", quality=DEVICE_ERROR),
    Telegram("cas_enq_dc1", b"\x01\x02SFFFFFFFkg\x19\x03\x04", quality=OVERFLOW),
    Telegram("dini_argeo", b"OL,GS,  9999.9,kg\r\n", quality=OVERFLOW),
    Telegram("dini_argeo", b"UL,GS,     0.0,kg\r\n", quality=OVERFLOW),
    Telegram("dini_argeo", b"TL,GS,     0.0,kg\r\n", quality=DEVICE_ERROR),
    Telegram("toledo_continuous", b"\x02\x2c\x34\x20999999000000\x0d", quality=OVERFLOW),
    Telegram("toledo_continuous", b"\x02\x2c\x70\x20000000000000\x0d", quality=DEVICE_ERROR),
    Telegram("rice_lake_stream", b"\x02^&&&&&&&KG \r\n", quality=OVERFLOW),
    Telegram("rice_lake_stream", b"\x02 12345.6KGO\r\n", quality=OVERFLOW),
    Telegram("rice_lake_stream", b"\x02 12345.6KGI\r\n", quality=DEVICE_ERROR),
    Telegram("cardinal_stream", b"\r+9999.9o kg g  \x03", quality=OVERFLOW),
    Telegram("sma", b"\nO1G ------------kg \r".replace(b" ------------", b"  ----------"), quality=OVERFLOW),
    Telegram("sma", b"\nE1G  ----------kg \r", quality=DEVICE_ERROR),
    Telegram("sartorius_sbi", b"      H       \r\n", quality=OVERFLOW),
    Telegram("sartorius_sbi", b"   Err 54     \r\n", quality=DEVICE_ERROR),
    Telegram("sartorius_sbi", b"+   123.56    \r\n", quality=DEVICE_ERROR),
    Telegram("ohaus_portable", b"     12 PCS\r\n", quality=DEVICE_ERROR),
    Telegram("nci", b"\n^^^^^^KG\r\n020\r\x03", quality=OVERFLOW),
    Telegram("nci", b"\n______KG\r\n010\r\x03", quality=OVERFLOW),
]
