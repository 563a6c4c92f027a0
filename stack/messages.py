"""Finds the texts to translate, for `pybabel extract`: every Chinese text that a page may say."""

import ast
import re

CHINESE = re.compile(r"[\u3400-\u9fff（-）]")
PAIRS = re.compile(r"'((?:[^'\\]|\\.)*)'")


def extract_python(fileobj, keywords, comment_tags, options):
    """String constants with Chinese in them; docstrings are not said to users, f-strings cannot be translated."""
    tree = ast.parse(fileobj.read())
    silent = {id(node.body[0].value) for node in ast.walk(tree) if _has_docstring(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            silent |= {id(part) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in silent and CHINESE.search(node.value):
            yield node.lineno, "_", node.value, []


def _has_docstring(node) -> bool:
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    return isinstance(node, kinds) and ast.get_docstring(node) is not None


def extract_template(fileobj, keywords, comment_tags, options):
    """Quoted texts with Chinese in them, wherever the expression stands: `'…'|t`, or in a list that a macro says."""
    for number, line in enumerate(fileobj.read().decode("utf-8").splitlines(), 1):
        for part in re.findall(r"\{[{%].*?[}%]\}", line):
            for text in PAIRS.findall(part):
                if CHINESE.search(text):
                    yield number, "_", text, []
