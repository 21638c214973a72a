"""Which line a key stands on: for written examples, and for any document that hypothesis makes."""

from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.config.lines import lines_of
from edgeinfer.config.syntax import parse


def test_tables_keys_and_items_stand_where_they_are_written():
    text = """\
# a comment with [brackets] and "quotes
device = "a"

[rule.a]
zone = [
  [0.1, 0.2], # ] not the end
  [0.3,
   0.4],
]
text = '''
[no.table]
key = 1
'''
after.dotted."quoted key" = 1
[[list.of]]
x = 1
[[list.of]]
inline = { a = 1, b.c = "}" }
[list.of.sub]
y = 2
"""
    lines = lines_of(text)
    assert lines["device",] == 2
    assert lines["rule", "a"] == 4
    assert lines["rule", "a", "zone", 1] == 7
    assert lines["rule", "a", "zone", 1, 1] == 8
    assert lines["rule", "a", "after", "dotted", "quoted key"] == 14
    assert lines["list", "of", 0, "x"] == 16
    assert lines["list", "of", 1] == 17
    assert lines["list", "of", 1, "inline", "b", "c"] == 18
    assert lines["list", "of", 1, "sub", "y"] == 20
    assert ("no", "table") not in lines


def test_a_table_that_is_only_implied_stands_where_it_is_first_implied_until_it_is_written():
    assert lines_of("[a.b]\n")["a",] == 1
    assert lines_of("[a.b]\n[a]\n")["a",] == 2


def test_windows_line_ends_do_not_shift_lines():
    assert lines_of("a = '''\r\n\r\n'''\r\nb = 1\r\n")["b",] == 4


# --- any document: every scalar is the number of the line on which it is written -------------------------

BARE = st.from_regex(r"[a-z0-9_-]{1,4}", fullmatch=True)
QUOTED = st.sampled_from(['"a b"', "'c.d'", '"e\\"f"', '"#g"', "'[h]'", '"\\u0069="'])
TRIVIA = st.sampled_from(["", " ", "\t", "  "])
BREAK = st.sampled_from(["\n", "\n\n", " # note ]}\n", "\n# 'open\n\n"])
NOISE = st.sampled_from(
    [
        '"""\n[x]\n"""',
        "'''\n\"\"\"\nk = 1'''",
        '"]"',
        "'}'",
        '"\\\\"',
        '"""a\\"""" \n"""',
        "1979-05-27 07:32:00",
        "-1.5e3",
        '""',
    ]
)


class Writer:
    """Writes TOML and numbers by itself: a value `LINE` is replaced by the line that it is on."""

    def __init__(self):
        self.text = ""

    def add(self, text):
        self.text += text

    def line(self):
        return self.text.count("\n") + 1


def write_value(draw, out, depth):
    sort = draw(st.sampled_from(["line", "noise", "list", "inline"] if depth else ["line", "noise"]))
    if sort == "line":
        out.add(str(out.line()))
    elif sort == "noise":
        out.add(draw(NOISE))
    elif sort == "list":
        out.add("[")
        for _ in range(draw(st.integers(0, 3))):
            out.add(draw(BREAK) if draw(st.booleans()) else draw(TRIVIA))
            write_value(draw, out, depth - 1)
            out.add(draw(TRIVIA) + ",")
        out.add(draw(st.sampled_from(["", "\n", " # end\n"])) + "]")
    else:
        names = draw(st.lists(BARE | QUOTED, max_size=3, unique_by=key_of))
        out.add("{")
        for n, name in enumerate(names):
            out.add(("," if n else "") + draw(TRIVIA) + name + draw(TRIVIA) + "=" + draw(TRIVIA))
            write_value(draw, out, 0 if draw(st.booleans()) else depth - 1)
        out.add(draw(TRIVIA) + "}")


def key_of(token):
    (name,) = parse(f"{token}=1")
    return name


@st.composite
def documents(draw):
    out = Writer()
    tables = draw(
        st.lists(
            st.lists(BARE | QUOTED, min_size=1, max_size=3), max_size=4, unique_by=lambda t: key_of(t[0])
        )
    )
    for table in [None, *tables]:
        many = draw(st.integers(1, 2)) if table and draw(st.booleans()) else 0
        for _ in range(many or 1):
            if table:
                dotted = (draw(TRIVIA) + "." + draw(TRIVIA)).join(table)
                out.add(("[[" + dotted + "]]" if many else "[" + dotted + "]") + draw(BREAK))
            for name in draw(st.lists(BARE | QUOTED, max_size=4, unique_by=key_of)):
                prefix = "" if table else "top-"
                dot = draw(st.sampled_from(["", ".x", ' . "y z"']))
                out.add(draw(TRIVIA) + (f"{prefix}{name}" if prefix and name[0] not in "\"'" else name) + dot)
                out.add(draw(TRIVIA) + "=" + draw(TRIVIA))
                write_value(draw, out, 2)
                out.add(draw(BREAK))
    return out.text


def leaves(value, path=()):
    yield path, value
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        yield from leaves(inner, (*path, key))


@given(documents())
def test_every_key_and_item_of_any_document_is_found_on_its_line(text):
    try:
        tree = parse(text)
    except ValueError:
        return  # two keys of the document collide; what is no TOML has no lines
    lines = lines_of(text)
    for path, value in leaves(tree):
        if path:
            assert path in lines
        if type(value) is int:
            assert lines[path] == value
    assert {path for path, _ in leaves(tree)} >= set(lines)
