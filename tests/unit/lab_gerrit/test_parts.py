"""The small parts: queries, options of a push, order, texts."""

from __future__ import annotations

import pytest

from xenci.lab_gerrit import javahash, push_options
from xenci.lab_gerrit.access import matches, specificity
from xenci.lab_gerrit.changes import RefusedError
from xenci.lab_gerrit.expressions import And, Atom, Not, Or, QueryError, parse
from xenci.lab_gerrit.receive import crop
from xenci.lab_gerrit.review import message_text


def test_query_tree() -> None:
    tree = parse('status:open (project:a OR project:"b c") -age:1h')
    assert isinstance(tree, And)
    first, either, last = tree.parts
    assert first == Atom("status", "open", "status:open")
    assert isinstance(either, Or)
    assert either.parts[1] == Atom("project", "b c", 'project:"b c"')
    assert last == Not(Atom("age", "1h", "age:1h"))


def test_query_with_braces_is_one_phrase() -> None:
    tree = parse("(message:{https://review.example.org/c/demo/+/1})")
    assert tree == Atom("message", "https://review.example.org/c/demo/+/1", tree.text)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("(status:open", "line 1:12 mismatched input '<EOF>' expecting ')'"),
        ("file:^s[0-9].txt", "line 1:7 no viable alternative at character '['"),
    ],
)
def test_bad_queries_in_gerrits_words(text: str, words: str) -> None:
    with pytest.raises(QueryError, match="line 1") as caught:
        parse(text)
    assert str(caught.value) == words


def test_push_options() -> None:
    found = push_options.parse(
        "topic=x,wip,l=Code-Review+1,m=see_%41lso,t=one", ["hashtag=two", "r=somebody"]
    )
    assert (found.options.topic, found.options.wip, found.options.message) == ("x", True, "see Also")
    assert found.options.hashtags == ["one", "two"]
    assert found.labels == [("Code-Review", 1)]
    assert found.people == [("r", "somebody")]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("nonsense=1", '"--nonsense" is not a valid option'),
        ("notify=LOUD", '"LOUD" is not a valid value for "--notify"'),
        ("topic", 'Option "--topic" takes an operand'),
    ],
)
def test_bad_push_options_in_gerrits_words(text: str, words: str) -> None:
    with pytest.raises(RefusedError) as caught:
        push_options.parse(text, [])
    assert caught.value.text == words


def test_order_of_a_java_hash_map() -> None:
    names = ["Code-Review", "No-Unresolved-Comments", "Verified", "Xen-Smoke"]
    assert javahash.names(names) == ["Verified", "Code-Review", "Xen-Smoke", "No-Unresolved-Comments"]
    assert javahash.numbers([1000001, 1000003, 1000004]) == [1000004, 1000003, 1000001]


@pytest.mark.parametrize(
    ("pattern", "ref", "covered"),
    [
        ("refs/heads/*", "refs/heads/master", True),
        ("refs/heads/*", "refs/headsless/x", False),
        ("refs/heads/master", "refs/heads/master2", False),
        ("^refs/heads/v[0-9]+", "refs/heads/v12", True),
        ("^refs/heads/v[0-9]+", "refs/heads/v12x", False),
        ("refs/*", "refs/meta/config", True),
    ],
)
def test_ref_patterns(pattern: str, ref: str, covered: bool) -> None:
    assert matches(pattern, ref) is covered


def test_exact_pattern_is_the_most_specific() -> None:
    patterns = ["refs/*", "refs/heads/*", "refs/heads/a"]
    assert sorted(patterns, key=specificity) == patterns


@pytest.mark.parametrize(
    ("changed", "before", "comments", "message", "text"),
    [
        ({"Verified": 1}, {}, 0, "ok", "Patch Set 2: Verified+1\n\nok"),
        ({"Verified": 0}, {"Verified": 1}, 0, "", "Patch Set 2: -Verified"),
        ({}, {}, 1, "", "Patch Set 2:\n\n(1 comment)"),
        ({}, {}, 4, "see", "Patch Set 2:\n\n(4 comments)\n\nsee"),
        ({}, {}, 0, " ", None),
    ],
)
def test_message_of_a_review(
    changed: dict[str, int], before: dict[str, int], comments: int, message: str, text: str | None
) -> None:
    assert message_text(2, changed, before, comments, message) == text


def test_long_subjects_are_cut_at_a_blank() -> None:
    assert crop("short") == "short"
    assert crop("word " * 20) == "word " * 15 + "..."
    assert len(crop("x" * 90)) == 80
