"""Finds the texts to translate, for `pybabel extract`: every Chinese text that a page may say."""

import ast
import re

from jinja2 import Environment

CHINESE = re.compile(r"[\u3000-\u303f\u3400-\u9fff\uff00-\uffef]")  # 、。「」, characters, ：，（）


def extract_python(fileobj, keywords, comment_tags, options):
    """String constants with Chinese in them; docstrings are not said to users, f-strings cannot be translated."""
    tree = ast.parse(fileobj.read())
    silent = {id(node.body[0].value) for node in ast.walk(tree) if _has_docstring(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            silent |= {id(part) for part in node.values}
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in silent
            and CHINESE.search(node.value)
        ):
            yield node.lineno, "_", node.value, []


def _has_docstring(node) -> bool:
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    return isinstance(node, kinds) and ast.get_docstring(node) is not None


def extract_template(fileobj, keywords, comment_tags, options):
    """String constants with Chinese in them, wherever the expression stands: `'…'|t`, or in a list that a macro says."""
    for number, kind, token in Environment().lex(fileobj.read().decode("utf-8")):
        if kind == "string" and CHINESE.search(token):
            yield number, "_", token[1:-1], []


def extract_region(fileobj, keywords, comment_tags, options):
    """Texts of a region file that pages translate: hotline label, short names, tile texts, code lists."""
    for number, line in enumerate(fileobj.read().decode("utf-8").splitlines(), 1):
        for name, text in re.findall(r'\b(hotline_label|short|text|name|national_name|kind) = "([^"]*)"', line):
            if CHINESE.search(text) and (name != "name" or "code = " in line or "national_name" in line):
                yield number, "_", text, []
