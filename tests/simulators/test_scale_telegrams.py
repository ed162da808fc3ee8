"""Telegrams byte by byte. Where a manual prints one it stands here as printed; the others follow its field table."""

from collections.abc import Callable

import pytest

from simulators.scale_protocols import binary, requests, streams
from simulators.scale_protocols.display import Display

G_1 = Display(1234.5, decimals=1, unit="g")


@pytest.mark.parametrize(
    ("encode", "display", "telegram"),
    [
        # A&D EK-L p30, GC p51
        (streams.aandd_standard, G_1, b"ST,+001234.5  g\r\n"),
        (streams.aandd_standard, Display(1.234), b"ST,+0001.234 kg\r\n"),
        (streams.aandd_standard, Display(2e6, decimals=1, unit="g", beyond="+"), b"OL,+999999.9  g\r\n"),
        (streams.aandd_standard, Display(-1.5, stable=False), b"US,-0001.500 kg\r\n"),
        # CAS "AND 18 bytes"
        (streams.aandd_18_byte_gs, Display(123456, decimals=0), b"ST,GS,+0123456kg\r\n"),
        (streams.aandd_18_byte_gs, Display(2, tare_kg=0.5), b"ST,NT,+001.500kg\r\n"),
        # CAS CI-600D p74: lamps 0x80 | stable 0x40 | gross 0x04
        (streams.cas_22_byte, Display(13.5, decimals=1), b"ST,GS,\x31\xc4,000013.5 kg\r\n"),
        (streams.cas_22_byte, Display(-0.5, decimals=1, stable=False), b"US,GS,\x31\x84,-00000.5 kg\r\n"),
        (streams.cas_22_byte, Display(0.0, decimals=1), b"ST,GS,\x31\xc5,000000.0 kg\r\n"),
        # Dini Argeo LTP p43
        (streams.dini_argeo, Display(0, decimals=1), b"ST,GS,     0.0,kg\r\n"),
        (streams.dini_argeo, Display(-5, decimals=1, beyond="-"), b"UL,GS,    -5.0,kg\r\n"),
        (
            streams.dini_argeo_extended,
            Display(20.8, tare_kg=20.8, decimals=1),
            b"1ST,       0.0,PT      20.8,         0,kg\r\n",
        ),
        # Rice Lake 482 Ag p37
        (streams.rice_lake_stream, Display(1234.5, decimals=1), b"\x02  1234.5KG \r\n"),
        (streams.rice_lake_stream, Display(1, tare_kg=2, stable=False), b"\x02-  1.000KNM\r\n"),
        (streams.cardinal_stream, Display(12.5, decimals=2), b"\r+012.50  kg g  \x03"),
        (streams.cardinal_stream, Display(12.5, decimals=2, stable=False), b"\r+012.50m kg g  \x03"),
        (streams.weightronix_stream, Display(12.5, decimals=2), b" g+012.50 kg\r\n"),
        # Transcell TI-1680 p39
        (streams.condec_demand, Display(12.5, decimals=2), b"\x02    12.50 KG GR\r\n"),
        # Ohaus RS232 manual p5, Defender 3000 p37
        (streams.ohaus_portable, Display(192.21, decimals=2, unit="g"), b"     192.21 g\r\n"),
        (streams.ohaus_portable, Display(0.01, decimals=2, unit="g", stable=False), b"       0.01 g ?\r\n"),
        (streams.ohaus_portable, Display(2, tare_kg=0.5), b"      1.500 kg   NET\r\n"),
        (streams.ohaus_3000, Display(1.5), b"    1.500 kg    G  \r\n"),
        (streams.ohaus_3000, Display(-1.5, stable=False), b"-   1.500 kg   ?G  \r\n"),
        # Toledo: 12.50 kg gross, stable, increment 1, tare 0; checksum by hand: -(0x253 & 0x7F) & 0x7F
        (
            binary.toledo_continuous,
            Display(12.5, decimals=2),
            bytes.fromhex("02 2C 30 20 30 30 31 32 35 30 30 30 30 30 30 30 0D 2D"),
        ),
        # CAS-M: exclusive or of "S 01.500kg"
        (binary.cas_enq_dc1, Display(1.5), b"\x01\x02S 01.500kg\x65\x03\x04"),
        (binary.nci, Display(1.5), b"\n 1.500kg\r\n\x30\x70\x30\r\x03"),
        (binary.nci, Display(20, beyond="+", stable=False), b"\n^^^^^^kg\r\n\x31\x72\x30\r\x03"),
        # Sartorius PR 5220 p130
        (requests.sma, Display(5.025, unit="lb"), b"\n 1G       5.025lb \r"),
        (requests.sma, Display(0, unit="lb"), b"\nZ1G       0.000lb \r"),
        (requests.sma, Display(7.65, stable=False), b"\n 1GM      7.650kg \r"),
        (requests.sma, Display(99, beyond="+"), b"\nO1G  ----------kg \r"),
        (requests.sma_tare, Display(5, tare_kg=1.5), b"\n 1T       1.500kg \r"),
        # Sartorius CP323S p55
        (requests.sartorius_sbi, Display(123.56, decimals=2, unit="g"), b"+   123.56 g  \r\n"),
        (requests.sartorius_sbi_22, Display(123.56, decimals=2, unit="g"), b"N     +   123.56 g  \r\n"),
    ],
)
def test_a_telegram_is_what_the_manual_prints(
    encode: Callable[[Display], bytes], display: Display, telegram: bytes
) -> None:
    assert encode(display) == telegram


def test_telegrams_have_the_length_that_the_manual_gives() -> None:
    for display in (Display(1.5), Display(-1.5, stable=False), Display(3, tare_kg=1), Display(99, beyond="+")):
        lengths = {
            streams.aandd_standard: 17,
            streams.aandd_18_byte_gs: 18,
            streams.cas_22_byte: 22,
            streams.rice_lake_stream: 14,
            streams.cardinal_stream: 17,
            streams.ohaus_3000: 21,
            binary.toledo_continuous: 18,
            binary.cas_enq_dc1: 15,
            requests.sma: 20,
            requests.sartorius_sbi: 16,
            requests.sartorius_sbi_22: 22,
        }
        assert {encode: len(encode(display)) for encode in lengths} == lengths
