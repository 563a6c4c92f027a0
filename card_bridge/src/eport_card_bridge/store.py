"""What the user has told this program: 安全短语, consented origins, signing origins; one file only that user can read."""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

LONGEST_PHRASE = 30


class Store:
    """`signing_origins` is what the installer gave; consent in the browser never adds to it, the settings page does."""

    def __init__(self, folder: Path, signing_origins: Iterable[str] = ()) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._path = folder / "settings.json"
        self._installed = frozenset(signing_origins)

    def _read(self) -> dict[str, Any]:
        return json.loads(self._path.read_text("utf-8")) if self._path.exists() else {}

    def _write(self, **values: Any) -> None:
        part = self._path.with_suffix(".part")
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as out:
            json.dump({**self._read(), **values}, out, ensure_ascii=False)
        part.replace(self._path)

    @property
    def phrase(self) -> str:
        return self._read().get("phrase", "")

    @property
    def consented(self) -> list[str]:
        return self._read().get("consented", [])

    @property
    def typed_signing_origins(self) -> list[str]:
        return self._read().get("signing", [])

    def may_sign_messages(self, origin: str) -> bool:
        return origin in self._installed or origin in self.typed_signing_origins

    def is_consented(self, origin: str) -> bool:
        return origin in self.consented or self.may_sign_messages(origin)

    def consent(self, origin: str) -> None:
        self._write(consented=sorted({*self.consented, origin}))

    def save_phrase(self, phrase: str) -> None:
        self._write(phrase=" ".join(phrase.split())[:LONGEST_PHRASE])

    def save_origins(self, consented: Iterable[str], signing: Iterable[str]) -> None:
        self._write(consented=sorted(set(consented)), signing=sorted(set(signing)))
