"""A Modbus TCP server on libmodbus, through ctypes: a peer that is neither ours nor pymodbus.

Usage: libmodbus_server.py PORT REGISTERS.json, with {"input": {"0": [..]}, "holding": {..}}, the format of
`leanmeter profiles decode`. Serves one connection after the other until it is ended.
"""

import ctypes
import ctypes.util
import json
import sys
from pathlib import Path

_LARGEST_REQUEST_BYTES = 260  # MODBUS_TCP_MAX_ADU_LENGTH


class _Mapping(ctypes.Structure):
    _fields_ = (
        ("nb_bits", ctypes.c_int),
        ("start_bits", ctypes.c_int),
        ("nb_input_bits", ctypes.c_int),
        ("start_input_bits", ctypes.c_int),
        ("nb_input_registers", ctypes.c_int),
        ("start_input_registers", ctypes.c_int),
        ("nb_registers", ctypes.c_int),
        ("start_registers", ctypes.c_int),
        ("tab_bits", ctypes.POINTER(ctypes.c_uint8)),
        ("tab_input_bits", ctypes.POINTER(ctypes.c_uint8)),
        ("tab_input_registers", ctypes.POINTER(ctypes.c_uint16)),
        ("tab_registers", ctypes.POINTER(ctypes.c_uint16)),
    )


def _library() -> ctypes.CDLL:
    library = ctypes.CDLL(ctypes.util.find_library("modbus") or "libmodbus.so.5")
    library.modbus_new_tcp.restype = ctypes.c_void_p
    library.modbus_mapping_new.restype = ctypes.POINTER(_Mapping)
    library.modbus_tcp_listen.argtypes = [ctypes.c_void_p, ctypes.c_int]
    library.modbus_tcp_accept.argtypes = [ctypes.c_void_p, ctypes.POINTER(ctypes.c_int)]
    library.modbus_receive.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
    library.modbus_reply.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, ctypes.POINTER(_Mapping)]
    return library


def _fill(mapping: _Mapping, registers: dict[str, dict[str, list[int]]]) -> None:
    for table, target in (("input", mapping.tab_input_registers), ("holding", mapping.tab_registers)):
        for start, words in registers.get(table, {}).items():
            for offset, word in enumerate(words):
                target[int(start) + offset] = word


def main(port: int, registers_file: Path) -> None:
    library = _library()
    mapping = library.modbus_mapping_new(0, 0, 65535, 65535)
    _fill(mapping.contents, json.loads(registers_file.read_text(encoding="utf-8")))
    context = library.modbus_new_tcp(b"127.0.0.1", port)
    listener = ctypes.c_int(library.modbus_tcp_listen(context, 1))
    if listener.value < 0:
        sys.exit(f"libmodbus cannot listen on port {port}")
    print("listening", flush=True)  # noqa: T201  # read by the test
    while library.modbus_tcp_accept(context, ctypes.byref(listener)) >= 0:
        request = ctypes.create_string_buffer(_LARGEST_REQUEST_BYTES)
        while (length := library.modbus_receive(context, request)) >= 0:
            if length > 0:
                library.modbus_reply(context, request, length, mapping)


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
