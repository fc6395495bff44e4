"""Texts drawn at random from a GBNF grammar: literals, sets, groups, repetitions, alternatives."""

import json
import re
from random import Random

TOKEN = re.compile(
    r"""\s*(?:(?P<literal>"(?:[^"\\]|\\.)*")|(?P<set>\[(?:[^\]\\]|\\.)*\])|(?P<name>[A-Za-z0-9-]+)"""
    r"""|(?P<times>\{\d+(?:,\d+)?\})|(?P<mark>[()|?*+]))"""
)


def draw(grammar: str, random: Random) -> str:
    """One text of the grammar's root."""
    rules = dict(line.split(" ::= ", 1) for line in grammar.strip().splitlines())
    return _Drawing(rules, random).alternatives(list(TOKEN.finditer(rules["root"])))


class _Drawing:
    def __init__(self, rules: dict[str, str], random: Random) -> None:
        self.rules, self.random = rules, random

    def alternatives(self, tokens: list[re.Match[str]]) -> str:
        """Choose one of the branches between the bars."""
        branches: list[list[re.Match[str]]] = [[]]
        depth = 0
        for token in tokens:
            depth += {"(": 1, ")": -1}.get(token["mark"] or "", 0)
            if token["mark"] == "|" and depth == 0:
                branches.append([])
            else:
                branches[-1].append(token)
        return self.sequence(self.random.choice(branches))

    def sequence(self, tokens: list[re.Match[str]]) -> str:
        """Draw each element as often as its repetition allows."""
        text, at = "", 0
        while at < len(tokens):
            end = self.end_of(tokens, at)
            least, most = self.times(tokens, end)
            for _ in range(self.random.randint(least, most)):
                text += self.element(tokens[at:end])
            at = end + (end < len(tokens) and self.repeats(tokens[end]))
        return text

    def element(self, tokens: list[re.Match[str]]) -> str:
        first = tokens[0]
        if first["literal"]:
            return str(json.loads(first["literal"]))
        if first["set"]:
            return self.character(first["set"])
        if first["name"]:
            return self.alternatives(list(TOKEN.finditer(self.rules[first["name"]])))
        return self.alternatives(tokens[1:-1])

    def character(self, pattern: str) -> str:
        known = [c for c in map(chr, range(32, 127)) if re.match(pattern, c)]
        return self.random.choice(known)

    @staticmethod
    def repeats(token: re.Match[str]) -> bool:
        return bool(token["times"]) or token["mark"] in ("?", "*", "+")

    def times(self, tokens: list[re.Match[str]], at: int) -> tuple[int, int]:
        if at >= len(tokens) or not self.repeats(tokens[at]):
            return 1, 1
        if tokens[at]["times"]:
            ends = [int(end) for end in tokens[at]["times"][1:-1].split(",")]
            return ends[0], ends[-1]
        return {"?": (0, 1), "*": (0, 3), "+": (1, 3)}[tokens[at]["mark"]]

    @staticmethod
    def end_of(tokens: list[re.Match[str]], at: int) -> int:
        depth = 0
        for end in range(at, len(tokens)):
            depth += {"(": 1, ")": -1}.get(tokens[end]["mark"] or "", 0)
            if depth == 0:
                return end + 1
        raise ValueError("a parenthesis is not closed")
