"""`--register`, `--unregister`: start with the desktop, and by the address `eport-card-bridge:` that a website links to.

The registered command has no place for the address. xdg-open appends it all the same, so the program throws away all
that follows `--by-address`: a website can start the bridge and tell it nothing.
"""

import contextlib
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Protocol

SCHEME = "eport-card-bridge"
NAME = "读卡程序"
FILE = f"{SCHEME}.desktop"
BY_ADDRESS = "--by-address"
ACTIONS = ("--register", "--unregister")
RUN_KEY = r"Software\Microsoft\Windows\CurrentVersion\Run"
CLASS_KEY = rf"Software\Classes\{SCHEME}"
COMMAND_KEY = rf"{CLASS_KEY}\shell\open\command"
RESERVED = frozenset(" \t\n\"'\\><~|&;$*?#()`")


class Registry(Protocol):
    """The three things that are done to HKEY_CURRENT_USER. Deleting what is not there does nothing."""

    def write(self, key: str, name: str, value: str) -> None:
        """Sets one text value; makes the key."""

    def delete_value(self, key: str, name: str) -> None: ...

    def delete_key(self, key: str) -> None:
        """The key must have no sub-keys."""


class WindowsRegistry:
    """The same through the standard library's winreg."""

    def __init__(self, winreg: ModuleType) -> None:
        self._winreg = winreg

    def write(self, key: str, name: str, value: str) -> None:
        with self._winreg.CreateKey(self._winreg.HKEY_CURRENT_USER, key) as opened:
            self._winreg.SetValueEx(opened, name, 0, self._winreg.REG_SZ, value)

    def delete_value(self, key: str, name: str) -> None:
        access = self._winreg.KEY_SET_VALUE
        with (
            contextlib.suppress(FileNotFoundError),
            self._winreg.OpenKey(self._winreg.HKEY_CURRENT_USER, key, 0, access) as opened,
        ):
            self._winreg.DeleteValue(opened, name)

    def delete_key(self, key: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            self._winreg.DeleteKey(self._winreg.HKEY_CURRENT_USER, key)


def register_on_windows(registry: Registry, command: list[str]) -> None:
    """Run key and URL protocol of this user. There is no %1, so Windows hands the address to nobody."""
    registry.write(RUN_KEY, SCHEME, subprocess.list2cmdline(command))
    registry.write(CLASS_KEY, "", f"URL:{NAME}")
    registry.write(CLASS_KEY, "URL Protocol", "")
    registry.write(COMMAND_KEY, "", subprocess.list2cmdline([*command, BY_ADDRESS]))


def unregister_on_windows(registry: Registry) -> None:
    registry.delete_value(RUN_KEY, SCHEME)
    for key in (COMMAND_KEY, rf"{CLASS_KEY}\shell\open", rf"{CLASS_KEY}\shell", CLASS_KEY):
        registry.delete_key(key)


def desktop_files(environment: Mapping[str, str], home: Path) -> tuple[Path, Path]:
    """XDG autostart, and the application of the address."""
    config = Path(environment.get("XDG_CONFIG_HOME") or home / ".config")
    data = Path(environment.get("XDG_DATA_HOME") or home / ".local/share")
    return config / "autostart" / FILE, data / "applications" / FILE


def desktop_entry(command: list[str]) -> str:
    line = " ".join(quoted(part) for part in command)
    return f"[Desktop Entry]\nType=Application\nName={NAME}\nExec={line}\nTerminal=false\n"


def quoted(argument: str) -> str:
    """One argument of an Exec line (Desktop Entry 1.5): quoted if need be, then escaped as every value is."""
    if RESERVED & set(argument) or not argument:
        argument = '"' + "".join("\\" + letter if letter in '"`$\\' else letter for letter in argument) + '"'
    return argument.replace("%", "%%").replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t")


def register_on_linux(command: list[str], environment: Mapping[str, str], home: Path) -> None:
    autostart, application = desktop_files(environment, home)
    for file in (autostart, application):
        file.parent.mkdir(parents=True, exist_ok=True)
    autostart.write_text(desktop_entry(command), "utf-8")
    more = f"MimeType=x-scheme-handler/{SCHEME};\nNoDisplay=true\n"
    application.write_text(desktop_entry([*command, BY_ADDRESS]) + more, "utf-8")
    tell_desktop("update-desktop-database", str(application.parent))
    tell_desktop("xdg-mime", "default", FILE, f"x-scheme-handler/{SCHEME}")


def unregister_on_linux(environment: Mapping[str, str], home: Path) -> None:
    autostart, application = desktop_files(environment, home)
    autostart.unlink(missing_ok=True)
    if application.exists():
        application.unlink()
        tell_desktop("update-desktop-database", str(application.parent))


def tell_desktop(*command: str) -> None:
    """A desktop without these programs reads the files by itself, at the next login."""
    if shutil.which(command[0]):
        subprocess.run(command, check=False, capture_output=True, timeout=30)


def own_command(arguments: list[str]) -> list[str]:
    """How this program is started again with the same options. -P: no module is taken from the current folder."""
    python = Path(sys.executable)
    windowless = python.with_name("pythonw.exe")  # no console window on Windows
    program = windowless if windowless.exists() else python
    return [str(program), "-P", "-m", __package__, *(part for part in arguments if part not in ACTIONS)]


def change_registration(arguments: list[str], environment: Mapping[str, str], home: Path) -> None:
    """`arguments`: the command line, which says --register or --unregister; its other options are registered too."""
    is_wanted, command = "--register" in arguments, own_command(arguments)
    if sys.platform == "win32":
        import winreg

        registry = WindowsRegistry(winreg)
        if is_wanted:
            register_on_windows(registry, command)
        else:
            unregister_on_windows(registry)
    elif is_wanted:
        register_on_linux(command, environment, home)
    else:
        unregister_on_linux(environment, home)


def without_address(arguments: list[str]) -> list[str]:
    """The command line up to --by-address: what a website's link added is not read by anything."""
    return arguments[: arguments.index(BY_ADDRESS) + 1] if BY_ADDRESS in arguments else arguments
