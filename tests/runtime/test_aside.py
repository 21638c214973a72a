from edgeinfer.runtime.aside import Aside


def test_only_the_newest_of_a_rule_stays_and_each_is_given_once():
    aside = Aside()
    aside.put("a", "1", b"x")
    aside.put("b", "2", b"y")
    aside.put("a", "3", b"z")
    found = aside.after(0)
    assert [(t.rule, t.id) for t in found] == [("b", "2"), ("a", "3")]
    assert aside.after(found[-1].version) == []
