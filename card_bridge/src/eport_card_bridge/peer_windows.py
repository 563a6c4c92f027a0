"""The same question as peer.py on Windows: the process at the other end of a loopback connection, and its user."""

import ctypes
import os
import socket
import struct
from ctypes import wintypes

AF_INET, TCP_TABLE_OWNER_PID_ALL = 2, 5
PROCESS_QUERY_LIMITED_INFORMATION, TOKEN_QUERY, TOKEN_USER = 0x1000, 0x0008, 1
ROW = struct.Struct("=I4sH2x4sH2xI")  # state, local address, local port, remote address, remote port, process


def is_same_user_on_windows(peer: tuple[str, int], own: tuple[str, int]) -> bool:
    """Fails closed: an unknown process, or one whose token cannot be read, is another user."""
    mine = _user_of(os.getpid())
    return any(_user_of(process) == mine for process in _processes(peer, own)) and bool(mine)


def _processes(peer: tuple[str, int], own: tuple[str, int]) -> list[int]:
    """Processes that own the socket `peer` → `own` (GetExtendedTcpTable)."""
    table, size = ctypes.create_string_buffer(0), wintypes.DWORD(0)
    call = ctypes.windll.iphlpapi.GetExtendedTcpTable
    for _ in range(3):  # the table may grow between asking for its size and reading it
        if call(table, ctypes.byref(size), False, AF_INET, TCP_TABLE_OWNER_PID_ALL, 0) == 0:
            break
        table = ctypes.create_string_buffer(size.value)
    else:
        return []
    if len(table) < 4:
        return []
    wanted = (socket.inet_aton(peer[0]), socket.htons(peer[1]), socket.inet_aton(own[0]), socket.htons(own[1]))
    rows = (ROW.unpack_from(table, 4 + index * ROW.size) for index in range(struct.unpack_from("=I", table)[0]))
    return [row[5] for row in rows if row[1:5] == wanted]


def _user_of(process: int) -> bytes:
    """The SID of a process's user, or nothing."""
    kernel, security = ctypes.windll.kernel32, ctypes.windll.advapi32
    kernel.OpenProcess.restype = kernel.GetCurrentProcess.restype = wintypes.HANDLE
    handle, token = (
        wintypes.HANDLE(kernel.OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, False, process)),
        wintypes.HANDLE(),
    )
    if not handle:
        return b""
    try:
        if not security.OpenProcessToken(handle, TOKEN_QUERY, ctypes.byref(token)):
            return b""
        try:
            length = wintypes.DWORD(0)
            data = ctypes.create_string_buffer(256)
            if not security.GetTokenInformation(token, TOKEN_USER, data, len(data), ctypes.byref(length)):
                return b""
            sid = ctypes.c_void_p.from_buffer(data)
            return ctypes.string_at(sid.value, security.GetLengthSid(sid))
        finally:
            kernel.CloseHandle(token)
    finally:
        kernel.CloseHandle(handle)
