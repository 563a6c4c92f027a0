"""A program of a company as tests drive it: a token by the models, calls by HTTP."""

import secrets
from datetime import timedelta

from blueprints.common import clock
from blueprints.common.tokens import PUSH, READ, WRITE, hash_of
from blueprints.programs.openapi import EVERYWHERE, SCHEMAS
from models.clients import ImportClient
from models.database import session
from tests.browsing import ORIGIN
from tests.exports_world import CODE

LINE = {"item": "8711100010", "name": "微马力摩托车", "quantity": "10", "total": "25", "price": "2.5", "unit": "011"}


def order(number: str, **cells) -> dict:
    """One order of one line."""
    return {"order_no": number, "lines": [LINE | cells]}


def new_task(*orders, **more) -> dict:
    """The body that makes a task of them."""
    return {"strategy": "9710", "client_number": "api", "orders": list(orders)} | more


def make_token(user, code=CODE, scopes=(READ, WRITE, PUSH), days=30, **more) -> str:
    token = f"eport_{secrets.token_urlsafe(32)}"
    values = {"name": secrets.token_hex(4), "send_folder": "/a/b", "receive_folder": "/a/c", "addresses": []} | more
    session.add(
        ImportClient(
            enterprise_id=user.enterprise_id, user_id=user.id, customs_code=code, token_hash=hash_of(token),
            scopes=list(scopes), created_at=clock.now(), expires_at=clock.now() + timedelta(days=days), **values,
        )
    )  # fmt: skip
    session.commit()
    return token


TYPES = {"string": str, "integer": int, "boolean": bool, "object": dict, "array": list, "null": type(None)}


def differences(schema: dict, value, schemas: dict, place: str = "") -> list[str]:
    """Where a value is not what its schema of the OpenAPI document says; names that no schema has count too."""
    if "$ref" in schema:
        return differences(schemas[schema["$ref"].rpartition("/")[2]], value, schemas, place)
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if kinds and type(value) not in [TYPES[kind] for kind in kinds]:
        return [f"{place}: {value!r} is no {kinds}"]
    if "enum" in schema and value not in schema["enum"]:
        return [f"{place}: {value!r} is none of {schema['enum']}"]
    if isinstance(value, list) and "items" in schema:
        return [
            each for n, one in enumerate(value) for each in differences(schema["items"], one, schemas, f"{place}/{n}")
        ]
    if isinstance(value, dict) and "properties" in schema:
        known = schema["properties"]
        found = [f"{place}: {name} is missing" for name in schema.get("required", []) if name not in value]
        found += [f"{place}: {name} is not described" for name in value if name not in known]
        inner = [
            differences(known[name], each, schemas, f"{place}/{name}") for name, each in value.items() if name in known
        ]
        return found + [each for one in inner for each in one]
    return []


class Program:
    """`answer`: of the last call; `said`: its JSON. Each answer is held against the OpenAPI document."""

    def __init__(self, app, token: str, address: str = "127.0.0.1"):
        self.client, self.token, self.address = app.test_client(), token, address

    def call(self, method: str, path: str, **what):
        headers = {"Authorization": f"Bearer {self.token}"} | what.pop("headers", {})
        environ = {"REMOTE_ADDR": self.address}
        path = path if path.startswith("/api/") else f"/api/v1{path}"
        self.answer = self.client.open(
            path, method=method, base_url=ORIGIN, headers=headers, environ_overrides=environ, **what
        )
        self._check(method)
        return self

    def _check(self, method: str) -> None:
        app, said = self.client.application, self.answer.get_json(silent=True)
        endpoint, _ = app.url_map.bind("x").match(self.answer.request.path, method)
        declared = getattr(app.view_functions.get(endpoint), "operation", None)
        if declared and said is not None:
            name = "Problem" if self.status >= 400 else declared.answers[self.status]
            assert self.status in declared.answers or self.status in EVERYWHERE, f"{self.status} is not described"
            assert differences(SCHEMAS[name], said, SCHEMAS) == []

    def get(self, path: str, **query):
        return self.call("GET", path, query_string=query)

    def post(self, path: str, body=None, key: str | None = "", **what):
        """`key` "": a new one."""
        headers = {} if key is None else {"Idempotency-Key": key or secrets.token_hex(8)}
        return self.call("POST", path, json=body, headers=headers | what.pop("headers", {}), **what)

    def send(self, path: str, data: bytes, media: str = "application/json", key: str | None = "", **query):
        headers = {} if key is None else {"Idempotency-Key": key or secrets.token_hex(8)}
        return self.call("POST", path, data=data, content_type=media, headers=headers, query_string=query)

    @property
    def status(self) -> int:
        return self.answer.status_code

    @property
    def said(self) -> dict:
        return self.answer.get_json()

    @property
    def number(self) -> str:
        """Of the problem."""
        assert self.answer.mimetype == "application/problem+json", self.answer.get_data(as_text=True)[:400]
        assert self.said["status"] == self.status and self.said["title"]
        return self.said["number"]
