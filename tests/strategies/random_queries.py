"""Random SELECTs over the target of the attack suite, made of the parts in which names hide."""

from random import Random

CUSTOMERS = ("id", "name", "city", "card")
TABLES = {
    "customers": CUSTOMERS,
    "public.customers": CUSTOMERS,
    "customers *": CUSTOMERS,
    "ONLY customers": CUSTOMERS,
    "customers_old": CUSTOMERS,
    "orders": ("id", "customer_id", "amount"),
    "numbers": ("n",),
    "public_customers": ("id", "name"),
    "city_counts": ("city", "people"),
    "cards_view": ("id", "card"),
    "secrets": ("id", "value"),
}
WEIGHTS = (6, 2, 1, 1, 1, 5, 3, 3, 2, 1, 1)
ALIASES = ("c", "s", "customers", "orders", "secrets", "card", "name", "q")
COLUMNS = (
    "id",
    "name",
    "city",
    "card",
    "amount",
    "customer_id",
    "value",
    "peek",
    "row_to_json",
    "n",
    "b",
    "d",
)
FUNCTIONS = (
    "upper",
    "to_jsonb",
    "row_to_json",
    "count",
    "max",
    "peek",
    "tell",
    "length",
    "concat",
    "card",
    "name",
)
OPERATORS = ("=", "IS DISTINCT FROM", "IN", "<>", "<@@>")
NUMBERS = ("'1'", "NULL")


class Maker:
    """Makes one query after another from a seed."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.scopes: list[list[tuple[str, tuple[str, ...]]]] = [[]]
        """Names and columns that a level is likely to have, inner levels last."""

    def query(self, depth: int = 0) -> str:
        """One SELECT, perhaps with WITH, set operations and nested queries."""
        chance = self.random.random()
        if depth < 2 and chance < 0.12:
            name = self.random.choice((*ALIASES, "x"))
            inner = self.query(depth + 1)
            return (
                f"WITH {self.rarely('RECURSIVE ')}{name}{self.names()} AS ({inner}) {self.query(depth + 1)}"
            )
        if depth < 2 and chance < 0.2:
            kind = self.random.choice(("UNION", "UNION ALL", "EXCEPT", "INTERSECT"))
            return f"{self.plain(depth + 1)} {kind} {self.plain(depth + 1)}"
        if chance < 0.25:
            return f"TABLE {self.table()}"
        return self.plain(depth)

    def table(self) -> str:
        return self.random.choices(list(TABLES), WEIGHTS)[0]

    def plain(self, depth: int) -> str:
        self.scopes.append([])
        source = self.source(depth)
        targets = ", ".join(self.target(depth) for _ in range(self.random.choice((1, 1, 2))))
        where = f" WHERE {self.condition(depth)}" if self.random.random() < 0.4 else ""
        group = f" GROUP BY {self.column()}" if self.random.random() < 0.12 else ""
        order = f" ORDER BY {self.expression(depth)}" if self.random.random() < 0.25 else ""
        limit = " LIMIT 3" if order and depth == 0 else ""
        self.scopes.pop()
        text = f"SELECT {self.rarely('DISTINCT ')}{targets} FROM {source}{where}{group}{order}{limit}"
        return f"({text})" if order and depth else text

    def rarely(self, text: str) -> str:
        return text if self.random.random() < 0.15 else ""

    def names(self) -> str:
        if self.random.random() > 0.2:
            return ""
        chosen = self.random.sample(("a", "b", "d", "card", "id", "name"), self.random.randint(1, 4))
        return f" ({', '.join(chosen)})"

    def source(self, depth: int) -> str:
        first = self.item(depth)
        for _ in range(self.random.choice((0, 0, 0, 1, 1, 2))):
            kind = self.random.choice((", ", " JOIN ", " LEFT JOIN ", " NATURAL JOIN "))
            on = ""
            if kind.strip() in ("JOIN", "LEFT JOIN"):
                using = self.random.choice(("id", "id", "name", "card"))
                on = (
                    f" USING ({using}){self.rarely(' AS u')}"
                    if self.random.random() < 0.5
                    else f" ON {self.condition(2)}"
                )
            first = f"{first}{kind}{self.item(depth)}{on}"
        if "JOIN" in first and ", " not in first and self.random.random() < 0.15:
            return f"({first}) AS {self.random.choice(ALIASES)}{self.names()}"
        return first

    def item(self, depth: int) -> str:
        alias = self.random.choice(ALIASES)
        if depth < 2 and self.random.random() < 0.2:
            inner = self.query(depth + 1)
            self.scopes[-1].append((alias, ("id", "name", "card")))
            return f"{self.rarely('LATERAL ')}({inner}) AS {alias}{self.names()}"
        table = self.table()
        if self.random.random() < 0.35:
            self.scopes[-1].append((table.split(".")[-1].strip(" *").removeprefix("ONLY "), TABLES[table]))
            return table
        self.scopes[-1].append((alias, TABLES[table]))
        return f"{table} {self.rarely('AS ')}{alias}{self.names()}"

    def near(self) -> tuple[str, tuple[str, ...]]:
        """A source that is likely in scope, with its columns."""
        levels = [level for level in self.scopes if level]
        if not levels or self.random.random() < 0.03:
            return self.random.choice(ALIASES), COLUMNS
        return self.random.choice(levels[-1] if self.random.random() < 0.8 else self.random.choice(levels))

    def column(self) -> str:
        source, columns = self.near()
        name = self.random.choice(columns if self.random.random() < 0.9 else COLUMNS)
        chance = self.random.random()
        if chance < 0.25:
            return name
        if chance < 0.28:
            return f"public.customers.{name}"
        return f"({source}).{name}" if chance < 0.33 else f"{source}.{name}"

    def target(self, depth: int) -> str:
        chance = self.random.random()
        if chance < 0.12:
            return self.random.choice(("*", f"{self.near()[0]}.*"))
        alias = f" AS {self.random.choice(('a', 'card', 'name', 'c'))}" if chance < 0.4 else ""
        return self.expression(depth) + alias

    def expression(self, depth: int) -> str:
        chance = self.random.random()
        if chance < 0.5:
            return self.column()
        if chance < 0.6:
            return self.random.choice((self.near()[0], *NUMBERS))
        if chance < 0.78:
            return f"{self.random.choice(FUNCTIONS)}({self.random.choice((self.column(), self.near()[0]))})"
        if chance < 0.84:
            return f"{self.random.choice((self.column(), self.near()[0]))}::text"
        if chance < 0.9 and depth < 2:
            return f"({self.query(depth + 1)})"
        return f"CASE WHEN {self.condition(2)} THEN {self.column()} END"

    def condition(self, depth: int) -> str:
        if depth < 2 and self.random.random() < 0.2:
            return f"EXISTS ({self.query(depth + 1)})"
        operator = self.random.choice(OPERATORS)
        right = self.random.choice((self.column(), *NUMBERS))
        return f"{self.column()} {operator} {f'({right})' if operator == 'IN' else right}"
